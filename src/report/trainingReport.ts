// H x W pixels of C channels; K = classes.

/** All that a report shows: plain data, which a program can keep, send or make by itself. */
export interface TrainingReport {
  title: string;
  status: ReportStatus;
  /** When this was so, in milliseconds since 1970, as `Date.now()` has it. */
  time: number;
  /** `[K]` */
  classNames: readonly string[];
  /** Some pictures of the training set, as it is read; 15 make the grid of three rows of five. */
  samples: readonly LabelledPicture[];
  /** One record an epoch. */
  epochs: readonly ReportEpoch[];
  /** Points of the curves within epochs; see {@link createStepSampler}. */
  steps: readonly ReportStep[];
  evaluation?: ReportEvaluation | undefined;
  /** The most confident first. */
  mistakes?: readonly ReportMistake[] | undefined;
  /** What the training was asked for. */
  settings: ReportTable;
  /** What it runs on. */
  environment: ReportTable;
}

/** Names and values; rows that are undefined are left out. */
export type ReportTable = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** How far the training is, and whether it goes on. */
export type ReportStatus = {
  /** Begun so far. */
  epoch: number;
  /** Taken so far. */
  step: number;
  /** How much of the training is done, in [0, 1]. */
  progress: number;
  /** Of training, validation aside. */
  seconds: number;
} & (
  | { state: 'running'; secondsLeft: number }
  | { state: 'finished' }
  | {
      state: 'stopped';
      /** A sentence: an error's message, or what stopped it early. */
      reason: string;
    }
);

/** A picture as the report shows it. */
export interface ReportPicture {
  /** `[H,W,C]`, row-major; 1 channel is grey, 3 are RGB, and of others the first one or three are shown. */
  data: Uint8Array;
  height: number;
  width: number;
  channels: number;
}

/** A picture and its class. */
export interface LabelledPicture extends ReportPicture {
  /** Class index. */
  label: number;
}

/** An epoch as `trainClassifier` tells it. */
export interface ReportEpoch {
  /** From 1. */
  epoch: number;
  loss: number;
  /** Fraction. */
  accuracy: number;
  valLoss?: number | undefined;
  /** Fraction. */
  valAccuracy?: number | undefined;
  learningRate: number;
  imagesPerSecond: number;
  seconds: number;
}

/** A point of the curves: a step, or the mean of several. */
export interface ReportStep {
  /** Over the whole training, from 1. */
  step: number;
  /** Epochs done after this step, a fraction: 0.5 in the middle of the first. */
  epoch: number;
  loss: number;
  /** Fraction. */
  accuracy: number;
  learningRate: number;
  imagesPerSecond: number;
}

/** How the model does on a set of pictures, as `evaluateClassifier` tells it. */
export interface ReportEvaluation {
  /** Which pictures: `'test'`, say. @default 'validation' */
  name?: string | undefined;
  /** After which epoch, where it was measured within a training. */
  epoch?: number | undefined;
  loss: number;
  /** Fraction. */
  accuracy: number;
  perClass: readonly { className: string; accuracy: number; size: number }[];
  /** `[true class][predicted class]`, in pictures. */
  confusionMatrix: readonly (readonly number[])[];
}

/** A picture that the model takes for another class. */
export interface ReportMistake {
  picture: ReportPicture;
  /** Its class index. */
  label: number;
  /** The class index with the highest probability. */
  predicted: number;
  /** Of the predicted class, in [0, 1]. */
  probability: number;
}
