import '@tensorflow/tfjs-backend-cpu';
import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { syntheticCifar10 } from '../../src/data/syntheticCifar10';
import { toTfDataset } from '../../src/data/tensors';

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

test('has the shape of CIFAR-10, ten balanced classes', () => {
  const { train, test: held } = syntheticCifar10();
  expect([train.size, held.size]).toEqual([2000, 500]);
  for (const dataset of [train, held]) {
    expect(dataset).toMatchObject({ height: 32, width: 32, channels: 3, resizing: { fit: 'crop', cropFraction: 1 } });
    expect(new Set(dataset.classNames).size).toBe(10);
    const counts = new Array(10).fill(0);
    for (const label of dataset.labels) counts[label]++;
    expect(counts).toEqual(new Array(10).fill(dataset.size / 10));
  }
});

test('the same seed gives the same pictures on every platform and in every version (golden)', () => {
  const of = (seed: number) => {
    const { train, test: held } = syntheticCifar10({ train: 50, test: 20, seed });
    return [hash(train.images), hash(held.images)];
  };
  expect(of(0)).toMatchInlineSnapshot(`
    [
      "3f813636df43ac4d",
      "7460b2b82c4b92c7",
    ]
  `);
  expect(of(1)).not.toEqual(of(0));
  expect(of(0)).toEqual(of(0));
});

test('train and test share no picture', () => {
  const { train, test: held } = syntheticCifar10({ train: 100, test: 100 });
  const pictures = (images: Uint8Array) =>
    Array.from({ length: 100 }, (_, i) => hash(images.subarray(i * 3072, (i + 1) * 3072)));
  expect(new Set([...pictures(train.images), ...pictures(held.images)]).size).toBe(200);
});

test('is neither trivial nor hopeless: a linear classifier gets between 20 and 60 % of seed 0', async () => {
  await tf.setBackend('cpu');
  const { train, test: held } = syntheticCifar10();
  const model = tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [32, 32, 3] }),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: 'zeros' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(5e-4), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  await model.fitDataset(toTfDataset(train, { batchSize: 100, shuffle: true }), { epochs: 4, verbose: 0 });
  const [, accuracy] = (await model.evaluateDataset(toTfDataset(held), {})) as tf.Scalar[];
  const fraction = (await accuracy!.data())[0]!;
  expect(fraction).toBeGreaterThan(0.2);
  expect(fraction).toBeLessThan(0.6);
});

test.each([{ train: 0 }, { test: -1 }, { seed: 0.5 }])('refuses %j', (options) => {
  expect(() => syntheticCifar10(options)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});
