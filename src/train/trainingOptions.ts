import type { Optimizer } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkBatchesOptions } from '../data/batches';
import type { ImageDataset } from '../data/imageDataset';
import { checkInputRange } from '../data/tensors';
import type { EngineChoice } from '../engine/engineChoice';
import { check, checkInteger } from '../errors';
import { getModelMetadata } from '../model/metadata';
import { checkModelFitsDataset } from './checkModelFitsDataset';
import type { LearningRate } from './learningRate';
import { DEFAULT_WEIGHT_DECAY, type OptimizerName } from './optimizers';

/** Where the training stands after a step; what a progress bar shows. */
export interface TrainingBatch {
  /** From 1. */
  epoch: number;
  /** Within the epoch, from 1. */
  batch: number;
  /** In an epoch. */
  batches: number;
  /** Over the whole training, from 1. */
  step: number;
  /** Mean cross-entropy of this batch, with the penalties of regularizers. */
  loss: number;
  /** Fraction of this batch that was classified right. */
  accuracy: number;
  learningRate: number;
  /** Mean over this epoch so far. */
  imagesPerSecond: number;
  /** How much of the training is done, in [0, 1]. */
  progress: number;
  /** An estimate of the training time left, validation aside. */
  secondsLeft: number;
}

/** What an epoch came to. */
export interface TrainingEpoch {
  /** From 1. */
  epoch: number;
  /**
   * Mean categorical cross-entropy over the epoch's pictures, each measured just before its step; with the penalties of
   * regularizers, where layers have them.
   */
  loss: number;
  /** Fraction of the epoch's pictures that were classified right, measured likewise. */
  accuracy: number;
  /** On the validation set, after the epoch; undefined without one. */
  valLoss: number | undefined;
  /** On the validation set, after the epoch; undefined without one. */
  valAccuracy: number | undefined;
  /** Of the epoch's last step. */
  learningRate: number;
  /** Training pictures in a second, validation aside. */
  imagesPerSecond: number;
  /** Of training, validation aside. */
  seconds: number;
}

/** Options for {@link trainClassifier}. */
export interface TrainClassifierOptions {
  /** Passes over the dataset. @default 1, or as many as fit where `maxMinutes` is given */
  epochs?: number;
  /** Training time, validation aside; the epoch in which it runs out ends early and counts. @default no limit */
  maxMinutes?: number;
  /** Pictures in a step. @default 128 */
  batchSize?: number;
  /** A number, or a function of where the training stands. @default what Keras takes: adam and rmsprop 0.001, sgd and momentum 0.01 */
  learningRate?: LearningRate;
  /** A name, or a tfjs optimizer, which stays the caller's to dispose and gets its own rate back. @default 'adam' */
  optimizer?: OptimizerName | Optimizer;
  /** AdamW's, see {@link OptimizerName}; other optimizers have none. @default 0.004 */
  weightDecay?: number;
  /** s in [0, 1): the true class counts as 1 - s + s / K in the loss, every other of the K classes as s / K. @default 0 */
  labelSmoothing?: number;
  /**
   * What trains. `'fused'`: the library's own WebAssembly kernels on several threads. `'tfjs'`: automatic
   * differentiation on the active backend. `'auto'`: fused where the backend is `cpu` or `wasm` and the model a chain
   * that the engine can express, else tfjs; the result says which, and why.
   * @default 'auto'
   */
  engine?: EngineChoice;
  /** Threads of the fused engine; the same seed gives the same bits on any number. @default what the machine has, at most 8 */
  threads?: number;
  /** Evaluated after each epoch. */
  validation?: ImageDataset;
  /** What bytes 0 to 255 are mapped to; kept in the model's metadata. @default the model's own, from its metadata, else [0, 1] */
  inputRange?: readonly [low: number, high: number];
  /** `true` shuffles the whole set each epoch, a number shuffles through a window of that many pictures. @default true */
  shuffle?: boolean | number;
  /** Governs order and dropout. @default a random one, told in the result */
  seed?: number;
  /** Called after each step; awaited. In the fused engine the model itself gets its weights at the end of an epoch. */
  onBatch?: (batch: TrainingBatch) => void | Promise<void>;
  /** Called after each epoch; awaited. */
  onEpoch?: (epoch: TrainingEpoch) => void | Promise<void>;
  /** Stops the training between two steps; the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Options with every default filled in. */
export type TrainingSettings = ReturnType<typeof resolveTrainingOptions>;

const WHERE = 'trainClassifier';

/** Fills in the defaults and refuses what cannot be. */
export function resolveTrainingOptions(model: LayersModel, dataset: ImageDataset, options: TrainClassifierOptions) {
  const settings = {
    epochs: options.maxMinutes === undefined ? 1 : Number.POSITIVE_INFINITY,
    maxMinutes: Number.POSITIVE_INFINITY,
    batchSize: 128,
    optimizer: 'adam' as OptimizerName | Optimizer,
    inputRange: getModelMetadata(model).inputRange ?? ([0, 1] as const),
    weightDecay: DEFAULT_WEIGHT_DECAY,
    labelSmoothing: 0,
    engine: 'auto' as EngineChoice,
    shuffle: true as boolean | number,
    seed: Math.floor(Math.random() * 0x1_0000_0000),
    ...(Object.fromEntries(
      Object.entries(options).filter(([, value]) => value !== undefined),
    ) as TrainClassifierOptions),
  };
  const { epochs, maxMinutes, inputRange, validation, weightDecay, labelSmoothing, engine, threads } = settings;
  if (epochs !== Number.POSITIVE_INFINITY) checkInteger(WHERE, 'epochs', epochs, 1);
  check(epochs !== Number.POSITIVE_INFINITY || maxMinutes !== Number.POSITIVE_INFINITY, {
    where: WHERE,
    expected: 'epochs or maxMinutes to be finite',
    received: `epochs ${epochs}, maxMinutes ${maxMinutes}`,
  });
  check(maxMinutes > 0, { where: WHERE, expected: 'maxMinutes to be above 0', received: maxMinutes });
  check(Number.isFinite(weightDecay) && weightDecay >= 0, {
    where: WHERE,
    expected: 'weightDecay to be a number of at least 0',
    received: weightDecay,
  });
  check(labelSmoothing >= 0 && labelSmoothing < 1, {
    where: WHERE,
    expected: 'labelSmoothing to be in [0, 1)',
    received: labelSmoothing,
  });
  check(['auto', 'tfjs', 'fused'].includes(engine), {
    where: WHERE,
    expected: "engine to be 'auto', 'tfjs' or 'fused'",
    received: engine,
  });
  if (threads !== undefined) checkInteger(WHERE, 'threads', threads, 1);
  checkBatchesOptions(WHERE, settings);
  checkInputRange(WHERE, inputRange);
  checkModelFitsDataset(WHERE, model, dataset);
  if (validation) checkModelFitsDataset(`${WHERE}, validation`, model, validation);
  check(model.trainableWeights.length > 0, {
    where: WHERE,
    expected: 'a model with trainable weights',
    received: 'one whose layers are all frozen',
    remedy: 'Set layer.trainable = true on the layers that should learn.',
  });
  return settings;
}
