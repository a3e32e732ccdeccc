import { io, memory, tidy } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { expect, test } from 'vitest';
import { encodeFloat16, MAX_FLOAT16 } from '../../src/io/float16';

/** The definition, of finite float16: 5 bits of exponent with a bias of 15, 10 of mantissa. */
function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = (bits & 0x3ff) / 1024;
  return sign * (exponent === 0 ? mantissa * 2 ** -14 : (1 + mantissa) * 2 ** (exponent - 15));
}

/** The bits of what is finite and not negative, in the order of the values. */
const finite = [...Array(0x7c00).keys()];
const encode = (values: number[]) => [...encodeFloat16(Float32Array.from(values))];
const negative = (bits: number[]) => bits.map((half) => half | 0x8000);

test('each float16 gives its own bits, and tfjs reads the value from them', () => {
  const values = finite.map(float16Value);
  expect(Math.max(...values)).toBe(MAX_FLOAT16);
  expect(encode(values)).toEqual(finite);
  expect(encode(values.map((value) => -value))).toEqual(negative(finite));

  const bytes = encodeFloat16(Float32Array.from(values)).buffer;
  const spec = { name: 'w', shape: [finite.length], dtype: 'float32', quantization: { dtype: 'float16' } } as const;
  expect(tidy(() => [...io.decodeWeights(bytes, [{ ...spec, shape: [...spec.shape] }]).w!.dataSync()])).toEqual(values);
  expect(memory().numTensors).toBe(0);
});

test('between two float16 the nearer one wins, halfway the even one', () => {
  const below = finite.slice(0, -1);
  const middle = below.map((bits) => (float16Value(bits) + float16Value(bits + 1)) / 2);
  expect(middle).toEqual(middle.map(Math.fround));
  const halfway = below.map((bits) => bits + (bits % 2));
  expect(encode(middle)).toEqual(halfway);
  expect(encode(middle.map((value) => -value))).toEqual(negative(halfway));

  const nudge = 2 ** -23;
  expect(encode(middle.map((value) => value * (1 - nudge)))).toEqual(below);
  expect(encode(middle.map((value) => value * (1 + nudge)))).toEqual(below.map((bits) => bits + 1));
});

test('the ends: zeros, the smallest, overflow, infinities, NaN', () => {
  expect(encode([0, -0, 1e-45, -1e-45, 2 ** -25, 2 ** -25 * 1.001])).toEqual([0, 0x8000, 0, 0x8000, 0, 1]);
  expect(encode([65519.99, 65520, -65520, 3e38])).toEqual([0x7bff, 0x7c00, 0xfc00, 0x7c00]);
  expect(encode([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])).toEqual([0x7c00, 0xfc00]);
  const [nan] = encode([Number.NaN]);
  expect(nan! & 0x7c00).toBe(0x7c00);
  expect(nan! & 0x3ff).not.toBe(0);
});

test('a view into a larger buffer', () => {
  expect([...encodeFloat16(Float32Array.of(1, 2, 3).subarray(1))]).toEqual([0x4000, 0x4200]);
  expect([...encodeFloat16(new Float32Array(0))]).toEqual([]);
});
