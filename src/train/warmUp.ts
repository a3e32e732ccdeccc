import { check, quoted } from '../errors';
import type { Schedule, TrainingPosition } from './learningRate';

/** The start of a schedule. */
export interface WarmUpOptions {
  /** The share of the training in which the rate rises to what the schedule says, in [0, 1). @default 0 */
  warmup?: number | undefined;
  /**
   * What it rises from, as a share of the rate, in [0, 1]. With 0 the very first step learns nothing, as its rate is 0.
   * @default 0.01
   */
  warmupFrom?: number | undefined;
}

/** What there is among them. */
export const WARM_UP_OPTIONS = { warmup: 'any', warmupFrom: 'any' } as const;

/**
 * A schedule out of a curve, which is given the share of the way between the end of the warm-up and the end of the
 * training, in [0, 1]. During the warm-up that is 0, and a factor rises from `warmupFrom` to 1 on a straight line.
 *
 * The default start is not 0 because a schedule does not know how long a step is: a training that is limited by minutes
 * has no number of steps by which the first one could begin a step further on.
 *
 * The function's name tells where it came from and what was asked for, so that a report can.
 */
export function warmUp(
  where: string,
  options: WarmUpOptions,
  curve: (share: number, position: TrainingPosition) => number,
  asked: object = options,
): Schedule {
  const { warmup = 0, warmupFrom = 0.01 } = options;
  checkNumbers(where, { warmup, warmupFrom }, { warmup: below1, warmupFrom: upTo1 });
  const schedule = (position: TrainingPosition) => {
    const { progress } = position;
    const factor = progress < warmup ? warmupFrom + ((1 - warmupFrom) * progress) / warmup : 1;
    return factor * curve(Math.min(1, Math.max(0, (progress - warmup) / (1 - warmup))), position);
  };
  return Object.defineProperty(schedule, 'name', { value: `${where}(${JSON.stringify(asked)})` });
}

/** A range of numbers, in words and as a test. */
interface NumberRange {
  words: string;
  has(value: number): boolean;
}

export const atLeast0: NumberRange = { words: 'a number of at least 0', has: (value) => value >= 0 };
export const above0: NumberRange = { words: 'a number above 0', has: (value) => value > 0 };
export const between0And1: NumberRange = { words: 'in (0, 1)', has: (value) => value > 0 && value < 1 };
export const share: NumberRange = { words: 'in (0, 1]', has: (value) => value > 0 && value <= 1 };
export const upTo1: NumberRange = { words: 'in [0, 1]', has: (value) => value >= 0 && value <= 1 };
export const below1: NumberRange = { words: 'in [0, 1)', has: (value) => value >= 0 && value < 1 };

/** Throws `invalid-argument` unless each value is a finite number of its range. */
export function checkNumbers<Name extends string>(
  where: string,
  values: Record<Name, number>,
  ranges: Record<Name, NumberRange>,
): void {
  for (const name of Object.keys(ranges) as Name[]) {
    const value = values[name];
    const { words, has } = ranges[name];
    check(Number.isFinite(value) && has(value), { where, expected: `${name} to be ${words}`, received: quoted(value) });
  }
}
