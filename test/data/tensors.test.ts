import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { inMemoryDataset } from '../../src/data/imageDataset';
import { mapToRange, toTensors, toTfDataset } from '../../src/data/tensors';
import { meanStdRange } from '../../src/inputRange';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const allBytes = {
  images: Uint8Array.from({ length: 256 }, (_, i) => i),
  labels: Int32Array.of(2, 0),
  height: 8,
  width: 16,
  channels: 1,
  classes: 3,
};

test('toTensors gives pictures / 255, exactly as float32 division has it, and one-hot labels', () => {
  const { images, labels } = toTensors(allBytes);
  expect(images).toMatchObject({ shape: [2, 8, 16, 1], dtype: 'float32' });
  expect([...images.dataSync()]).toEqual(Array.from({ length: 256 }, (_, i) => Math.fround(i / 255)));
  expect(labels).toMatchObject({ dtype: 'float32' });
  expect(labels.arraySync()).toEqual([
    [0, 0, 1],
    [1, 0, 0],
  ]);
  tf.dispose([images, labels]);
});

test('toTensors maps to [-1, 1] as MobileNet has it: pixels / 127.5 - 1 within 6e-8', () => {
  const { images, labels } = toTensors(allBytes, { inputRange: [-1, 1] });
  const values = images.dataSync();
  for (let i = 0; i < 256; i++) expect(Math.abs(values[i]! - (i / 127.5 - 1))).toBeLessThan(6e-8);
  tf.dispose([images, labels]);
});

test('toTensors refuses labels that are no class, and ranges that are none, and leaks nothing', () => {
  const before = tf.memory().numTensors;
  expect(() => toTensors({ ...allBytes, labels: Int32Array.of(0, 3) })).toThrow(/labels from 0 to 2, received 3/);
  const images = Float32Array.from(allBytes.images) as unknown as Uint8Array;
  expect(() => toTensors({ ...allBytes, images })).toThrow('pictures of bytes, received a Float32Array');
  expect(() => toTensors(allBytes, { inputRange: [1, 1] })).toThrow(/low below high.*, received \[1,1\]/);
  expect(() => toTensors(allBytes, { inputRange: [0, Number.NaN] })).toThrow(/low below high/);
  expect(() =>
    toTensors(allBytes, {
      inputRange: [
        [0, 1],
        [0, 1],
      ],
    }),
  ).toThrow(/each of 1 channels, received 2/);
  expect(tf.memory().numTensors).toBe(before);
});

test('toTensors maps each channel to its range: (pixels / 255 - mean) / std within 3e-7', () => {
  const [mean, std] = [
    [0.485, 0.456, 0.406, 0.5],
    [0.229, 0.224, 0.225, 1],
  ];
  const batch = { ...allBytes, height: 4, width: 8, channels: 4 };
  const { images, labels } = toTensors(batch, { inputRange: meanStdRange({ mean, std }) });
  images.dataSync().forEach((value, i) => {
    expect(Math.abs(value - (i / 255 - mean[i % 4]!) / std[i % 4]!)).toBeLessThan(3e-7);
  });
  tf.dispose([images, labels]);
});

test('mapToRange: one range, or the same for each channel, is low + b / 255 * (high - low) rounded once', () => {
  const bytes = Uint8Array.from({ length: 255 }, (_, i) => i);
  for (const [low, high] of [
    [-1, 1],
    [0, 1],
    [-2.1179, 2.2489],
  ] as const) {
    const expected = Float32Array.from(bytes, (b) => low + (b / 255) * (high - low));
    expect(mapToRange(bytes, [low, high], 3)).toEqual(expected);
    expect(
      mapToRange(
        bytes,
        [
          [low, high],
          [low, high],
          [low, high],
        ],
        3,
      ),
    ).toEqual(expected);
    expect(mapToRange(Float32Array.from(bytes), [low, high], 1)).toEqual(expected);
  }
});

/** Pictures of one pixel; the class is whether it is bright. */
const bright = inMemoryDataset({
  images: Uint8Array.from({ length: 50 }, (_, i) => i * 5),
  labels: Array.from({ length: 50 }, (_, i) => Number(i >= 25)),
  height: 1,
  width: 1,
  channels: 1,
  classNames: ['dark', 'bright'],
});

test('toTfDataset trains and evaluates with plain fitDataset, and leaks nothing', async () => {
  const before = tf.memory().numTensors;
  const model = tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [1, 1, 1] }),
      tfl.layers.dense({ units: 2, activation: 'softmax', kernelInitializer: 'zeros' }),
    ],
  });
  const optimizer = tf.train.sgd(5);
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const validationData = toTfDataset(bright, { batchSize: 20 });
  const { history } = await model.fitDataset(toTfDataset(bright, { batchSize: 20, shuffle: true, seed: 1 }), {
    epochs: 30,
    verbose: 0,
    validationData,
  });
  const losses = history.loss as number[];
  expect(losses).toHaveLength(30);
  expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
  expect(history.val_acc!.at(-1)).toBeGreaterThan(0.9);

  const [loss, accuracy] = (await model.evaluateDataset(validationData, {})) as tf.Scalar[];
  expect((await accuracy!.data())[0]).toBeCloseTo(history.val_acc!.at(-1) as number, 5);
  tf.dispose([loss!, accuracy!]);
  model.dispose();
  optimizer.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('toTfDataset: every iterator that is used is the next epoch', async () => {
  const first = async (dataset: ReturnType<typeof toTfDataset>) => {
    const { value } = await (await dataset.iterator()).next();
    const pixels = [...value!.xs.dataSync()];
    tf.dispose([value!.xs, value!.ys]);
    return pixels;
  };
  const make = () => toTfDataset(bright, { batchSize: 25, shuffle: true, seed: 7 });
  const dataset = make();
  expect(dataset.size).toBe(2);
  const epochs = [await first(dataset), await first(dataset)];
  expect(epochs[0]).not.toEqual(epochs[1]);
  const again = make();
  await again.iterator(); // Never used, so that it is no epoch.
  expect([await first(again), await first(again)]).toEqual(epochs);
});

test.each([
  [1, 2],
  [5, 0],
])('toTfDataset from batch %i on counts the batches that are left: %i', async (firstBatch, left) => {
  const dataset = toTfDataset(bright, { batchSize: 20, firstBatch });
  expect(dataset.size).toBe(left);
  const iterator = await dataset.iterator();
  for (let i = 0; i < left; i++) tf.dispose({ ...(await iterator.next()).value });
  expect((await iterator.next()).done).toBe(true);
});

test('toTfDataset maps each channel to its range', async () => {
  const dataset = inMemoryDataset({
    ...allBytes,
    images: allBytes.images.subarray(0, 4),
    height: 1,
    width: 1,
    channels: 2,
    classNames: ['a', 'b', 'c'],
  });
  const iterator = await toTfDataset(dataset, {
    inputRange: [
      [0, 255],
      [-255, 0],
    ],
  }).iterator();
  const { value } = await iterator.next();
  expect([...value!.xs.dataSync()]).toEqual([0, -254, 2, -252]);
  tf.dispose([value!.xs, value!.ys]);
});

test('toTfDataset refuses options at once', () => {
  expect(() => toTfDataset(bright, { batchSize: 0 })).toThrow(/toTfDataset: expected batchSize/);
  expect(() => toTfDataset(bright, { inputRange: [2, 1] })).toThrow(/toTfDataset: expected inputRange/);
  expect(() =>
    toTfDataset(bright, {
      inputRange: [
        [0, 1],
        [0, 1],
      ],
    }),
  ).toThrow(/toTfDataset: .*each of 1 channels/);
});
