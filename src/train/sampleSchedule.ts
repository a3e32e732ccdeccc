import { check, checkInteger, checkOptions } from '../errors';
import { type LearningRate, learningRateAt } from './learningRate';
import type { TrainingEpoch } from './trainingRecords';

const WHERE = 'sampleSchedule';

/** Options for {@link sampleSchedule}. */
export interface SampleScheduleOptions {
  /** Steps of the whole training. */
  steps: number;
  /** What those steps make up. @default 1 */
  epochs?: number | undefined;
  /** @default steps / epochs, rounded up */
  stepsPerEpoch?: number | undefined;
  /** For schedules that follow losses: an epoch's record is shown to the steps after it. @default none */
  history?: readonly TrainingEpoch[] | undefined;
}

/** A point of a schedule's curve. */
export interface ScheduleSample {
  /** From 0. */
  step: number;
  /** In [0, 1). */
  progress: number;
  rate: number;
}

/**
 * The rate of every step of a training, to plot or to print.
 *
 * @throws {MobilenetError} `invalid-argument`, also where the schedule gives a rate that is none.
 * @example
 * ```ts
 * const schedule = schedules.oneCycle({ rate: 0.1 });
 * for (const { step, rate } of sampleSchedule(schedule, { steps: 100 })) console.log(step, rate);
 * ```
 */
export function sampleSchedule(schedule: LearningRate, options: SampleScheduleOptions): ScheduleSample[] {
  checkOptions(WHERE, options, { steps: 'any', epochs: 'any', stepsPerEpoch: 'any', history: 'list' });
  const { steps, epochs = 1, history = [] } = options;
  checkInteger(WHERE, 'steps', steps, 1);
  checkInteger(WHERE, 'epochs', epochs, 1);
  const { stepsPerEpoch = Math.ceil(steps / epochs) } = options;
  checkInteger(WHERE, 'stepsPerEpoch', stepsPerEpoch, 1);
  const monitor = typeof schedule === 'function' ? schedule.monitor : undefined;
  check(monitor === undefined || history.length === 0 || history.some((epoch) => epoch[monitor] !== undefined), {
    where: WHERE,
    expected: `a history with ${monitor}`,
    received: 'none',
  });
  return Array.from({ length: steps }, (_, step) => {
    const progress = step / steps;
    const done = Math.floor(step / stepsPerEpoch);
    const position = { step, epoch: done + 1, progress, stepsPerEpoch, history: history.slice(0, done) };
    return { step, progress, rate: learningRateAt(schedule, position, WHERE) };
  });
}
