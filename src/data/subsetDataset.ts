import { check } from '../errors';
import {
  checkDataset,
  checkIndices,
  type ImageDataset,
  type InMemoryImageDataset,
  makesImages,
  makingImages,
} from './imageDataset';

/**
 * The pictures of a dataset at these indices, in this order; one may come several times. Nothing is copied, except that
 * `images` of a dataset in memory are made when they are first asked for, where the indices do not follow one another.
 *
 * @throws {MobilenetError} `invalid-argument` where there is no index, or no picture at one.
 * @example
 * ```ts
 * const { train } = syntheticCifar10();
 * const ofTwoClasses = [...train.labels.keys()].filter((index) => train.labels[index]! < 2);
 * const few = subsetDataset(train, ofTwoClasses);
 * ```
 */
export function subsetDataset(dataset: InMemoryImageDataset, indices: ArrayLike<number>): InMemoryImageDataset;
export function subsetDataset<Pixels extends Uint8Array | Float32Array>(
  dataset: ImageDataset<Pixels>,
  indices: ArrayLike<number>,
): ImageDataset<Pixels>;
export function subsetDataset(dataset: ImageDataset | InMemoryImageDataset, indices: ArrayLike<number>): ImageDataset {
  const where = 'subsetDataset';
  checkDataset(where, dataset);
  check(indices.length > 0, { where, expected: 'at least one index', received: 'none' });
  checkIndices(indices, dataset.size, where);
  const { height, width, channels, classNames, labels, resizing } = dataset;
  const chosen = Uint32Array.from(indices);
  const read = (places: ArrayLike<number>) => {
    checkIndices(places, chosen.length);
    return dataset.read(Uint32Array.from(places, (place) => chosen[place]!));
  };
  const subset = {
    ...{ size: chosen.length, height, width, channels, classNames, read },
    ...(labels && { labels: Int32Array.from(chosen, (index) => labels[index]!) }),
    ...(resizing && { resizing }),
  };
  if (!('images' in dataset)) return subset;
  const first = chosen[0]!;
  if (makesImages(dataset) || !chosen.every((index, i) => index === first + i)) {
    return makingImages(subset, () => dataset.read(chosen).images);
  }
  const length = height * width * channels;
  return makingImages(subset, () => dataset.images.subarray(first * length, (first + chosen.length) * length));
}
