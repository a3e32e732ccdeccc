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

/** What early stopping and `restoreBest` look at: losses should fall, accuracies rise. */
export type Monitor = 'loss' | 'accuracy' | 'valLoss' | 'valAccuracy';

/** What of an {@link TrainingEpoch epoch} can be watched. */
export const MONITORS: readonly Monitor[] = ['loss', 'accuracy', 'valLoss', 'valAccuracy'];
