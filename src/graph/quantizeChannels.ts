import { roundHalfEven } from './roundHalfEven';

/** Weights as signed bytes: `values[i] * scales[channel of i]` is weight i. */
export interface QuantizedChannels {
  /** -127 to 127. */
  readonly values: Int8Array;
  /** One per channel. */
  readonly scales: Float32Array;
}

/**
 * Rounds weights to 8 bits, symmetrically and with a scale for each channel, its largest weight / 127.
 *
 * A weight moves by at most half of its channel's scale.
 *
 * @param channels size of the kernel's last axis
 * @param leastScales scales that the channels have at least
 */
export function quantizeChannels(
  kernel: Float32Array,
  channels: number,
  leastScales?: Float64Array,
): QuantizedChannels {
  const largest = new Float64Array(channels);
  kernel.forEach((weight, i) => {
    largest[i % channels] = Math.max(largest[i % channels]!, Math.abs(weight));
  });
  // A channel of zeros has any scale; 1 keeps divisions by it finite.
  const scaleOf = (value: number, channel: number) =>
    Math.fround(Math.max(value / 127, leastScales?.[channel] ?? 0)) || 1;
  const scales = Float32Array.from(largest, scaleOf);
  const limit = (level: number) => Math.min(Math.max(level, -127), 127);
  const values = Int8Array.from(kernel, (weight, i) => limit(roundHalfEven(weight / scales[i % channels]!)));
  return { values, scales };
}
