import { check, checkOptions } from './errors';

/**
 * What bytes 0 to 255 are mapped to before they enter a model: one range for all channels, or a range for each.
 *
 * A byte b becomes `low + b / 255 * (high - low)`. Normalisation by mean and standard deviation is a range for each
 * channel: see {@link meanStdRange}.
 */
export type InputRange = readonly [low: number, high: number] | readonly (readonly [low: number, high: number])[];

/** The range of one channel. */
export function channelRange(inputRange: InputRange, channel: number): readonly [low: number, high: number] {
  return isPerChannel(inputRange) ? inputRange[channel]! : inputRange;
}

/** Whether every channel has a range of its own. */
export function isPerChannel(inputRange: InputRange): inputRange is readonly (readonly [low: number, high: number])[] {
  return Array.isArray(inputRange[0]);
}

/** Options for {@link meanStdRange}; both of pixels scaled to 0 to 1, as torchvision has them. */
export interface MeanStdRangeOptions {
  /** One for each channel. */
  mean: readonly number[];
  /** One for each channel, above 0. */
  std: readonly number[];
}

/**
 * The input range that normalises each channel to mean 0 and standard deviation 1: `(b / 255 - mean) / std`.
 *
 * @throws {MobilenetError} `invalid-argument` where the lengths differ or a std is not above 0.
 * @example
 * ```ts
 * const inputRange = meanStdRange({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
 * console.log(inputRange[0]); // [-2.1179..., 2.2489...]
 * ```
 */
export function meanStdRange(options: MeanStdRangeOptions): readonly (readonly [low: number, high: number])[] {
  const where = 'meanStdRange';
  checkOptions(where, options, { mean: 'list', std: 'list' });
  const { mean, std } = options;
  check(mean.length > 0 && mean.length === std.length, {
    where,
    expected: 'a mean and a std for each channel',
    received: `${mean.length} and ${std.length}`,
  });
  return mean.map((center, c) => {
    const spread = std[c]!;
    check(Number.isFinite(center), { where, expected: 'every mean to be a number', received: center });
    check(Number.isFinite(spread) && spread > 0, { where, expected: 'every std to be above 0', received: spread });
    return [-center / spread, (1 - center) / spread] as const;
  });
}

/** Throws `invalid-argument` unless every range is two finite numbers, the lower first; and one for each of `channels`. */
export function checkInputRange(where: string, inputRange: InputRange, channels?: number): void {
  // Metadata of a model that others have saved may hold anything.
  check(isInputRange(inputRange), {
    where,
    expected: 'inputRange to be [low, high], low below high, or one such range for each channel',
    received: inputRange,
  });
  check(!isPerChannel(inputRange) || channels === undefined || inputRange.length === channels, {
    where,
    expected: `inputRange to have one range for each of ${channels} channels`,
    received: inputRange.length,
  });
}

/** Whether something from a file is an input range. */
export function isInputRange(value: unknown): value is InputRange {
  const ranges: readonly unknown[] = Array.isArray(value) && Array.isArray(value[0]) ? value : [value];
  return ranges.every(isRange);
}

function isRange(range: unknown): boolean {
  return Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && range[0] < range[1];
}
