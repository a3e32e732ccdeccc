import { type Tensor2D, type Tensor4D, tensor2d, tensor4d } from '@tensorflow/tfjs-core';
import { requireBackend } from '../backend';
import { checkOptions } from '../errors';
import { channelRange, checkInputRange, type InputRange } from '../inputRange';
import { BATCHES_OPTIONS, type BatchesOptions, batchCount, batches, checkBatchesOptions } from './batches';
import { checkBytes, checkDataset, checkLabels, type ImageBatch, type ImageDataset } from './imageDataset';

/** Options for {@link toTensors}. */
export interface ToTensorsOptions {
  /** What bytes 0 to 255 are mapped to: one range, or one for each channel. @default [0, 1] */
  inputRange?: InputRange | undefined;
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
export function toTensors(batch: ImageBatch, options: ToTensorsOptions = {}): { images: Tensor4D; labels: Tensor2D } {
  checkOptions('toTensors', options, { inputRange: 'any' });
  requireBackend('toTensors');
  const { inputRange = [0, 1] } = options;
  const { height, width, channels, classes, labels } = batch;
  const n = labels.length;
  checkBytes('toTensors', batch.images);
  checkLabels('toTensors', labels, classes);
  checkInputRange('toTensors', inputRange, channels);
  const oneHot = new Float32Array(n * classes);
  for (let i = 0; i < n; i++) oneHot[i * classes + labels[i]!] = 1;
  return {
    images: tensor4d(mapToRange(batch.images, inputRange, channels), [n, height, width, channels]),
    labels: tensor2d(oneHot, [n, classes]),
  };
}

/**
 * Numbers from 0 to 255 mapped to a range: `low + pixel / 255 * (high - low)`, in float64 and rounded once.
 *
 * @param pixels `[...,channels]`
 */
export function mapToRange(
  pixels: Uint8Array | Float32Array,
  inputRange: InputRange,
  channels: number,
): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(pixels.length);
  for (let c = 0; c < channels; c++) {
    const [low, high] = channelRange(inputRange, c);
    for (let i = c; i < pixels.length; i += channels) numbers[i] = low + (pixels[i]! / 255) * (high - low);
  }
  return numbers;
}

/** Options for {@link toTfDataset}; the epoch is counted by itself. */
export type ToTfDatasetOptions = Omit<BatchesOptions, 'epoch'> & ToTensorsOptions;

const { epoch: _, ...TF_DATASET_OPTIONS } = BATCHES_OPTIONS;

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
  const where = 'toTfDataset';
  const { inputRange, ...order } = options;
  checkDataset(where, dataset);
  checkOptions(where, options, { ...TF_DATASET_OPTIONS, inputRange: 'any' });
  checkBatchesOptions(where, order);
  if (inputRange) checkInputRange(where, inputRange, dataset.channels);
  let epochs = 0;
  return {
    size: Math.max(batchCount(dataset.size, options) - (options.firstBatch ?? 0), 0),
    async iterator() {
      let source: AsyncIterator<ImageBatch> | undefined;
      return {
        async next() {
          // fitDataset makes an iterator that it does not use, so an epoch counts from its first batch.
          source ??= batches(dataset, { ...order, epoch: epochs++ });
          const { done, value } = await source.next();
          if (done) return { done, value: undefined };
          const { images: xs, labels: ys } = toTensors(value, inputRange && { inputRange });
          return { done: false, value: { xs, ys } };
        },
      };
    },
  };
}
