import { quantizeChannels } from '../graph/quantizeChannels';
import { refuse } from './refuse';

/**
 * What the manifest says of a weight that is stored as int8: ours, beside the quantizations of tfjs.
 *
 * tfjs's uint8 has one scale for a whole weight, which ruins depthwise kernels, whose channels differ a hundredfold. This
 * has one for each channel. The weight's bytes are `scales` [C] float32 and then `values` int8, in the order of the
 * weight; weight i is `values[i] * scales[i % C]`.
 */
export interface Int8Quantization {
  dtype: 'int8';
  /** How many of the last axes make up C, the channels: 1, or 2 in a depthwise kernel `[KH,KW,C,M]`. */
  channelAxes: number;
}

/** Whether the manifest says that a weight is stored as int8. */
export function isInt8(quantization: object | undefined): quantization is Int8Quantization {
  return quantization !== undefined && 'dtype' in quantization && quantization.dtype === 'int8';
}

/** C of a weight. */
export function channelCount(shape: readonly number[], channelAxes: number): number {
  return shape.slice(-channelAxes).reduce((product, size) => product * size, 1);
}

/**
 * The bytes of a weight, all of whose values are finite; each comes back within half of its channel's scale.
 *
 * What comes back has the same scales and values again, to the bit: the largest weight of a channel is now 127 * scale
 * rounded to float32, and a 127th of that rounds to the same scale, because it was made from a float32 itself.
 */
export function encodeInt8(weight: Float32Array, channels: number): Uint8Array<ArrayBuffer> {
  const { values, scales } = quantizeChannels(weight, channels);
  const bytes = new Uint8Array(scales.byteLength + values.byteLength);
  bytes.set(new Uint8Array(scales.buffer));
  bytes.set(new Uint8Array(values.buffer), scales.byteLength);
  return bytes;
}

/**
 * The values of a weight from its bytes.
 *
 * @throws {MobilenetError} `invalid-data` where a scale is none
 */
export function decodeInt8(where: string, name: string, bytes: ArrayBuffer, channels: number): Float32Array {
  const scales = new Float32Array(bytes, 0, channels);
  const wrong = scales.find((scale) => !(scale >= 0 && Number.isFinite(scale)));
  if (wrong !== undefined) {
    refuse(where, `the scales of weight ${name} to be finite and not negative`, wrong, 'Save the model anew.');
  }
  const weight = new Float32Array(new Int8Array(bytes, scales.byteLength));
  // A loop: Float32Array.from with a function takes ten times as long.
  for (let i = 0; i < weight.length; i++) weight[i]! *= scales[i % channels]!;
  return weight;
}
