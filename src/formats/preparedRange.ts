import { type InputRange, isInputRange } from '../inputRange';

/** The widest that a normalised picture ranges; what is scaled to more than this was not bytes before. */
export const WIDEST_RANGE = 16;

/** One range where all channels have the same; undefined where one of them is none. */
export function toInputRange(ranges: readonly (readonly [low: number, high: number])[]): InputRange | undefined {
  const [first] = ranges;
  if (!first || !isInputRange(ranges)) return undefined;
  return ranges.every(([low, high]) => low === first[0] && high === first[1]) ? first : ranges;
}
