import { refuse } from '../io/refuse';
import { detectFormat } from './detectFormat';
import type { NetworkWeights, WeightFile } from './networkWeights';

/**
 * Reads the weights of a file of any format; only the reader of that format is loaded.
 *
 * @param onProgress Called with the fraction of the file's neighbours that have been read, where it has some.
 * @throws {MobilenetError} `invalid-data`, and what reading other files throws
 */
export async function readWeights(file: WeightFile, onProgress?: (fraction: number) => void): Promise<NetworkWeights> {
  const { bytes, where } = file;
  switch (detectFormat(bytes)) {
    case 'keras-h5':
      return (await import('./keras/readKeras')).readKerasH5(file);
    case 'keras':
      if (isTorchArchive(bytes)) refuse(where, FORMATS, "PyTorch's own format, which runs code", TORCH);
      return (await import('./keras/readKeras')).readKerasArchive(file);
    case 'safetensors':
      return (await import('./safetensors/readSafetensorsWeights')).readSafetensorsWeights(file);
    case 'tfjs-layers':
      return (await import('./tfjs/readLayersModel')).readLayersModel(file, onProgress);
    case 'tfjs-graph':
      return (await import('./tfjs/readGraphModel')).readGraphModel(file, onProgress);
    case 'tflite':
      return (await import('./tflite/readTflite')).readTflite(file);
    case 'onnx':
      return (await import('./onnx/readOnnx')).readOnnx(file);
    case undefined:
      return refuse(where, FORMATS, ...describeOther(bytes));
  }
}

const FORMATS = 'weights as Keras (.h5, .keras), safetensors, tfjs (model.json), TFLite or ONNX';

const TORCH = 'Save it in Python: safetensors.torch.save_file(model.state_dict(), path).';

/** PyTorch's archives are zip files, whose first file is the pickled one. */
function isTorchArchive(bytes: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(bytes.subarray(30, 300)).includes('/data.pkl');
}

/** What else it may be, and what to do then. */
function describeOther(bytes: Uint8Array): [received: string, remedy: string] {
  const [first, second] = bytes;
  if (first === 0x1f && second === 0x8b) return ['a gzip file', 'Unpack it first.'];
  if (first === 0x80 && second === 0x02) return ["PyTorch's or Python's pickle", TORCH];
  if (first === 0x3c) return ['a page of HTML or XML', 'Check the address: this is no download.'];
  return [`${bytes.length} bytes of something else`, 'Check that it is the right file, and whole.'];
}
