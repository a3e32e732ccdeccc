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
  // Loops over rows and columns: `forEach` with a remainder takes ten times as long.
  for (let row = 0; row < kernel.length; row += channels) {
    for (let c = 0; c < channels; c++) largest[c] = Math.max(largest[c]!, Math.abs(kernel[row + c]!));
  }
  // A channel of zeros has any scale; 1 keeps divisions by it finite.
  const scaleOf = (value: number, channel: number) =>
    Math.fround(Math.max(value / 127, leastScales?.[channel] ?? 0)) || 1;
  const scales = Float32Array.from(largest, scaleOf);
  const values = new Int8Array(kernel.length);
  for (let row = 0; row < kernel.length; row += channels) {
    for (let c = 0; c < channels; c++) {
      const level = roundHalfEven(kernel[row + c]! / scales[c]!);
      values[row + c] = Math.min(Math.max(level, -127), 127);
    }
  }
  return { values, scales };
}
