import { roundHalfEven } from '../graph/roundHalfEven';

/** The largest finite float16. */
export const MAX_FLOAT16 = 65504;

/**
 * The bits of the nearest float16 (IEEE 754 binary16), of two equally near ones the even one; for values of any size.
 *
 * From 2^-14 on the relative error is at most 2^-11, below the absolute error is at most 2^-25. Infinity and NaN stay.
 */
export function encodeFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const float32Bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const encoded = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) encoded[i] = toFloat16(float32Bits[i]!, values[i]!);
  return encoded;
}

function toFloat16(float32Bits: number, value: number): number {
  const sign = (float32Bits >>> 16) & 0x8000;
  const magnitude = float32Bits & 0x7fffffff;
  if (Number.isNaN(value)) return sign | 0x7e00;
  // Subnormal float16 count in steps of 2^-24; 1024 of them are the bits of the smallest normal one.
  if (magnitude < 0x38800000) return sign | roundHalfEven(Math.abs(value) * 2 ** 24);
  // The exponent's bias is smaller by 112. Rounding up at the end of a binade carries into the exponent, as it should.
  const rounded = (magnitude - (112 << 23) + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
  return sign | Math.min(rounded, 0x7c00);
}

/** The numbers that the bits of float16 values stand for; each is a float32 exactly. */
export function decodeFloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bits.length);
  // A loop: Float32Array.from with a function takes ten times as long.
  for (let i = 0; i < bits.length; i++) values[i] = fromFloat16(bits[i]!);
  return values;
}

function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = (bits & 0x3ff) / 1024;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}
