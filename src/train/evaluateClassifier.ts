import type { LayersModel } from '@tensorflow/tfjs-layers';
import { backendReady } from '../backend';
import { batches } from '../data/batches';
import { checkBytes, checkLabels, type ImageBatch, type ImageDataset } from '../data/imageDataset';
import { checkEngine, type EngineChoice } from '../engine/engineChoice';
import { softmax } from '../engine/softmax';
import { check, checkInteger, checkOptions } from '../errors';
import { type OutputKind, outputKindOf } from '../graph/outputKind';
import { checkInputRange, type InputRange } from '../inputRange';
import { checkModel } from '../model/checkModel';
import { getModelMetadata } from '../model/metadata';
import { yieldToEventLoop } from '../platform/eventLoop';
import { checkModelFitsDataset } from './checkModelFitsDataset';
import { scoreBatch } from './classificationLoss';
import { createPredictor } from './createPredictor';
import { type Mistake, mostConfident } from './mistakes';
import { predictViews, type TestTimeAugmentation, testTimeAugmentations } from './pictureViews';

/** Options for {@link evaluateClassifier}. */
export interface EvaluateClassifierOptions {
  /** Pictures at a time; changes speed and memory, not the result. @default 128 */
  batchSize?: number | undefined;
  /** What bytes 0 to 255 are mapped to. @default the model's own, from its metadata, else [0, 1] */
  inputRange?: InputRange | undefined;
  /**
   * What runs the model. `'fused'`: the library's own WebAssembly kernels on several threads. `'tfjs'`: the active
   * backend. `'auto'`: fused where the backend is `cpu` or `wasm` and the model a chain that the engine can express, else
   * tfjs.
   * @default 'auto'
   */
  engine?: EngineChoice | undefined;
  /** Threads of the engine. @default what the machine has, at most 8 */
  threads?: number | undefined;
  /**
   * Classifies by the mean of the class probabilities of several views of a picture. `'flip'`: of the picture and its mirror
   * image, which takes twice as long. `'flipAndShift'`: of six views, the picture, the picture shifted by a pixel up and left
   * and by one down and right, which count half as much, and the mirror images of all three. cifar10-airbench and others
   * report accuracies of this kind, of the mean of the outputs; say so beside a figure.
   * @default none
   */
  testTimeAugmentation?: TestTimeAugmentation | undefined;
  /** Called after each batch with the number of pictures done. */
  onBatch?: ((done: { images: number; size: number }) => void | Promise<void>) | undefined;
  /** Ends it; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
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
  /** Those whose wrong class had the highest probability, the most confident first; at most 25. */
  mistakes: Mistake[];
}

const WHERE = 'evaluateClassifier';

const EVALUATE_OPTIONS = {
  batchSize: 'any',
  inputRange: 'any',
  engine: 'any',
  threads: 'any',
  testTimeAugmentation: 'any',
  onBatch: 'function',
  signal: 'signal',
} as const;

/**
 * Measures a classifier on a dataset: loss, accuracy, accuracy per class, confusion matrix, the most confident mistakes.
 *
 * Runs in inference mode; leaves no tensors and no threads behind.
 *
 * @throws {MobilenetError} `invalid-argument` where an option is out of range, or the model does not fit the dataset's
 * pictures or classes; `engine-failed` where `'fused'` is asked for and the engine cannot express the model or start
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
  checkModel(WHERE, model);
  checkOptions(WHERE, options, EVALUATE_OPTIONS);
  const { batchSize = 128, inputRange = getModelMetadata(model).inputRange ?? [0, 1], signal } = options;
  const { engine = 'auto', threads, testTimeAugmentation, onBatch } = options;
  checkInteger(WHERE, 'batchSize', batchSize, 1);
  checkEngine(WHERE, engine, threads);
  check(testTimeAugmentation === undefined || testTimeAugmentations.includes(testTimeAugmentation), {
    where: WHERE,
    expected: "testTimeAugmentation to be 'flip' or 'flipAndShift', or none",
    received: testTimeAugmentation,
  });
  checkModelFitsDataset(WHERE, model, dataset);
  checkInputRange(WHERE, inputRange, dataset.channels);
  const outputKind = outputKindOf(WHERE, model);
  signal?.throwIfAborted();
  await backendReady(WHERE);
  const predictor = await createPredictor(model, { where: WHERE, engine, threads, inputRange, size: dataset });
  try {
    const settings = { where: WHERE, batchSize, outputKind, testTimeAugmentation, onBatch, signal };
    return await evaluatePredictions(predictor.predict, dataset, settings);
  } finally {
    await predictor.dispose();
  }
}

/** Options for {@link evaluatePredictions}. */
export interface EvaluatePredictionsOptions {
  /** Who asks, for errors. */
  where: string;
  /** Whether what is read is what frozen layers made of the pictures, and not these. @default false */
  onFeatures?: boolean;
  batchSize: number;
  /** Of what is predicted. */
  outputKind: OutputKind;
  /** For pictures of bytes only. */
  testTimeAugmentation?: TestTimeAugmentation | undefined;
  onBatch?: EvaluateClassifierOptions['onBatch'] | undefined;
  signal?: AbortSignal | undefined;
}

/** Measures whatever predicts: n pictures x K classes for a batch, row-major. */
export async function evaluatePredictions<Pixels extends Uint8Array | Float32Array>(
  predict: (batch: ImageBatch<Pixels>) => Promise<Float32Array>,
  dataset: ImageDataset<Pixels>,
  options: EvaluatePredictionsOptions,
): Promise<ClassifierEvaluation> {
  const { where, onFeatures, batchSize, testTimeAugmentation, onBatch, signal } = options;
  const outputKind = testTimeAugmentation ? 'probabilities' : options.outputKind;
  const classes = dataset.classNames.length;
  const confusionMatrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let mistakes: Mistake[] = [];
  let lossSum = 0;
  let images = 0;
  for await (const batch of batches(dataset, { batchSize, shuffle: false })) {
    signal?.throwIfAborted();
    if (!onFeatures) checkBytes(where, batch.images);
    checkLabels(where, batch.labels, classes, batch.indices);
    const outputs = testTimeAugmentation
      ? await predictViews(predict, batch, options.outputKind, testTimeAugmentation)
      : await predict(batch);
    const score = scoreBatch(outputs, batch.labels, classes, outputKind);
    const probabilities = outputKind === 'logits' ? softmax(outputs, classes) : outputs;
    lossSum += score.lossSum;
    score.predictions.forEach((predicted, i) => {
      const label = batch.labels[i]!;
      confusionMatrix[label]![predicted]! += 1;
      if (predicted === label) return;
      mistakes.push({ index: images + i, label, predicted, probability: probabilities[i * classes + predicted]! });
    });
    mistakes = mostConfident(mistakes);
    images += batch.labels.length;
    await onBatch?.({ images, size: dataset.size });
    await yieldToEventLoop();
  }
  return { loss: lossSum / images, ...summarise(confusionMatrix, dataset.classNames), confusionMatrix, mistakes };
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
