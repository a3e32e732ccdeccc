import { check, checkInteger, fail, quoted } from '../errors';
import type { Interpolation } from './resizeFilter';

/** n pictures of H x W x C bytes (or of numbers that a model takes as they are) and their classes. */
export interface LabelledImages<Pixels extends Uint8Array | Float32Array = Uint8Array> {
  /** `[n,H,W,C]`, 0 to 255, row-major. */
  images: Pixels;
  /** `[n]`, class indices. */
  labels: Int32Array;
}

/** Pictures that go through a model together, and what their bytes mean. */
export interface ImageBatch<Pixels extends Uint8Array | Float32Array = Uint8Array> extends LabelledImages<Pixels> {
  height: number;
  width: number;
  channels: number;
  /** How many classes there are. */
  classes: number;
  /** `[n]`, where the pictures stand in their dataset. */
  indices?: Uint32Array;
}

/** How pictures of any size came to be H x W; see `preprocessing` of `createClassifier`. */
export interface PictureResizing {
  readonly fit: 'crop' | 'stretch';
  readonly cropFraction: number;
  readonly cropAfterResize: boolean;
  readonly interpolation: Interpolation;
}

/** Pictures that are what `classify` makes of whole ones, unless it is told otherwise. */
export const WHOLE_PICTURES = {
  fit: 'crop',
  cropFraction: 1,
  cropAfterResize: false,
  interpolation: 'bilinear',
} as const satisfies PictureResizing;

/** A set of labelled pictures of one size, of which any can be read; N pictures of H x W x C bytes. */
export interface ImageDataset<Pixels extends Uint8Array | Float32Array = Uint8Array> {
  /** N, how many pictures there are. */
  readonly size: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classNames: readonly string[];
  /** `[N]`, the classes of all pictures, where they are known without reading any. */
  readonly labels?: Int32Array;
  /** How its pictures were resized, where that is known; what is trained on them records it. */
  readonly resizing?: PictureResizing;
  /**
   * The pictures at these indices, in this order. May be a promise, so that a dataset can be larger than memory.
   *
   * In arrays of their own: the next pictures are read while these are still in use.
   */
  read(indices: ArrayLike<number>): LabelledImages<Pixels> | Promise<LabelledImages<Pixels>>;
}

/** A dataset that is held in memory as a whole. */
export interface InMemoryImageDataset extends ImageDataset {
  /** `[N,H,W,C]` */
  readonly images: Uint8Array;
  /** `[N]` */
  readonly labels: Int32Array;
  read(indices: ArrayLike<number>): LabelledImages;
}

/** Options for {@link inMemoryDataset}. */
export interface InMemoryDatasetOptions {
  /** `[N,H,W,C]`, 0 to 255, row-major; used as it is, not copied. */
  images: Uint8Array | Uint8ClampedArray;
  /** `[N]`, class indices. */
  labels: ArrayLike<number>;
  height: number;
  width: number;
  channels: number;
  classNames: readonly string[];
  /** How the pictures were resized, where that is known; what is trained on them records it. */
  resizing?: PictureResizing | undefined;
}

/**
 * A dataset of pictures that are already in memory, such as your own.
 *
 * @throws {MobilenetError} `invalid-argument` where lengths, sizes or labels do not fit together.
 * @example
 * ```ts
 * const dataset = inMemoryDataset({
 *   images: new Uint8Array(2 * 32 * 32 * 3),
 *   labels: [0, 1],
 *   height: 32,
 *   width: 32,
 *   channels: 3,
 *   classNames: ['cat', 'dog'],
 * });
 * ```
 */
export function inMemoryDataset(options: InMemoryDatasetOptions): InMemoryImageDataset {
  const where = 'inMemoryDataset';
  const { height, width, channels, classNames, resizing } = options;
  for (const name of ['height', 'width', 'channels'] as const) checkInteger(where, name, options[name], 1);
  const isNamed = Array.isArray(classNames) && classNames.length > 0;
  check(isNamed, { where, expected: 'at least one class name', received: quoted(classNames) });

  const bytes = options.images;
  check(bytes instanceof Uint8Array || bytes instanceof Uint8ClampedArray, {
    where,
    expected: 'images to be a Uint8Array or Uint8ClampedArray',
    received: Object.prototype.toString.call(bytes),
    remedy: 'Scale the values to 0 to 255 and round them.',
  });
  const size = options.labels?.length;
  check(Number.isInteger(size), { where, expected: 'a list of labels', received: quoted(options.labels) });
  const pictureBytes = height * width * channels;
  check(bytes.length === size * pictureBytes, {
    where,
    expected: `images of ${size} (labels) x ${height} x ${width} x ${channels} = ${size * pictureBytes} bytes`,
    received: bytes.length,
  });
  checkLabels(where, options.labels, classNames.length);

  const images = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const labels = Int32Array.from(options.labels);
  const read = (indices: ArrayLike<number>) => gather(images, labels, pictureBytes, indices);
  const known = resizing && { resizing };
  return { size, height, width, channels, classNames: [...classNames], ...known, images, labels, read };
}

