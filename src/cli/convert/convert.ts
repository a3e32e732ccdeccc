import type { LayersModel } from '@tensorflow/tfjs-layers';
import { platform } from '#platform';
import { exportKeras, exportOnnx, exportSafetensors, exportTflite, saveModel } from '../../index';
import { throwIfInterrupted } from '../interrupts';
import { EXIT, type ExitCode, print, printJson, type Session } from '../session';
import { fileSize, grouped } from '../shared/text';
import { startTfjs } from '../shared/tfjs';
import type { ConvertOptions } from './convertOptions';
import type { Format } from './formats';
import { openConvertible } from './openConvertible';

/** Reads a model and writes it in another format. */
export async function convert(options: ConvertOptions, session: Session): Promise<ExitCode> {
  const { source, target, format, quantize, json } = options;
  await startTfjs();
  const model = await openConvertible(options, session);
  try {
    const bytes = await write(model, options, session.signal);
    const parameters = model.countParams();
    if (json) printJson(session, { in: source, out: target, format, quantize, bytes, parameters });
    else print(session, `Wrote ${target}: ${format}, ${grouped(parameters)} parameters in ${fileSize(bytes)}`);
    return EXIT.ok;
  } finally {
    model.dispose();
  }
}

/** How many bytes it wrote: into a new folder or file, or in the place of an old one, and only all of them. */
async function write(
  model: LayersModel,
  { target, format, quantize }: ConvertOptions,
  signal: AbortSignal,
): Promise<number> {
  await throwIfInterrupted(signal);
  if (format !== 'tfjs') {
    const bytes = await EXPORTERS[format](model, quantize);
    await throwIfInterrupted(signal);
    await platform.replaceFile(target, bytes);
    return bytes.length;
  }
  const { modelArtifactsInfo } = await saveModel(model, target, quantize === undefined ? {} : { quantize });
  const { modelTopologyBytes = 0, weightDataBytes = 0 } = modelArtifactsInfo;
  return modelTopologyBytes + weightDataBytes;
}

type Exporter = (model: LayersModel, quantize: ConvertOptions['quantize']) => Promise<Uint8Array>;

const EXPORTERS: Readonly<Record<Exclude<Format, 'tfjs'>, Exporter>> = {
  onnx: (model, quantize) => exportOnnx(model, quantize === undefined ? {} : { precision: quantize }),
  keras: (model) => exportKeras(model, { format: 'keras' }),
  h5: (model) => exportKeras(model, { format: 'h5' }),
  safetensors: (model) => exportSafetensors(model),
  tflite: (model, quantize) => exportTflite(model, quantize === 'float16' ? { quantize } : {}),
};
