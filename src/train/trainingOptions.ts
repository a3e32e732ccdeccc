import type { Optimizer } from '@tensorflow/tfjs-core';
import type { Augmentation } from '../data/augment';
import type { ImageDataset } from '../data/imageDataset';
import type { EngineChoice } from '../engine/engineChoice';
import type { WeightRole } from '../engine/optimizer';
import type { OptionKind } from '../errors';
import type { InputRange } from '../inputRange';
import type { LearningRate } from './learningRate';
import type { LossWeights } from './lossTargets';
import type { OptimizerName, OptimizerOptions } from './optimizers';
import type { ProgressKind } from './progress';
import type { TrainingControl } from './trainingControl';
import type { Monitor, TrainingBatch, TrainingEpoch } from './trainingRecords';

/** Ends a training that gets no better. */
export interface EarlyStopping {
  /** Epochs without a better value after which the training ends. @default 5 */
  patience?: number | undefined;
  /** What counts as better: by more than this. @default 0 */
  minDelta?: number | undefined;
}

/** Where a training writes what it needs to go on after an interruption. */
export interface CheckpointOptions {
  /** A folder; made where there is none. In browsers a folder of the origin private file system. */
  dir: string;
  /** Batches between two checkpoints; one more is written where the training ends or is aborted. @default an epoch's */
  everySteps?: number | undefined;
  /** How many of the newest stay. @default 2 */
  keep?: number | undefined;
}

/** Pictures smaller than the model's for a part of the training. */
export interface PictureScale {
  /** Up to which share of the training, in (0, 1). */
  until: number;
  /** What height and width are multiplied with, in (0, 1]; the result is rounded. */
  scale: number;
}

/** How pictures are changed and weighed before the model learns from them. */
export interface TrainingDataOptions extends LossWeights {
  /** Evaluated after each epoch. */
  validation?: ImageDataset | undefined;
  /** A share of the dataset that is held back and validated with, in (0, 1); the same share of every class. */
  validationSplit?: number | undefined;
  /** What bytes 0 to 255 are mapped to; kept in the model's metadata. @default the model's own, from its metadata, else [0, 1] */
  inputRange?: InputRange | undefined;
  /** `true` shuffles the whole set each epoch, a number shuffles through a window of that many pictures. @default true */
  shuffle?: boolean | number | undefined;
  /** Random changes of the pictures, anew in every epoch. @default none */
  augment?: Augmentation | undefined;
  /** Mixes each batch with itself: alpha of the Beta distribution that the share is drawn from (Zhang et al. 2018). @default none */
  mixup?: number | undefined;
  /** Pastes boxes of the batch's pictures into others of it, likewise (Yun et al. 2019). With both, a coin decides. @default none */
  cutmix?: number | undefined;
  /** s in [0, 1): the true class counts as 1 - s + s / K in the loss, every other of the K classes as s / K. @default 0 */
  labelSmoothing?: number | undefined;
  /**
   * Smaller pictures first, which train faster; by `until`, rising. The model must pool over the whole picture, as
   * MobileNet does. @default none
   */
  pictureScales?: readonly PictureScale[] | undefined;
  /**
   * Whether layers below the lowest that learns are run once and their outputs kept in memory, where nothing changes
   * the pictures from epoch to epoch. @default true where those of either dataset fit into a gigabyte
   */
  cacheFeatures?: boolean | undefined;
}

/** How weights are updated. */
export interface UpdateOptions {
  /** A name, its constants, or a tfjs optimizer, which stays the caller's to dispose and gets its own rate back. @default 'adam' */
  optimizer?: OptimizerName | OptimizerOptions | Optimizer | undefined;
  /** A number, or a function of where the training stands, such as a schedule. @default what Keras takes: adam and rmsprop 0.001, sgd and momentum 0.01 */
  learningRate?: LearningRate | undefined;
  /** Decoupled from the gradient: weights that decay shrink by `learningRate * weightDecay` an update. @default 0.004 for adamw, else 0 */
  weightDecay?: number | undefined;
  /**
   * Which weights decay. The MobileNet paper advises little or none for depthwise kernels (arXiv 1704.04861, section
   * 3.2), and biases and batch norm need none. @default ['kernel'], those of convolutions and dense layers
   */
  weightDecayOn?: readonly WeightRole[] | undefined;
  /** Scales the gradients of all weights down to this norm where theirs is larger. @default none */
  clipNorm?: number | undefined;
  /** Batches whose gradients make one update. @default 1 */
  accumulateSteps?: number | undefined;
  /**
   * Keeps an exponential moving average of the weights, of which every update leaves this share, in [0, 1), but update u
   * (from 0) at most (1 + u) / (10 + u), so that the first weights are soon forgotten: 0.999 is not reached before update
   * 8,990. Validation and the trained model then use the average. @default none
   */
  emaDecay?: number | undefined;
}