/**
 * The first pictures of a dataset, at most `count`. Nothing is copied, except that `images` of a dataset whose own are yet to
 * be made, as a split's, are made when they are first asked for, of these pictures only.
 *
 * @throws {MobilenetError} `invalid-argument` where `count` is no integer of at least 1.
 * @example
 * ```ts
 * const few = takeDataset(syntheticCifar10().train, 100);
 * ```
 */
export function takeDataset(dataset: InMemoryImageDataset, count: number): InMemoryImageDataset;
export function takeDataset<Pixels extends Uint8Array | Float32Array>(
  dataset: ImageDataset<Pixels>,
  count: number,
): ImageDataset<Pixels>;
export function takeDataset(dataset: ImageDataset | InMemoryImageDataset, count: number): ImageDataset {
  checkDataset('takeDataset', dataset);
  checkInteger('takeDataset', 'count', count, 1);
  const size = Math.min(count, dataset.size);
  const { height, width, channels, classNames, resizing } = dataset;
  if ('images' in dataset && !makesImages(dataset)) {
    const images = dataset.images.subarray(0, size * height * width * channels);
    const labels = dataset.labels.subarray(0, size);
    return inMemoryDataset({ images, labels, height, width, channels, classNames, resizing });
  }
  const labels = dataset.labels && { labels: dataset.labels.subarray(0, size) };
  const read = (indices: ArrayLike<number>) => {
    checkIndices(indices, size);
    return dataset.read(indices);
  };
  const known = resizing && { resizing };
  const taken = { size, height, width, channels, classNames, ...labels, ...known, read };
  if (!('images' in dataset)) return taken;
  return makingImages(taken, () => dataset.read(Array.from({ length: size }, (_, i) => i)).images);
}

/** A dataset in memory whose `images` are made when they are first asked for. */
export function makingImages(dataset: ImageDataset, make: () => Uint8Array): ImageDataset {
  let images: Uint8Array | undefined;
  const inMemory = {
    ...dataset,
    get images() {
      images ??= make();
      return images;
    },
  };
  return inMemory;
}

/** Whether {@link makingImages} made the dataset, so that to ask for a part of `images` would make all of them. */
export function makesImages(dataset: InMemoryImageDataset): boolean {
  return Object.getOwnPropertyDescriptor(dataset, 'images')?.get !== undefined;
}

/** Throws unless it is a dataset, which may be empty; a loader's promise is the usual mistake, and both parts of one. */
export function checkDataset(where: string, dataset: ImageDataset<Uint8Array | Float32Array>): void {
  const isOne = typeof dataset?.read === 'function' && Array.isArray(dataset.classNames);
  check(isOne, { where, expected: 'a dataset', received: quoted(dataset) });
}

/** Throws unless it has pictures, too. */
export function checkPictures(where: string, dataset: ImageDataset<Uint8Array | Float32Array>): void {
  checkDataset(where, dataset);
  check(dataset.size > 0, { where, expected: 'a dataset with at least one picture', received: 'an empty one' });
}

/** Throws `invalid-argument` unless every label is a class index. */
export function checkLabels(
  where: string,
  labels: ArrayLike<number>,
  classes: number,
  indices?: ArrayLike<number>,
): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    check(false, {
      where,
      expected: `labels from 0 to ${classes - 1}`,
      received: `${label} at picture ${indices?.[i] ?? i}`,
    });
  }
}

/** Throws `invalid-data` where numbers were read in place of bytes: what a model has made of pictures, or pictures in floats. */
export function checkBytes(where: string, images: Uint8Array | Float32Array): asserts images is Uint8Array {
  if (!(images instanceof Float32Array)) return;
  fail({
    code: 'invalid-data',
    where,
    expected: 'pictures of bytes',
    received: 'a Float32Array',
    remedy: 'Give bytes.',
  });
}

function gather(images: Uint8Array, labels: Int32Array, pictureBytes: number, indices: ArrayLike<number>) {
  checkIndices(indices, labels.length);
  const batch = { images: new Uint8Array(indices.length * pictureBytes), labels: new Int32Array(indices.length) };
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    batch.images.set(images.subarray(index * pictureBytes, (index + 1) * pictureBytes), i * pictureBytes);
    batch.labels[i] = labels[index]!;
  }
  return batch;
}

/** Throws `invalid-argument` unless every index is of one of `size` pictures. */
export function checkIndices(indices: ArrayLike<number>, size: number, where = 'read'): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (Number.isInteger(index) && index >= 0 && index < size) continue;
    check(false, { where, expected: `indices from 0 to ${size - 1}`, received: index });
  }
}
