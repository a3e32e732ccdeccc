import { check, quoted } from '../errors';
import type { Monitor, TrainingEpoch } from './trainingRecords';

/** Where a training stands before a step, for a learning rate that changes over it. */
export interface TrainingPosition {
  /** Steps taken so far; 0 at the first. */
  step: number;
  /** Epoch, from 1. */
  epoch: number;
  /** How much of the training is done, in [0, 1]: of its steps, or of its minutes where those run out first. */
  progress: number;
  stepsPerEpoch: number;
  /** The epochs that are done, the first one first. */
  history: readonly TrainingEpoch[];
}

/** A learning rate as a plain function of where the training stands; {@link schedules} makes the usual ones. */
export interface Schedule {
  (position: TrainingPosition): number;
  /** What of the history it reads in any case: a training that will not measure it is refused before it begins. */
  readonly monitor?: Monitor | undefined;
}

/** A constant, or a function of where the training stands. */
export type LearningRate = number | Schedule;

/** The rate of one step. */
export function learningRateAt(
  learningRate: LearningRate,
  position: TrainingPosition,
  where = 'trainClassifier',
): number {
  const rate = typeof learningRate === 'function' ? learningRate(position) : learningRate;
  check(Number.isFinite(rate) && rate >= 0, {
    where,
    expected: 'learningRate to be a number of at least 0',
    received: quoted(rate),
  });
  return rate;
}