/** Options for {@link trainClassifier}. */
export interface TrainClassifierOptions extends TrainingDataOptions, UpdateOptions {
  /** Passes over the dataset. @default 1, or as many as fit where `maxMinutes` is given */
  epochs?: number | undefined;
  /** Training time, validation and pauses aside; the epoch in which it runs out ends early and counts. @default no limit */
  maxMinutes?: number | undefined;
  /** Pictures in a batch. @default 128 */
  batchSize?: number | undefined;
  /**
   * What trains. `'fused'`: the library's own WebAssembly kernels on several threads. `'tfjs'`: automatic
   * differentiation on the active backend. `'auto'`: fused where the backend is `cpu` or `wasm` and the model a chain
   * that the engine can express, else tfjs; the result says which, and why.
   * @default 'auto'
   */
  engine?: EngineChoice | undefined;
  /** Threads of the fused engine; the same seed gives the same bits on any number. @default what the machine has, at most 8 */
  threads?: number | undefined;
  /**
   * Governs order, augmentation, mixing, validation split and `Dropout` layers, but not tfjs's other random layers.
   * @default a random one, told in the result
   */
  seed?: number | undefined;
  /** What `earlyStopping` and `restoreBest` look at. @default 'valLoss', or 'loss' without validation */
  monitor?: Monitor | undefined;
  /** @default none */
  earlyStopping?: EarlyStopping | undefined;
  /** Whether the model gets the weights of the best epoch at the end. @default false */
  restoreBest?: boolean | undefined;
  /** @default none */
  checkpoint?: CheckpointOptions | undefined;
  /**
   * A folder of checkpoints, whose newest is taken, or one checkpoint. The training goes on from there, and ends with the
   * same bits as one that was never interrupted, if model, dataset and options are the same.
   */
  resume?: string | undefined;
  /** A folder for `report.html`, `history.csv` and `history.json`, written every five seconds at most, and at the end; in Node only. */
  reportDir?: string | undefined;
  /** What is shown while it trains: `'auto'` is a bar in a terminal, and plain lines elsewhere. @default 'none' */
  progress?: ProgressKind | undefined;
  /** Pauses the training and lets it go on. */
  control?: TrainingControl | undefined;
  /** Called after each batch; awaited. In the fused engine the model itself gets its weights at the end of an epoch. */
  onBatch?: ((batch: TrainingBatch) => void | Promise<void>) | undefined;
  /** Called after each epoch; awaited. */
  onEpoch?: ((epoch: TrainingEpoch) => void | Promise<void>) | undefined;
  /**
   * Stops the training between two batches, or between two updates where `accumulateSteps` goes with a checkpoint; the promise
   * then rejects with the signal's reason.
   */
  signal?: AbortSignal | undefined;
}

/** What there is among them. */
export const TRAINING_OPTIONS = {
  validation: 'object',
  validationSplit: 'number',
  inputRange: 'any',
  shuffle: 'any',
  augment: 'object',
  mixup: 'any',
  cutmix: 'any',
  labelSmoothing: 'any',
  classWeights: 'any',
  sampleWeights: 'any',
  pictureScales: 'list',
  cacheFeatures: 'boolean',
  optimizer: 'any',
  learningRate: 'any',
  weightDecay: 'any',
  weightDecayOn: 'list',
  clipNorm: 'any',
  accumulateSteps: 'any',
  emaDecay: 'any',
  epochs: 'any',
  maxMinutes: 'number',
  batchSize: 'any',
  engine: 'any',
  threads: 'any',
  seed: 'any',
  monitor: 'any',
  earlyStopping: 'object',
  restoreBest: 'boolean',
  checkpoint: 'object',
  resume: 'string',
  reportDir: 'string',
  progress: 'any',
  control: 'object',
  onBatch: 'function',
  onEpoch: 'function',
  signal: 'signal',
} as const satisfies Record<keyof TrainClassifierOptions, OptionKind>;
