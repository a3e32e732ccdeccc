import type { ImageDataset } from '../data/imageDataset';
import type { OutputKind } from '../graph/outputKind';
import type { SampledSteps } from '../report/stepSampler';
import type { ClassifierEvaluation } from './evaluateClassifier';
import type { TrainingPosition } from './learningRate';
import type { Trainer } from './trainer';
import type { TrainingEpoch } from './trainingRecords';
import type { TrainingSettings } from './trainingSettings';

/** Sums over the batches of an epoch so far. */
export interface EpochSums {
  images: number;
  loss: number;
  correct: number;
  /** Of the last step. */
  learningRate: number;
  seconds: number;
}

/** How far a training has come: plain data, which a checkpoint keeps as it is. */
export interface CourseState {
  /** The epoch under way, from 1. */
  epoch: number;
  /** Batches of it that are done. */
  batch: number;
  /** Batches done in all. */
  step: number;
  /** Updates of the weights. */
  updates: number;
  /** Spent in training, validation and pauses aside. */
  seconds: number;
  sums: EpochSums;
  history: TrainingEpoch[];
  /** The best epoch so far, by what is monitored. */
  bestEpoch: number | undefined;
  /** The curves within epochs, where a report shows them. */
  sampled: Readonly<SampledSteps> | undefined;
  /** How the validation pictures were classified after the epoch whose weights the model is to keep, likewise. */
  evaluated: (ClassifierEvaluation & { epoch: number; pictures: number }) | undefined;
  /** Whether there is nothing left to train. */
  finished: boolean;
  /** Whether early stopping is why. */
  stoppedEarly: boolean;
}

/** A training under way. */
export interface TrainingCourse {
  readonly dataset: ImageDataset<Uint8Array | Float32Array>;
  readonly validation: ImageDataset<Uint8Array | Float32Array> | undefined;
  readonly settings: TrainingSettings;
  /** Whether what is read is what frozen layers made of the pictures, and not these. */
  readonly onFeatures: boolean;
  readonly outputKind: OutputKind;
  readonly trainer: Trainer;
  readonly state: CourseState;
  /** The weights of the best epoch, where they are to be restored. */
  bestWeights: Float32Array[] | undefined;
  /** Whether gradients wait for their update. */
  pending: boolean;
}

export const noSums = (): EpochSums => ({ images: 0, loss: 0, correct: 0, learningRate: 0, seconds: 0 });

/** A training that has not begun. */
export const newCourseState = (): CourseState => ({
  epoch: 1,
  batch: 0,
  step: 0,
  updates: 0,
  seconds: 0,
  sums: noSums(),
  history: [],
  bestEpoch: undefined,
  sampled: undefined,
  evaluated: undefined,
  finished: false,
  stoppedEarly: false,
});

export const batchesPerEpoch = ({ dataset, settings }: TrainingCourse) => Math.ceil(dataset.size / settings.batchSize);

/** Of the steps or of the minutes, whichever is further on; the one that is not limited counts as 0. */
export function progressOf(course: TrainingCourse): number {
  const { settings, state } = course;
  const steps = settings.epochs * batchesPerEpoch(course);
  return Math.min(1, Math.max(state.step / steps, state.seconds / (settings.maxMinutes * 60)));
}

/** What a schedule is told of the next step. */
export function positionOf(course: TrainingCourse): TrainingPosition {
  const { step, epoch, history } = course.state;
  return { step, epoch, progress: progressOf(course), stepsPerEpoch: batchesPerEpoch(course), history };
}

export const isOutOfTime = ({ state, settings }: TrainingCourse) => state.seconds >= settings.maxMinutes * 60;

/** Whether there is no further epoch to train, between two epochs. */
export const isOver = (course: TrainingCourse) =>
  course.state.stoppedEarly || course.state.epoch > course.settings.epochs || isOutOfTime(course);
