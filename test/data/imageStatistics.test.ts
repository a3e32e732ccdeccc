import { expect, test } from 'vitest';
import { inMemoryDataset } from '../../src/data/imageDataset';
import { imageStatistics } from '../../src/data/imageStatistics';
import { createRandom } from '../../src/random';

const SEED = 5;

function datasetOf(images: Uint8Array, channels: number, side = 1) {
  const labels = new Array(images.length / channels / side ** 2).fill(0);
  return inMemoryDataset({ images, labels, height: side, width: side, channels, classNames: ['any'] });
}

test(`the mean and std of each channel within 1e-14 of their definition (seed ${SEED})`, async () => {
  const random = createRandom(SEED);
  const channels = 3;
  // More than one chunk of 4 MB.
  const images = Uint8Array.from({ length: 25 * 240 ** 2 * channels }, (_, i) => random.integer(256 - 60 * (i % 3)));
  const { mean, std } = await imageStatistics(datasetOf(images, channels, 240));
  for (let c = 0; c < channels; c++) {
    const values = images.filter((_, i) => i % channels === c);
    const expected = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - expected) ** 2, 0);
    expect(Math.abs(mean[c]! - expected / 255)).toBeLessThan(1e-14);
    // The plain sum itself has a rounding error.
    expect(Math.abs(std[c]! - Math.sqrt(squares / values.length) / 255)).toBeLessThan(1e-11);
  }
  expect(mean).toHaveLength(channels);
});

test('numbers by hand: 0 and 255 have the mean and the std 1/2, one value has the std 0', async () => {
  const images = Uint8Array.of(0, 51, 255, 51);
  expect(await imageStatistics(datasetOf(images, 2))).toEqual({ mean: [0.5, 0.2], std: [0.5, 0] });
});

test('an empty dataset is refused, an abort rejects with its reason', async () => {
  await expect(imageStatistics(datasetOf(new Uint8Array(0), 3))).rejects.toThrow(/at least one picture/);
  const stop = new AbortController();
  const dataset = datasetOf(new Uint8Array(6), 3);
  const read = (indices: ArrayLike<number>) => {
    stop.abort('enough');
    return dataset.read(indices);
  };
  await expect(imageStatistics({ ...dataset, read }, { signal: stop.signal })).rejects.toBe('enough');
});
