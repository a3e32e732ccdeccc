import { type Tensor2D, type Tensor4D, tensor2d, tensor4d } from '@tensorflow/tfjs-core';
import { requireBackend } from '../backend';
import { check } from '../errors';
import { type BatchesOptions, batchCount, batches, checkBatchesOptions } from './batches';
import { checkLabels, type ImageBatch, type ImageDataset } from './imageDataset';

/** Options for {@link toTensors}. */
export interface ToTensorsOptions {
  /** The range that bytes 0 to 255 are mapped to. @default [0, 1] */
  inputRange?: readonly [low: number, high: number];
}

/**
 * A batch as tensors: images `[n,H,W,C]` float32, labels `[n,classes]` one-hot float32. Yours to dispose.
 *
 * @throws {MobilenetError} `invalid-argument` where a label is no class, or the range is not one.
 * @example
 * ```ts
 * for await (const batch of batches(syntheticCifar10().test)) {
 *   const { images, labels } = toTensors(batch, { inputRange: [-1, 1] });
 *   tf.dispose([images, labels]);
 * }
 * ```
 */
export function toTensors(
  batch: ImageBatch,
  { inputRange = [0, 1] }: ToTensorsOptions = {},
): { images: Tensor4D; labels: Tensor2D } {
  requireBackend('toTensors');
  const { height, width, channels, classes, labels } = batch;
  const n = labels.length;
  checkLabels('toTensors', labels, classes);
  checkInputRange('toTensors', inputRange);
  const oneHot = new Float32Array(n * classes);
  for (let i = 0; i < n; i++) oneHot[i * classes + labels[i]!] = 1;
  return {
    images: tensor4d(mapToRange(batch.images, inputRange), [n, height, width, channels]),
    labels: tensor2d(oneHot, [n, classes]),
  };
}

/** Throws `invalid-argument` unless the range is two finite numbers, the lower first. */
export function checkInputRange(where: string, inputRange: readonly [number, number]): void {
  const [low, high] = inputRange;
  check(Number.isFinite(low) && Number.isFinite(high) && low < high, {
    where,
    expected: 'inputRange to be [low, high], low below high',
    received: inputRange,
  });
}

/** Numbers from 0 to 255 mapped to a range: `low + pixel / 255 * (high - low)`. */
export function mapToRange(
  pixels: Uint8Array | Float32Array,
  [low, high]: readonly [low: number, high: number],
): Float32Array {
  const numbers = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) numbers[i] = low + (pixels[i]! / 255) * (high - low);
  return numbers;
}

/** Options for {@link toTfDataset}; the epoch is counted by itself. */
export type ToTfDatasetOptions = Omit<BatchesOptions, 'epoch'> & ToTensorsOptions;

/** What tfjs-layers asks of a dataset: T is one batch. */
export interface TfDataset<T> {
  /** How many batches an epoch has. */
  size: number;
  iterator(): Promise<{ next(): Promise<IteratorResult<T, undefined>> }>;
}

/**
 * A dataset for plain `model.fitDataset`, `evaluateDataset` and their `validationData`, without tfjs-data.
 *
 * Every iterator goes once through the dataset, and is the next epoch, in an order of its own where `shuffle` says so;
 * so leave `batchesPerEpoch` out.
 *
 * @throws {MobilenetError} `invalid-argument`
 * @example
 * ```ts
 * const { train, test } = syntheticCifar10();
 * await model.fitDataset(toTfDataset(train, { batchSize: 128, shuffle: true }), {
 *   epochs: 2,
 *   validationData: toTfDataset(test, { batchSize: 128 }),
 * });
 * ```
 */
export function toTfDataset(
  dataset: ImageDataset,
  options: ToTfDatasetOptions = {},
): TfDataset<{ xs: Tensor4D; ys: Tensor2D }> {
  checkBatchesOptions('toTfDataset', options);
  let epochs = 0;
  return {
    size: batchCount(dataset.size, options),
    async iterator() {
      let source: AsyncIterator<ImageBatch> | undefined;
      return {
        async next() {
          // fitDataset makes an iterator that it does not use, so an epoch counts from its first batch.
          source ??= batches(dataset, { ...options, epoch: epochs++ });
          const { done, value } = await source.next();
          if (done) return { done, value: undefined };
          const { images: xs, labels: ys } = toTensors(value, options);
          return { done: false, value: { xs, ys } };
        },
      };
    },
  };
}
