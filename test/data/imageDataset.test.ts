import { expect, test, vi } from 'vitest';
import { augmentBatch } from '../../src/data/augment';
import { type ImageDataset, inMemoryDataset, takeDataset } from '../../src/data/imageDataset';
import { imageStatistics } from '../../src/data/imageStatistics';
import { mixBatch } from '../../src/data/mixImages';
import { resizeBatch } from '../../src/data/resizeBatch';
import { subsetDataset } from '../../src/data/subsetDataset';

const options = {
  images: Uint8Array.from({ length: 3 * 2 * 4 * 1 }, (_, i) => i),
  labels: [1, 0, 1],
  height: 2,
  width: 4,
  channels: 1,
  classNames: ['cat', 'dog'],
};

test('inMemoryDataset reads any pictures in any order, repeated ones too', () => {
  const dataset = inMemoryDataset(options);
  expect(dataset).toMatchObject({ size: 3, height: 2, width: 4, channels: 1, classNames: ['cat', 'dog'] });
  const { images, labels } = dataset.read([2, 0, 2]);
  const picture = (i: number) => [...options.images.subarray(i * 8, i * 8 + 8)];
  expect([...images]).toEqual([...picture(2), ...picture(0), ...picture(2)]);
  expect([...labels]).toEqual([1, 1, 1]);
});

test('inMemoryDataset takes the clamped bytes of a canvas, and copies no pictures', () => {
  const images = new Uint8ClampedArray(options.images);
  const dataset = inMemoryDataset({ ...options, images });
  expect(dataset.images).toBeInstanceOf(Uint8Array);
  expect(dataset.images.buffer).toBe(images.buffer);
});

test.each([
  [{ height: 0 }, /height to be an integer of at least 1, received 0/],
  [{ channels: 1.5 }, /channels to be an integer/],
  [{ classNames: [] }, /at least one class name/],
  [{ images: new Float32Array(24) as never }, /Uint8Array.*received \[object Float32Array\].*Scale/],
  [{ images: new Uint8Array(25) }, /3 \(labels\) x 2 x 4 x 1 = 24 bytes, received 25/],
  [{ labels: [0, 1] }, /= 16 bytes, received 24/],
  [{ labels: [0, 1, 2] }, /labels from 0 to 1, received 2 at picture 2/],
  [{ labels: [0, -1, 1] }, /received -1 at picture 1/],
  [{ labels: [0, 0.5, 1] }, /received 0.5 at picture 1/],
])('inMemoryDataset refuses %j', (wrong, message) => {
  const make = () => inMemoryDataset({ ...options, ...wrong });
  expect(make).toThrow(message);
  expect(make).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

test.each([3, -1, 0.5])('read refuses the index %d of three pictures', (index) => {
  expect(() => inMemoryDataset(options).read([0, index])).toThrow(/indices from 0 to 2/);
});

test('takeDataset has the first pictures, without a copy', () => {
  const dataset = inMemoryDataset(options);
  const two = takeDataset(dataset, 2);
  expect(two).toMatchObject({ size: 2, classNames: ['cat', 'dog'] });
  expect([...two.labels]).toEqual([1, 0]);
  expect(two.images.buffer).toBe(dataset.images.buffer);
  expect(two.images.length).toBe(16);
  expect(() => two.read([2])).toThrow(/indices from 0 to 1/);
  expect(takeDataset(dataset, 100).size).toBe(3);
  expect(() => takeDataset(dataset, 0)).toThrow(/count to be an integer of at least 1/);
});

test('takeDataset and subsetDataset of a subset make the pictures that are asked for, and no others', () => {
  const scattered = subsetDataset(inMemoryDataset(options), [2, 0, 1]);
  const all = vi.spyOn(scattered, 'images', 'get');
  for (const few of [takeDataset(scattered, 2), subsetDataset(scattered, [0, 1])]) {
    expect(few).toMatchObject({ size: 2, classNames: ['cat', 'dog'] });
    expect([...few.labels]).toEqual([1, 1]);
    expect([...few.images]).toEqual([...options.images.subarray(16, 24), ...options.images.subarray(0, 8)]);
    expect(few.images.buffer.byteLength).toBe(16);
    expect(few.images).toBe(few.images);
    expect(() => few.read([2])).toThrow(/indices from 0 to 1/);
  }
  expect(all).not.toHaveBeenCalled();
});

test('takeDataset of a dataset that is not in memory reads through', async () => {
  const { images: _, labels: __, ...rest } = inMemoryDataset(options);
  const lazy: ImageDataset = { ...rest, read: async (indices) => rest.read(indices) };
  const two = takeDataset(lazy, 2);
  expect(two.size).toBe(2);
  expect([...(await two.read([1])).labels]).toEqual([0]);
  expect('labels' in two).toBe(false);
  expect([...takeDataset({ ...lazy, labels: Int32Array.of(1, 0, 1) }, 2).labels!]).toEqual([1, 0]);
  expect(() => two.read([2])).toThrow(/indices from 0 to 1/);
});

test('takeDataset and subsetDataset know how the pictures were resized', () => {
  const resizing = { fit: 'stretch', cropFraction: 1, cropAfterResize: false, interpolation: 'bilinear' } as const;
  const dataset = inMemoryDataset({ ...options, resizing });
  const { images: _, labels: __, ...lazy } = dataset;
  for (const few of [
    takeDataset(dataset, 2),
    takeDataset(lazy, 2),
    subsetDataset(dataset, [1]),
    subsetDataset(lazy, [1]),
  ]) {
    expect(few.resizing).toBe(resizing);
  }
});

test('what is no dataset, but a promise of one or both halves, is refused by name', () => {
  const untyped = { takeDataset, subsetDataset } as unknown as Record<string, (...given: unknown[]) => unknown>;
  for (const [name, call] of Object.entries(untyped)) {
    const last = name === 'takeDataset' ? 1 : [0];
    expect(() => call(Promise.resolve(), last)).toThrow(`${name}: expected a dataset, received a promise`);
    expect(() => call({ train: {}, test: {} }, last)).toThrow(
      `${name}: expected a dataset, received an object of train, test`,
    );
  }
});

test.each([
  ['no labels', { labels: undefined }, /a list of labels, received undefined/],
  ['no class names', { classNames: undefined }, /at least one class name/],
])('inMemoryDataset refuses %s', (_, given, message) => {
  const options = { images: new Uint8Array(1), labels: [0], height: 1, width: 1, channels: 1, classNames: ['a'] };
  expect(() => inMemoryDataset({ ...options, ...given } as never)).toThrow(message);
});

test('numbers in place of bytes are refused by all that reckon with bytes', async () => {
  const images = Float32Array.of(0.1, 0.9) as unknown as Uint8Array;
  const batch = { images, labels: Int32Array.of(0), height: 1, width: 2, channels: 1, classes: 1 };
  const { height, width, channels } = batch;
  const dataset = { size: 1, height, width, channels, classNames: ['a'], read: () => batch };
  const message = 'expected pictures of bytes, received a Float32Array';
  expect(() => augmentBatch(batch, { flip: 'random' })).toThrow(message);
  expect(() => resizeBatch(batch, { height: 1, width: 1 })).toThrow(message);
  expect(() => mixBatch(batch, Float32Array.of(1), { mixup: 1 })).toThrow(message);
  await expect(imageStatistics(dataset)).rejects.toThrow(message);
});
