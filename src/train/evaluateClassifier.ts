import type { LayersModel } from '@tensorflow/tfjs-layers';
import { batches } from '../data/batches';
import type { ImageBatch, ImageDataset } from '../data/imageDataset';
import { checkInputRange } from '../data/tensors';
import { checkInteger } from '../errors';
import { type OutputKind, outputKindOf } from '../graph/outputKind';
import { getModelMetadata } from '../model/metadata';
import { yieldToEventLoop } from '../platform/eventLoop';
import { checkModelFitsDataset } from './checkModelFitsDataset';
import { scoreBatch } from './classificationLoss';
import { predictBatch } from './predictBatch';

/** Options for {@link evaluateClassifier}. */
export interface EvaluateClassifierOptions {
  /** Pictures at a time; changes speed and memory, not the result. @default 128 */
  batchSize?: number;
  /** What bytes 0 to 255 are mapped to. @default the model's own, from its metadata, else [0, 1] */
  inputRange?: readonly [low: number, high: number];
  /** Called after each batch with the number of pictures done. */
  onBatch?: (done: { images: number; size: number }) => void | Promise<void>;
  signal?: AbortSignal;
}

/** How a model does on one class. */
export interface ClassAccuracy {
  className: string;
  /** Fraction of this class's pictures that were classified right; NaN where there are none. */
  accuracy: number;
  /** Pictures of this class. */
  size: number;
}

/** What {@link evaluateClassifier} resolves to. */
export interface ClassifierEvaluation {
  /** Mean categorical cross-entropy. */
  loss: number;
  /** Fraction of the pictures that were classified right (top 1). */
  accuracy: number;
  perClass: ClassAccuracy[];
  /** `[true class][predicted class]`, in pictures. */
  confusionMatrix: number[][];
}

/**
 * Measures a classifier on a dataset: loss, accuracy, accuracy per class, confusion matrix.
 *
 * Runs in inference mode on the active tfjs backend and leaves no tensors behind.
 *
 * @throws {MobilenetError} `invalid-argument` where the model does not fit the dataset's pictures or classes
 * @example
 * ```ts
 * const { accuracy, confusionMatrix } = await evaluateClassifier(model, test);
 * console.log(`${(100 * accuracy).toFixed(1)} % right`);
 * ```
 */
export async function evaluateClassifier(
  model: LayersModel,
  dataset: ImageDataset,
  options: EvaluateClassifierOptions = {},
): Promise<ClassifierEvaluation> {
  const { batchSize = 128, inputRange = getModelMetadata(model).inputRange ?? [0, 1], onBatch, signal } = options;
  checkInteger('evaluateClassifier', 'batchSize', batchSize, 1);
  checkInputRange('evaluateClassifier', inputRange);
  checkModelFitsDataset('evaluateClassifier', model, dataset);
  const outputKind = outputKindOf('evaluateClassifier', model);
  const predict = (batch: ImageBatch) => predictBatch(model, batch, inputRange);
  return evaluatePredictions(predict, dataset, { batchSize, outputKind, onBatch, signal });
}

/** Measures whatever predicts: n pictures x K classes for a batch, row-major. */
export async function evaluatePredictions(
  predict: (batch: ImageBatch) => Promise<Float32Array>,
  dataset: ImageDataset,
  options: Pick<EvaluateClassifierOptions, 'onBatch' | 'signal'> & { batchSize: number; outputKind: OutputKind },
): Promise<ClassifierEvaluation> {
  const { batchSize, outputKind, onBatch, signal } = options;
  const classes = dataset.classNames.length;
  const confusionMatrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let lossSum = 0;
  let images = 0;
  for await (const batch of batches(dataset, { batchSize, shuffle: false })) {
    signal?.throwIfAborted();
    const score = scoreBatch(await predict(batch), batch.labels, classes, outputKind);
    lossSum += score.lossSum;
    score.predictions.forEach((predicted, i) => {
      confusionMatrix[batch.labels[i]!]![predicted]! += 1;
    });
    images += batch.labels.length;
    await onBatch?.({ images, size: dataset.size });
    await yieldToEventLoop();
  }
  return { loss: lossSum / images, ...summarise(confusionMatrix, dataset.classNames), confusionMatrix };
}

function summarise(confusionMatrix: number[][], classNames: readonly string[]) {
  const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
  const right = confusionMatrix.map((row, k) => row[k]!);
  const sizes = confusionMatrix.map(total);
  return {
    accuracy: total(right) / total(sizes),
    perClass: sizes.map((size, k) => ({ className: classNames[k]!, accuracy: right[k]! / size, size })),
  };
}
