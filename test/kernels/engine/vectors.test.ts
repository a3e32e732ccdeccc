import { describe, expect, test } from 'vitest';
import { createArena, flavours } from './arena';
import { sharesOf, uniform, worstError } from './values';

const SEED = 52;
const COUNTS = [4, 8, 52];

const sizesOf = (...parts: Float32Array[]) =>
  parts[0]!.map((_, i) => parts.reduce((sum, part) => sum + Math.abs(part[i]!), 0));

describe.each(flavours)(`passes over vectors, %s (seed ${SEED})`, (_, module) => {
  test.each(COUNTS)(
    'f32Accumulate, %i values: within 2e-7 of |x| + |sum|; the first ones replace what was there',
    (count) => {
      const [x, sum] = [uniform(count, SEED), uniform(count, SEED + 1)];
      for (const isFirst of [false, true]) {
        const before = isFirst ? new Float32Array(count).fill(Number.NaN) : sum;
        const results = sharesOf(count / 4).map((shares) => {
          const { kernels, floats, readFloats } = createArena(module, 1);
          const [from, to] = [floats(x), floats(before)];
          for (const [begin, end] of shares) kernels.f32Accumulate(from, to, 0.3, isFirst, 4 * begin, 4 * end);
          return readFloats(to, count);
        });
        const expected = Float64Array.from(x, (value, i) => 0.3 * value + (isFirst ? 0 : sum[i]!));
        expect(worstError(results[0]!, expected, sizesOf(x, sum))).toBeLessThan(2e-7);
        expect(results[1]).toEqual(results[0]);
      }
    },
  );

  test.each(COUNTS)('f32ExponentialAverage, %i values: within 2e-7 of |average| + |x|', (count) => {
    const [average, x] = [uniform(count, SEED), uniform(count, SEED + 1)];
    for (const keep of [0, 0.5, 0.999]) {
      const results = sharesOf(count / 4).map((shares) => {
        const { kernels, floats, readFloats } = createArena(module, 1);
        const [to, from] = [floats(average), floats(x)];
        for (const [begin, end] of shares) kernels.f32ExponentialAverage(to, from, keep, 4 * begin, 4 * end);
        return readFloats(to, count);
      });
      const expected = Float64Array.from(x, (value, i) => keep * average[i]! + (1 - keep) * value);
      expect(worstError(results[0]!, expected, sizesOf(average, x))).toBeLessThan(2e-7);
      expect(results[1]).toEqual(results[0]);
    }
  });

  test('f32ExponentialAverage leaves what does not change as it is, bit by bit', () => {
    const x = uniform(64, SEED);
    const { kernels, floats, readFloats } = createArena(module, 1);
    const [average, from] = [floats(x), floats(x)];
    for (const keep of [0, 0.9, 0.9999]) kernels.f32ExponentialAverage(average, from, keep, 0, 64);
    expect(readFloats(average, 64)).toEqual(x);
  });

  test.each(COUNTS)(
    'f32SumOfSquares, %i values: within 1e-15 of the sum, also where float32 would overflow',
    (count) => {
      for (const largest of [1, 3e38]) {
        const x = uniform(count, SEED, -largest, largest);
        const { kernels, floats } = createArena(module, 1);
        const sum = (begin: number, end: number) =>
          x.slice(begin, end).reduce((total, value) => total + value * value, 0);
        const from = floats(x);
        expect(worstError([kernels.f32SumOfSquares(from, 0, count)], [sum(0, count)])).toBeLessThan(1e-15);
        expect(worstError([kernels.f32SumOfSquares(from, 4, count)], [sum(4, count)])).toBeLessThan(1e-15);
      }
    },
  );
});
