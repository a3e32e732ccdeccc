import { expect, test } from 'vitest';
import { type ImageDataset, inMemoryDataset } from '../../src/data/imageDataset';
import { subsetDataset } from '../../src/data/subsetDataset';

const dataset = inMemoryDataset({
  images: Uint8Array.from({ length: 5 * 2 }, (_, i) => i),
  labels: [0, 1, 2, 1, 0],
  height: 1,
  width: 2,
  channels: 1,
  classNames: ['cat', 'dog', 'owl'],
});

/** The same, read through a promise; labels are not known before. */
function lazy(): ImageDataset {
  const { images: _, labels: __, ...rest } = dataset;
  return { ...rest, read: async (indices) => dataset.read(indices) };
}

test('a dataset in memory: any pictures in any order, repeated ones too', () => {
  const subset = subsetDataset(dataset, [3, 0, 3]);
  expect(subset).toMatchObject({ size: 3, height: 1, width: 2, channels: 1, classNames: ['cat', 'dog', 'owl'] });
  expect([...subset.labels]).toEqual([1, 0, 1]);
  expect([...subset.images]).toEqual([6, 7, 0, 1, 6, 7]);
  const { images, labels } = subset.read([1, 2]);
  expect([...images]).toEqual([0, 1, 6, 7]);
  expect([...labels]).toEqual([0, 1]);
});

test('images are a view where indices follow one another, else copied once', () => {
  expect(subsetDataset(dataset, [2, 3]).images.buffer).toBe(dataset.images.buffer);
  expect([...subsetDataset(dataset, [2, 3]).images]).toEqual([4, 5, 6, 7]);
  const scattered = subsetDataset(dataset, [3, 2]);
  expect(scattered.images).toBe(scattered.images);
  expect([...scattered.images]).toEqual([6, 7, 4, 5]);
});

test('reads through to a dataset that is not in memory, which stays out of it', async () => {
  const subset = subsetDataset(lazy(), Uint32Array.of(4, 2, 1));
  expect('images' in subset).toBe(false);
  expect('labels' in subset).toBe(false);
  expect([...(await subset.read([2, 0])).images]).toEqual([2, 3, 8, 9]);
  const labelled = subsetDataset({ ...lazy(), labels: dataset.labels }, [4, 2, 1]);
  expect([...labelled.labels!]).toEqual([0, 2, 1]);
});

test('a subset of a subset', () => {
  const subset = subsetDataset(subsetDataset(dataset, [4, 2, 0]), [2, 1]);
  expect([...subset.labels]).toEqual([0, 2]);
  expect([...subset.images]).toEqual([0, 1, 4, 5]);
  expect([...subset.read([1]).images]).toEqual([4, 5]);
});

test('does not follow the list of indices when that changes', () => {
  const indices = [0, 1];
  const subset = subsetDataset(dataset, indices);
  indices[0] = 4;
  expect([...subset.read([0]).images]).toEqual([0, 1]);
});

test('refuses what it has not', () => {
  expect(() => subsetDataset(dataset, [])).toThrow(/subsetDataset: expected at least one index, received none/);
  for (const index of [5, -1, 0.5]) expect(() => subsetDataset(dataset, [0, index])).toThrow(/indices from 0 to 4/);
  const subset = subsetDataset(dataset, [3, 4]);
  expect(() => subset.read([2])).toThrow(/read: expected indices from 0 to 1, received 2/);
});
