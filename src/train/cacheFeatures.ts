import type { LayersModel } from '@tensorflow/tfjs-layers';
import { batches } from '../data/batches';
import { checkBytes, checkIndices, checkLabels, type ImageBatch, type ImageDataset } from '../data/imageDataset';
import type { EngineChoice } from '../engine/engineChoice';
import type { InputRange } from '../inputRange';
import { yieldToEventLoop } from '../platform/eventLoop';
import { createPredictor } from './createPredictor';

// N = pictures of the dataset, h, w and C = height, width and channels of their features.

/** Options for {@link cacheFeatures}. */
export interface CacheFeaturesOptions {
  /** @default 'auto' */
  engine?: EngineChoice | undefined;
  /** @default what the machine has, at most 8 */
  threads?: number | undefined;
  /** What bytes 0 to 255 are mapped to. @default [0, 1] */
  inputRange?: InputRange | undefined;
  /** @default 128 */
  batchSize?: number | undefined;
  /** Stops between two batches; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const WHERE = 'trainClassifier';

/**
 * Runs every picture of a dataset once through layers that no training changes, and keeps what comes out, `[N,h,w,C]`
 * float32.
 *
 * @param features ends in a map `[n,h,w,C]` of known size, as `splitFrozen` makes it
 */
export async function cacheFeatures(
  features: LayersModel,
  dataset: ImageDataset,
  { engine = 'auto', threads, inputRange = [0, 1], batchSize = 128, signal }: CacheFeaturesOptions = {},
): Promise<ImageDataset<Float32Array>> {
  const [, height, width, channels] = features.outputs[0]!.shape as [null, number, number, number];
  const values = height * width * channels;
  const predictor = await createPredictor(features, { where: WHERE, engine, threads, inputRange, size: dataset });
  try {
    const cached = { images: new Float32Array(dataset.size * values), labels: new Int32Array(dataset.size) };
    let done = 0;
    for await (const batch of batches(dataset, { batchSize })) {
      signal?.throwIfAborted();
      checkBytes(WHERE, batch.images);
      checkLabels(WHERE, batch.labels, batch.classes, batch.indices);
      cached.images.set(await predictor.predict(batch), done * values);
      cached.labels.set(batch.labels, done);
      done += batch.labels.length;
      await yieldToEventLoop();
    }
    const { size, classNames } = dataset;
    const read = (indices: ArrayLike<number>) => gather(cached, values, indices);
    return { size, height, width, channels, classNames, labels: cached.labels, read };
  } finally {
    await predictor.dispose();
  }
}

/** Whether what comes out of a dataset has a known size, and fits into so many megabytes. */
export function featuresFit(features: LayersModel, { size }: ImageDataset, megabytes = 1024): boolean {
  const values = features.outputs[0]!.shape.slice(1).reduce<number>((product, length) => product * (length ?? 0), 1);
  return values > 0 && 4 * size * values <= megabytes * 2 ** 20;
}

function gather(
  { images, labels }: Pick<ImageBatch<Float32Array>, 'images' | 'labels'>,
  values: number,
  indices: ArrayLike<number>,
) {
  checkIndices(indices, labels.length);
  const batch = { images: new Float32Array(indices.length * values), labels: new Int32Array(indices.length) };
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    batch.images.set(images.subarray(index * values, (index + 1) * values), i * values);
    batch.labels[i] = labels[index]!;
  }
  return batch;
}
