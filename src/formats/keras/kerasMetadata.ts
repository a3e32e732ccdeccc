import { checkInputRange, type InputRange } from '../../inputRange';
import { isObject } from '../../io/checkArtifacts';
import type { ModelMetadata } from '../../model/metadata';
import type { ConfigLayer } from './modelConfig';

/** Where our files keep what Keras has no place for: a key of `metadata.json`, an attribute of an `.h5`. */
export const METADATA_KEY = 'mobilenet-v1-ts';

/** What a file says of the pictures and classes of its model. */
export type KerasMetadata = Pick<ModelMetadata, 'classNames' | 'inputRange' | 'cropFraction' | 'interpolation'>;

/** What of a model's metadata a file is to keep; an empty object marks a file as ours. */
export function writeMetadata({ classNames, inputRange, cropFraction, interpolation }: ModelMetadata): KerasMetadata {
  return {
    ...(classNames && { classNames }),
    ...(inputRange && { inputRange }),
    ...(cropFraction !== undefined && { cropFraction }),
    ...(interpolation && { interpolation }),
  };
}

/** What of a file's JSON is as we write it; anything else is left out. */
export function readMetadata(json: unknown): KerasMetadata {
  if (!isObject(json)) return {};
  const { classNames, inputRange, cropFraction, interpolation } = json;
  return {
    ...(isListOf(classNames, (name) => typeof name === 'string') && { classNames: classNames as string[] }),
    ...(isInputRange(inputRange) && { inputRange }),
    ...(isFraction(cropFraction) && { cropFraction }),
    ...((interpolation === 'bilinear' || interpolation === 'bicubic') && { interpolation }),
  };
}

/** What a Rescaling layer at the begin makes of bytes: `b * scale + offset`. */
export function rescaledRange(layers: readonly ConfigLayer[]): InputRange | undefined {
  const first = layers.find(({ className }) => className !== 'InputLayer');
  if (first?.className !== 'Rescaling') return undefined;
  const { scale, offset = 0 } = first.config;
  if (typeof scale === 'number' && typeof offset === 'number') return ordered([offset, 255 * scale + offset]);
  const scales = [scale].flat();
  const offsets = [offset].flat();
  if (![...scales, ...offsets].every((value) => typeof value === 'number')) return undefined;
  const at = (values: unknown[], channel: number) => Number(values.length === 1 ? values[0] : values[channel]);
  const channels = Math.max(scales.length, offsets.length);
  return ordered(
    Array.from({ length: channels }, (_, c) => [at(offsets, c), 255 * at(scales, c) + at(offsets, c)] as const),
  );
}

function ordered(inputRange: InputRange): InputRange | undefined {
  return isInputRange(inputRange) ? inputRange : undefined;
}

function isInputRange(value: unknown): value is InputRange {
  try {
    checkInputRange('inputRange', value as InputRange);
    return true;
  } catch {
    return false;
  }
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isFraction(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= 1;
}
