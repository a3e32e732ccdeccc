import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { exportKeras } from '../../src/formats/exportKeras';
import { chain } from '../graph/chains';
import { goldenFile, readFile } from './kerasFiles';
import { fuzz } from './mutate';

const FILES = [
  'keras2.h5',
  'keras2_published.h5',
  'keras2.keras',
  'keras2.weights.h5',
  'keras2_transfer.h5',
  'keras3.h5',
  'keras3.keras',
  'keras3.weights.h5',
  'keras3_transfer.h5',
  'keras3_transfer.keras',
];

test.each(FILES)('80 damaged copies of %s: a typed error or a result', async (name) => {
  const refused = await fuzz(goldenFile(name), (bytes) => readFile(name, bytes), { count: 80, seed: 1 });
  expect(refused).toBeGreaterThan(15);
});

test.each(['keras', 'h5'] as const)('1000 damaged copies of a small network of ours as .%s', async (format) => {
  await setBackend('cpu');
  const model = chain(
    [8, 8, 3],
    layers.conv2d({ filters: 2, kernelSize: 3 }),
    layers.batchNormalization(),
    layers.depthwiseConv2d({ kernelSize: 3, useBias: false }),
    layers.globalAveragePooling2d({}),
    layers.dense({ units: 2 }),
  );
  const file = await exportKeras(model, { format });
  const refused = await fuzz(file, (bytes) => readFile(`x.${format}`, bytes), { count: 1000, seed: 2 });
  expect(refused).toBeGreaterThan(200);
});
