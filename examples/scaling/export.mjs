// Builds and tries a model here, and writes what the rest of docs/scaling.md goes on from: the model as .keras, safetensors and
// ONNX, the pictures as .npz, and what the model says of them.
//
//   node examples/scaling/export.mjs scaling
//
// Outside of this repository:
//   npm install mobilenet-v1-ts @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu fflate
import '@tensorflow/tfjs-backend-cpu';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setBackend } from '@tensorflow/tfjs-core';
import { zipSync } from 'fflate';
import {
  exportKeras,
  exportOnnx,
  exportSafetensors,
  mobilenetV1,
  saveModel,
  syntheticCifar10,
  trainClassifier,
} from 'mobilenet-v1-ts';

const [folder = 'scaling'] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
await setBackend('cpu');

const { train } = syntheticCifar10({ train: 512, test: 128, seed: 1 });
// timm's mobilenetv1_100 is alpha 1 with a stem of stride 2.
const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], batchNormMomentum: 0.9, seed: 1 });
const { history } = await trainClassifier(model, train, { epochs: 2, batchSize: 64, inputRange: [0, 1], seed: 1 });
console.table(history, ['epoch', 'loss', 'accuracy']);

await saveModel(model, join(folder, 'model'));
await writeFile(join(folder, 'model.keras'), await exportKeras(model));
await writeFile(join(folder, 'model.safetensors'), await exportSafetensors(model));
await writeFile(join(folder, 'model.onnx'), await exportOnnx(model));
const { images, labels } = await train.read(Uint32Array.from({ length: train.size }, (_, i) => i));
const npz = zipSync({
  'images.npy': npy('|u1', [train.size, 32, 32, 3], images),
  'labels.npy': npy('|u1', [train.size], Uint8Array.from(labels)),
});
await writeFile(join(folder, 'data.npz'), npz);

/**
 * A NumPy array file, version 1.0: magic, the length of the header, the header as a Python dictionary, the values.
 *
 * @param {string} type
 * @param {number[]} shape
 * @param {Uint8Array} values
 */
function npy(type, shape, values) {
  const dictionary = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  // The values begin at a multiple of 64.
  const header = `${dictionary.padEnd(64 * Math.ceil((dictionary.length + 11) / 64) - 11)}\n`;
  const file = new Uint8Array(10 + header.length + values.length);
  file.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length & 255, header.length >> 8]);
  file.set(new TextEncoder().encode(header), 10);
  file.set(values, 10 + header.length);
  return file;
}
