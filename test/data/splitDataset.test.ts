import { describe, expect, test } from 'vitest';
import { type ImageDataset, inMemoryDataset } from '../../src/data/imageDataset';
import { roundShares } from '../../src/data/roundShares';
import {
  foldDataset,
  labelsOf,
  type SplitDatasetOptions,
  splitDataset,
  splitIndices,
} from '../../src/data/splitDataset';
import { createRandom } from '../../src/random';

const SEED = 37;

/** Pictures of two bytes: their own index, low and high. */
function datasetOf(labels: ArrayLike<number>, classes: number) {
  const images = new Uint8Array(Uint16Array.from({ length: labels.length }, (_, i) => i).buffer);
  const classNames = Array.from({ length: classes }, (_, k) => `class ${k}`);
  return inMemoryDataset({ images, labels, height: 1, width: 2, channels: 1, classNames });
}

/** So many pictures of each class, mixed. */
function mixedDataset(...counts: number[]) {
  const labels = counts.flatMap((count, k) => new Array<number>(count).fill(k));
  const random = createRandom(SEED);
  const order = labels.map((label) => ({ label, key: random.uniform() })).sort((a, b) => a.key - b.key);
  return datasetOf(
    order.map(({ label }) => label),
    counts.length,
  );
}

/** The same, read through a promise; labels are not known before. */
function lazy(dataset: ImageDataset): ImageDataset {
  const { size, height, width, channels, classNames } = dataset;
  return { size, height, width, channels, classNames, read: async (indices) => dataset.read(indices) };
}

async function indicesOf(dataset: ImageDataset): Promise<number[]> {
  const { images } = await dataset.read(Uint32Array.from({ length: dataset.size }, (_, i) => i));
  return [...new Uint16Array(images.slice().buffer)];
}

async function countsOf(dataset: ImageDataset): Promise<number[]> {
  const counts = dataset.classNames.map(() => 0);
  for (const label of await labelsOf(dataset)) counts[label]!++;
  return counts;
}

const ascending = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const upTo = (size: number) => Array.from({ length: size }, (_, i) => i);

test('labelsOf takes the labels that are known, and reads the others', async () => {
  const dataset = mixedDataset(300, 200, 100);
  expect(await labelsOf(dataset)).toBe(dataset.labels);
  expect(await labelsOf(lazy(dataset))).toEqual(dataset.labels);
});

