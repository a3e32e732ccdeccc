import { expect, test } from 'vitest';
import { type BatchesOptions, batches } from '../../src/data/batches';
import { type ImageDataset, inMemoryDataset } from '../../src/data/imageDataset';

/** Pictures of two bytes: their own index, low and high. */
function indexed(size: number): ImageDataset {
  const images = new Uint8Array(new Uint16Array(size).map((_, i) => i).buffer);
  return inMemoryDataset({ images, labels: new Int32Array(size), height: 1, width: 2, channels: 1, classNames: ['a'] });
}

async function orderOf(size: number, options: BatchesOptions): Promise<number[]> {
  const order: number[] = [];
  for await (const { images } of batches(indexed(size), options)) {
    order.push(...new Uint16Array(images.slice().buffer));
  }
  return order;
}

const sorted = (order: readonly number[]) => [...order].sort((a, b) => a - b);
const inOrder = (size: number) => Array.from({ length: size }, (_, i) => i);

test('goes through the dataset in order; the last batch is smaller, or left out', async () => {
  for (const [dropRemainder, sizes] of [[false, [4, 4, 2]] as const, [true, [4, 4]] as const]) {
    const seen = [];
    for await (const batch of batches(indexed(10), { batchSize: 4, dropRemainder })) {
      expect(batch).toMatchObject({ height: 1, width: 2, channels: 1, classes: 1 });
      seen.push(batch.labels.length);
    }
    expect(seen).toEqual(sizes);
  }
  expect(await orderOf(10, { batchSize: 4 })).toEqual(inOrder(10));
  expect(await orderOf(3, { batchSize: 4, dropRemainder: true })).toEqual([]);
});

test.each([true, 1, 2, 50, 999, 1000, 5000])('shuffle %s: every picture once', async (shuffle) => {
  expect(sorted(await orderOf(1000, { shuffle, seed: 1 }))).toEqual(inOrder(1000));
});

test('the same seed and epoch give the same order, others give others', async () => {
  for (const shuffle of [true, 100]) {
    const order = await orderOf(500, { shuffle, seed: 3, epoch: 2 });
    expect(await orderOf(500, { shuffle, seed: 3, epoch: 2, batchSize: 7 })).toEqual(order);
    expect(await orderOf(500, { shuffle, seed: 3, epoch: 3 })).not.toEqual(order);
    expect(await orderOf(500, { shuffle, seed: 4, epoch: 2 })).not.toEqual(order);
  }
});

test('the order of a seed is the same on every platform and in every version (golden)', async () => {
  expect(await orderOf(12, { shuffle: true, seed: 42, epoch: 1 })).toMatchInlineSnapshot(`
    [
      6,
      3,
      1,
      11,
      0,
      8,
      5,
      4,
      9,
      10,
      7,
      2,
    ]
  `);
  expect(await orderOf(12, { shuffle: 4, seed: 42, epoch: 1 })).toMatchInlineSnapshot(`
    [
      2,
      4,
      1,
      0,
      7,
      6,
      8,
      9,
      5,
      11,
      3,
      10,
    ]
  `);
});

test('a window of 1 shuffles nothing; in one of W, nothing comes more than W - 1 places early', async () => {
  expect(await orderOf(100, { shuffle: 1, seed: 5 })).toEqual(inOrder(100));
  const order = await orderOf(1000, { shuffle: 50, seed: 5 });
  expect(Math.max(...order.map((index, place) => index - place))).toBe(49);
  expect(Math.max(...order.map((index, place) => place - index))).toBeGreaterThan(100);
});

test('a window is drawn from uniformly: the first of 10,000 seeds is near 2,000 for each of 5', async () => {
  const counts = [0, 0, 0, 0, 0];
  for (let seed = 0; seed < 10_000; seed++) counts[(await firstOf(seed))!]!++;
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200); // 5 standard deviations of 40.
});

async function firstOf(seed: number) {
  for await (const { images } of batches(indexed(20), { shuffle: 5, seed, batchSize: 1 })) return images[0];
}

test.each([
  [{ batchSize: 0 }, /batchSize/],
  [{ batchSize: 1.5 }, /batchSize/],
  [{ shuffle: 0 }, /shuffle/],
  [{ shuffle: 2.5 }, /shuffle/],
  [{ seed: 0.5 }, /seed/],
  [{ epoch: -1 }, /epoch/],
])('refuses %j at once', (options, message) => {
  expect(() => batches(indexed(4), options)).toThrow(message);
});

test('a dataset may be a promise away; one that reads too little is an error', async () => {
  const lazy: ImageDataset = { ...indexed(4), read: async (indices) => indexed(4).read(indices) };
  const seen = [];
  for await (const { images } of batches(lazy, { batchSize: 3 })) seen.push(images.length);
  expect(seen).toEqual([6, 2]);
  const wrong: ImageDataset = { ...indexed(4), read: () => ({ images: new Uint8Array(3), labels: new Int32Array(1) }) };
  await expect(batches(wrong, { batchSize: 2 }).next()).rejects.toMatchObject({
    code: 'invalid-data',
    message: expect.stringContaining('expected 4 bytes and 2 labels, received 3 bytes and 1 labels'),
  });
});

test('bytes of a canvas, a Buffer of Node and labels in a list are read as plain ones; numbers that are no bytes are refused', async () => {
  const reading = (images: unknown, labels: unknown) =>
    batches({ ...indexed(2), read: () => ({ images, labels }) as never }, { batchSize: 2 }).next();
  const bytes = [0, 0, 1, 0];
  for (const images of [
    Uint8ClampedArray.from(bytes),
    Buffer.from(bytes),
    Uint8Array.from([9, ...bytes]).subarray(1),
  ]) {
    const { value } = await reading(images, [0, 0]);
    expect(value.images.constructor).toBe(Uint8Array);
    expect(value).toMatchObject({ images: Uint8Array.from(bytes), labels: new Int32Array(2) });
  }
  for (const [images, kind] of [
    [bytes, 'Array'],
    [Int8Array.from(bytes), 'Int8Array'],
    [Float64Array.from(bytes), 'Float64Array'],
    [undefined, 'Undefined'],
  ] as const) {
    await expect(reading(images, [0, 0])).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining(`expected images to be a Uint8Array, received ${kind}`),
    });
  }
});

test.each([
  ['one that is missing', [0, undefined]],
  ['one in a string', [0, '1']],
  ['half a one', [0, 0.5]],
])('labels in a list with %s are refused, and not taken for the first class', async (_, labels) => {
  const dataset = { size: 2, height: 1, width: 1, channels: 1, classNames: ['a', 'b'] };
  const read = () => ({ images: new Uint8Array(2), labels: labels as never });
  await expect(batches({ ...dataset, read }).next()).rejects.toThrow(/labels from 0 to 1, received .* at picture 1/);
});
