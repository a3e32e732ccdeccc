import { type InputRange, isInputRange } from '../../inputRange';
import { refuse } from '../../io/refuse';
import { toInputRange, WIDEST_RANGE } from '../preparedRange';
import type { Network } from './network';
import { ELEMENT, type OnnxModel, type OnnxValue } from './schema';

/**
 * What bytes 0 to 255 are mapped to before they enter the first layer; undefined where the file does not say it.
 *
 * The metadata of our files do, and a file that takes bytes. What else a file does with pictures before its first layer is
 * a part of it: there floats are taken for 0 to 255, or for 0 to 1 where the range would be too wide otherwise.
 */
export function readInputRange(
  { metadata }: OnnxModel,
  { type }: OnnxValue,
  { preparation, source: { where } }: Network,
): InputRange | undefined {
  const own = metadata.get('inputRange');
  if (own !== undefined) return parse(own, where);
  if (!preparation) return type === ELEMENT.uint8 ? [0, 255] : undefined;
  const { scale, offset } = preparation;
  const isOfBytes = type === ELEMENT.uint8 || scale.every((factor) => 255 * factor <= WIDEST_RANGE);
  const ranges = Array.from(scale, (factor, c) => {
    const low = offset[c]!;
    return [round(low), round(low + factor * (isOfBytes ? 255 : 1))] as const;
  });
  return toInputRange(ranges);
}

/** To the digits of a float32, of which the numbers are made. */
function round(value: number): number {
  return Number(value.toPrecision(7));
}

function parse(json: string, where: string): InputRange {
  let range: unknown;
  try {
    range = JSON.parse(json);
  } catch (error) {
    refuse(where, 'inputRange in the metadata to be JSON', json, undefined, error);
  }
  if (isInputRange(range)) return range;
  return refuse(where, 'inputRange in the metadata to be [low, high], or one for each channel', json);
}
