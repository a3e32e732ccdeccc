import type { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { zip } from 'fflate';
import { exportKeras, exportOnnx, saveModel } from 'mobilenet-v1-ts';
import type { ExportFormat } from '../protocol';
import { modelInUse } from './modelInUse';

/** The model in use as one file. */
export async function exportModel(format: ExportFormat): Promise<File> {
  const { model, summary } = modelInUse();
  const name = fileName(summary.title);
  switch (format) {
    case 'tfjs':
      return new File([(await zipModel(model)) as BlobPart], `${name}.zip`);
    case 'onnx':
      return new File([(await exportOnnx(model, { embedPreprocessing: true })) as BlobPart], `${name}.onnx`);
    case 'keras':
      return new File([(await exportKeras(model, { format: 'keras' })) as BlobPart], `${name}.keras`);
  }
}

/** `model.json` and its weights, as tfjs lays them out. */
async function zipModel(model: LayersModel): Promise<Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  await saveModel(model, {
    async save({ weightSpecs, weightData, ...header }) {
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      files['model.json'] = new TextEncoder().encode(JSON.stringify({ ...header, weightsManifest }));
      files['weights.bin'] = new Uint8Array(await new Blob([weightData!].flat()).arrayBuffer());
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } } satisfies io.SaveResult;
    },
  });
  return new Promise((resolve, reject) => {
    // Weights are noise to a compressor.
    zip(files, { level: 0 }, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}

function fileName(title: string): string {
  const plain = title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');
  return plain.slice(0, 40) || 'model';
}
