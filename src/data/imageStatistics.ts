import { checkOptions } from '../errors';
import { yieldToEventLoop } from '../platform/eventLoop';
import { batches } from './batches';
import { checkBytes, checkPictures, type ImageDataset } from './imageDataset';

/** Options for {@link imageStatistics}. */
export interface ImageStatisticsOptions {
  /** Ends it; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** The mean and the standard deviation of each channel, of pixels scaled to 0 to 1. */
export interface ImageStatistics {
  mean: number[];
  /** Over all pixels of all pictures: the root of the mean squared deviation, as torchvision's published ones. */
  std: number[];
}

/** Bytes that are read at a time, about. */
const CHUNK_BYTES = 2 ** 22;
const LEVELS = 256;

/**
 * The mean and the standard deviation of each channel of a dataset, of pixels / 255, for `meanStdRange`.
 *
 * Exact up to the last roundings in float64: pixels are counted by their value, in integers.
 *
 * @throws {MobilenetError} `invalid-argument` where the dataset is empty
 * @example
 * ```ts
 * const { train } = syntheticCifar10();
 * const inputRange = meanStdRange(await imageStatistics(train));
 * ```
 */
export async function imageStatistics(
  dataset: ImageDataset,
  options: ImageStatisticsOptions = {},
): Promise<ImageStatistics> {
  const where = 'imageStatistics';
  checkPictures(where, dataset);
  checkOptions(where, options, { signal: 'signal' });
  const { signal } = options;
  const { size, height, width, channels } = dataset;
  const counts = Array.from({ length: channels }, () => new Float64Array(LEVELS));
  const batchSize = Math.max(1, Math.floor(CHUNK_BYTES / (height * width * channels)));
  signal?.throwIfAborted();
  for await (const { images } of batches(dataset, { batchSize })) {
    checkBytes(where, images);
    for (const [c, count] of counts.entries()) {
      for (let i = c; i < images.length; i += channels) count[images[i]!]! += 1;
    }
    await yieldToEventLoop();
    signal?.throwIfAborted();
  }
  const pixels = size * height * width;
  const moments = counts.map((count) => {
    const mean = meanOf(count, pixels, (value) => value);
    return { mean: mean / 255, std: Math.sqrt(meanOf(count, pixels, (value) => (value - mean) ** 2)) / 255 };
  });
  return { mean: moments.map(({ mean }) => mean), std: moments.map(({ std }) => std) };
}

function meanOf(count: Float64Array, pixels: number, of: (value: number) => number): number {
  return count.reduce((sum, pixelsOfValue, value) => sum + pixelsOfValue * of(value), 0) / pixels;
}