describe('splitDataset', () => {
  test.each([
    [0.1, [100, 50, 30], [10, 5, 3]],
    [0.5, [3, 3, 3, 3], [2, 2, 1, 1]],
    [0.1, [5, 5, 100], [1, 1, 9]],
    [0.01, [20, 30, 40], [1, 1, 1]],
    [0.99, [20, 30, 40], [19, 29, 39]],
    [0.3, [1, 10, 0, 1], [0, 4, 0, 0]],
    [0.25, [7, 9, 6], [2, 2, 2]],
  ])('a share of %d of classes of %j is %j', async (fraction, counts, expected) => {
    const dataset = mixedDataset(...counts);
    const { train, validation } = await splitDataset(dataset, { fraction, seed: SEED });
    expect(await countsOf(validation)).toEqual(expected);
    expect(await countsOf(train)).toEqual(counts.map((count, k) => count - expected[k]!));
  });

  test.each([true, false])(
    'stratified %s: all pictures, none twice, in their order, with their labels',
    async (stratified) => {
      const dataset = mixedDataset(40, 17, 9);
      for (const source of [dataset, lazy(dataset)]) {
        const { train, validation } = await splitDataset(source, { fraction: 0.3, seed: 1, stratified });
        const [kept, held] = [await indicesOf(train), await indicesOf(validation)];
        expect(held).toHaveLength(20);
        expect(ascending([...kept, ...held])).toEqual(upTo(66));
        expect(kept).toEqual(ascending(kept));
        expect(held).toEqual(ascending(held));
        expect([...(await labelsOf(train))]).toEqual(kept.map((index) => dataset.labels[index]));
      }
    },
  );

  test('the same seed gives the same split, read or known labels alike; another gives another', async () => {
    const dataset = mixedDataset(50, 50);
    for (const stratified of [true, false]) {
      const heldWith = async (seed: number, source: ImageDataset) =>
        indicesOf((await splitDataset(source, { fraction: 0.2, seed, stratified })).validation);
      const held = await heldWith(3, dataset);
      expect(await heldWith(3, lazy(dataset))).toEqual(held);
      expect(await heldWith(4, dataset)).not.toEqual(held);
    }
  });

  test('on every platform and in every version the same (golden)', async () => {
    const dataset = datasetOf(
      upTo(40).map((i) => i % 4),
      4,
    );
    const { validation } = await splitDataset(dataset, { fraction: 0.2, seed: 42 });
    expect((await indicesOf(validation)).join(' ')).toMatchInlineSnapshot(`"5 12 14 22 27 29 32 39"`);
  });

  test(`over 2,000 seeds each of 10 pictures is held back about 400 times (seeds 0 to 1,999)`, async () => {
    const dataset = mixedDataset(5, 5);
    const counts = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 2000; seed++) {
      const { validation } = await splitDataset(dataset, { fraction: 0.2, seed });
      for (const index of await indicesOf(validation)) counts[index]!++;
    }
    for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(90); // 5 standard deviations of 18.
  });

  test('what is in memory stays so', async () => {
    const { train, validation } = await splitDataset(mixedDataset(3, 3), { fraction: 0.5 });
    expect(train.images.length + validation.images.length).toBe(12);
  });

  test.each([
    [{ fraction: 0 }, /fraction to be in \(0, 1\), received 0/],
    [{ fraction: 1 }, /fraction to be in/],
    [{ fraction: Number.NaN }, /fraction to be in/],
    [{ fraction: 0.5, seed: 0.5 }, /seed to be an integer/],
  ])('refuses %j', async (options, message) => {
    await expect(splitDataset(mixedDataset(4, 4), options as SplitDatasetOptions)).rejects.toThrow(message);
  });

  test('refuses classes of one picture each, unless the split need not be stratified', async () => {
    const dataset = mixedDataset(1, 1, 1, 1);
    await expect(splitDataset(dataset, { fraction: 0.5 })).rejects.toThrow(
      /a class of two pictures or more, received 4 pictures of 4 classes. With stratified: false/,
    );
    // Without that option, as `validationSplit` of a training is.
    await expect(splitIndices(dataset, { fraction: 0.5 })).rejects.toThrow('Add pictures, or hold none back.');
    expect((await splitDataset(dataset, { fraction: 0.5, stratified: false })).validation.size).toBe(2);
    await expect(splitDataset(mixedDataset(1), { fraction: 0.5, stratified: false })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  test('refuses a label that is no class', async () => {
    const dataset = { ...lazy(mixedDataset(3, 3)), labels: Int32Array.of(0, 1, 2, 0, 1, 0) };
    await expect(splitDataset(dataset, { fraction: 0.5 })).rejects.toThrow(
      /labels from 0 to 1, received 2 at picture 2/,
    );
  });
});

test(`roundShares: near the share, right in sum where no class forbids it (seed ${SEED})`, () => {
  const random = createRandom(SEED);
  for (let run = 0; run < 300; run++) {
    const sizes = Array.from({ length: 1 + random.integer(12) }, () => random.integer(40));
    const fraction = 0.02 + 0.96 * random.uniform();
    const shares = roundShares(sizes, fraction);
    const exact = sizes.map((size) => fraction * size);
    const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
    const isFree = sizes.every((size, k) => size > 1 && exact[k]! >= 1 && exact[k]! <= size - 1);
    for (const [k, size] of sizes.entries()) {
      if (size < 2) expect(shares[k]).toBe(0);
      else expect(shares[k]! >= 1 && shares[k]! < size).toBe(true);
      if (isFree) expect(Math.abs(shares[k]! - exact[k]!)).toBeLessThan(1);
    }
    const [lowest, highest] = [sizes.map((n) => (n < 2 ? 0 : 1)), sizes.map((n) => (n < 2 ? 0 : n - 1))].map(total);
    expect(total(shares)).toBe(Math.min(Math.max(Math.round(total(exact)), lowest!), highest!));
  }
});

describe('foldDataset', () => {
  test.each([
    [2, [10, 10]],
    [5, [23, 11, 7, 1]],
    [3, [4, 4, 4]],
    [6, [1, 2, 3]],
  ])('%d folds of classes of %j: parts differ by one at most, in each class and in all', async (folds, counts) => {
    const dataset = mixedDataset(...counts);
    const parts = await Promise.all(upTo(folds).map((fold) => foldDataset(dataset, { folds, fold, seed: SEED })));
    const held = await Promise.all(parts.map(({ validation }) => indicesOf(validation)));
    expect(ascending(held.flat())).toEqual(upTo(dataset.size));
    for (const [fold, { train }] of parts.entries())
      expect(ascending([...(await indicesOf(train)), ...held[fold]!])).toEqual(upTo(dataset.size));
    const heldCounts = await Promise.all(parts.map(({ validation }) => countsOf(validation)));
    const spread = (values: number[]) => Math.max(...values) - Math.min(...values);
    expect(spread(held.map((part) => part.length))).toBeLessThanOrEqual(1);
    for (const k of counts.keys()) expect(spread(heldCounts.map((part) => part[k]!))).toBeLessThanOrEqual(1);
  });

  test('the same seed gives the same folds, another gives others', async () => {
    const dataset = mixedDataset(20, 20);
    const heldWith = async (seed: number) =>
      indicesOf((await foldDataset(lazy(dataset), { folds: 4, fold: 1, seed })).validation);
    expect(await heldWith(1)).toEqual(await heldWith(1));
    expect(await heldWith(2)).not.toEqual(await heldWith(1));
  });

  test.each([
    [{ folds: 1, fold: 0 }, /folds to be an integer of at least 2/],
    [{ folds: 9, fold: 0 }, /folds of at most 8 pictures, received 9/],
    [{ folds: 4, fold: 4 }, /fold to be from 0 to 3, received 4/],
    [{ folds: 4, fold: -1 }, /fold to be an integer of at least 0/],
    [{ folds: 4, fold: 0, seed: 0.5 }, /seed to be an integer/],
  ])('refuses %j', async (options, message) => {
    await expect(foldDataset(mixedDataset(4, 4), options)).rejects.toThrow(message);
  });
});
