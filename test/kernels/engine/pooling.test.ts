import { describe, expect, test } from 'vitest';
import { createArena, flavours } from './arena';
import { activation, CLAMPS, dataOf, expectedGradient, pointersOf } from './elementwise';
import { sharesOf, worstError } from './values';

const SEED = 36;
const N = 5;
const sizes = [1, 2, 9, 50].flatMap((pixels) =>
  [
    [3, 4],
    [8, 8],
    [21, 24],
  ].map(([real, C]) => ({ pixels, real: real!, C: C! })),
);
const cases = sizes.map((size, i) => ({ ...size, clamp: CLAMPS[i % CLAMPS.length]! }));

describe.each(flavours)(`global average, %s: errors below 4e-7 of the sum of |terms| (seed ${SEED})`, (_, module) => {
  test.each(cases)(
    'f32GlobalAverageForward, $pixels pixels, $C channels, clamp $clamp',
    ({ pixels, real, C, clamp }) => {
      const data = dataOf(N * pixels, N, real, C, SEED);
      const [expected, magnitude] = [new Float64Array(N * C), new Float64Array(N * C)];
      for (let i = 0; i < N * pixels * C; i++) {
        const at = Math.floor(i / (pixels * C)) * C + (i % C);
        const value = activation(data, C, i, ...clamp);
        expected[at]! += value.a / pixels;
        magnitude[at]! += value.magnitude / pixels;
      }
      const results = sharesOf(N).map((shares) => {
        const arena = createArena(module, 1);
        const { x, scale, offset } = pointersOf(arena, data);
        const out = arena.floats(new Float32Array(N * C).fill(Number.NaN));
        for (const share of shares) {
          arena.kernels.f32GlobalAverageForward(x, scale, offset, ...clamp, out, pixels, C, ...share);
        }
        return arena.readFloats(out, N * C);
      });
      expect(worstError(results[0]!, expected, magnitude)).toBeLessThan(4e-7);
      expect(results[1]).toEqual(results[0]);
    },
  );

  const backwardCases = cases.map((size, i) => ({ ...size, imagesPerUnit: [1, 2, 5][i % 3]! }));
  test.each(backwardCases)(
    'f32GlobalAverageBackward, $pixels pixels, $C channels, clamp $clamp, $imagesPerUnit images a unit',
    ({ pixels, real, C, clamp, imagesPerUnit }) => {
      const data = dataOf(N * pixels, N, real, C, SEED);
      const shape = { R: N * pixels, C, rowsPerUnit: imagesPerUnit * pixels };
      const factor = () => 1 / pixels;
      const expected = expectedGradient(data, shape, clamp, (row) => Math.floor(row / pixels), factor);
      const units = Math.ceil(N / imagesPerUnit);
      const results = sharesOf(units).map((shares) => {
        const arena = createArena(module, 1);
        const { x, scale, offset, mean, dy, z, c1, c2, c3 } = pointersOf(arena, data);
        const dx = arena.floats(new Float32Array(N * pixels * C).fill(Number.NaN));
        const sums = arena.doubles(new Float64Array(units * 2 * C).fill(Number.NaN));
        for (const [unitBegin, unitEnd] of shares) {
          arena.kernels.f32GlobalAverageBackward(
            ...([x, scale, offset, mean, ...clamp, dy, z, c1, c2, c3, dx, sums] as const),
            ...([imagesPerUnit, unitBegin, unitEnd, N, pixels, C] as const),
          );
        }
        return [arena.readFloats(dx, N * pixels * C), arena.readDoubles(sums, units * 2 * C)];
      });
      expect(worstError(results[0]![0]!, expected.dx, expected.magnitude)).toBeLessThan(4e-7);
      expect(worstError(results[0]![1]!, expected.sums, expected.sumMagnitude)).toBeLessThan(4e-7);
      expect(results[1]).toEqual(results[0]);
    },
  );
});
