import { type InputRange, isInputRange } from '../../inputRange';
import type { ConfigLayer } from './modelConfig';

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
