import { describe, expect, test } from 'vitest';
import { createArena, flavours } from './arena';
import { activation, CLAMPS, dataOf, expectedGradient, pointersOf } from './elementwise';
import { sharesOf, worstError } from './values';

const SEED = 37;
const ROWS = 7;

/** The finaliser of MurmurHash3. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The definition of the mask's hash, uniform in [0, 1). */
function uniformAt(seed: number, stream: number, i: number): number {
  const key = mix(mix(seed + 0x9e3779b9) ^ stream);
  return (mix(mix(i + key) ^ mix(key ^ 0x243f6a88)) >>> 0) / 2 ** 32;
}

describe.each(flavours)('f32DropoutMask, %s', (_, module) => {
  const maskOf = (count: number, seed: number, stream: number, rate: number, shares = sharesOf(count / 4)[0]!) => {
    const arena = createArena(module, 4);
    const mask = arena.floats(new Float32Array(count).fill(Number.NaN));
    for (const [begin, end] of shares) arena.kernels.f32DropoutMask(mask, seed, stream, rate, 4 * begin, 4 * end);
    return arena.readFloats(mask, count);
  };

  test.each([0, 0.001, 0.2, 0.5, 0.999])('rate %d: the definition, whoever makes which part', (rate) => {
    for (const [seed, stream] of [
      [0, 0],
      [1, 0],
      [4_294_967_295, 3],
      [123_456, 4_294_967_295],
    ] as const) {
      const expected = Float32Array.from({ length: 52 }, (_, i) =>
        uniformAt(seed, stream, i) >= rate ? 1 / (1 - rate) : 0,
      );
      for (const shares of sharesOf(13)) expect(maskOf(52, seed, stream, rate, shares)).toEqual(expected);
    }
  });

  test(`keeps 1 - rate of the values, also of every 8th, within 5 standard deviations (seed ${SEED})`, () => {
    const count = 80_000;
    for (const rate of [0.001, 0.1, 0.5, 0.9]) {
      const mask = maskOf(count, SEED, 0, rate);
      for (const [step, start] of [
        [1, 0],
        [8, 0],
        [8, 5],
      ] as const) {
        const picked = mask.filter((_, i) => i % step === start);
        const kept = picked.filter((value) => value !== 0).length;
        const deviation = Math.sqrt(picked.length * rate * (1 - rate));
        expect(Math.abs(kept - picked.length * (1 - rate)), `rate ${rate}, every ${step}th`).toBeLessThan(
          5 * deviation,
        );
      }
    }
  });

  test(`masks of other seeds, streams and places agree by chance only, within 5 standard deviations (seed ${SEED})`, () => {
    const count = 80_000;
    const mask = maskOf(count, SEED, 0, 0.5);
    const others = [maskOf(count, SEED + 1, 0, 0.5), maskOf(count, SEED, 1, 0.5), maskOf(count, 0, SEED, 0.5)];
    const shifted = [1, 4, 8, 1024].map((by) => mask.map((_, i) => mask[(i + by) % count]!));
    for (const other of [...others, ...shifted]) {
      const equal = mask.filter((value, i) => value === other[i]).length;
      expect(Math.abs(equal - count / 2)).toBeLessThan(5 * Math.sqrt(count / 4));
    }
  });
});

const cases = [
  [3, 4],
  [8, 8],
  [21, 24],
].flatMap(([real, C], i) => [true, false].map((hasMask) => ({ real: real!, C: C!, clamp: CLAMPS[i]!, hasMask })));

/** Half of the values dropped, the others doubled. */
const createMask = (count: number) =>
  Float32Array.from({ length: count }, (_, i) => (uniformAt(SEED, 0, i) >= 0.5 ? 2 : 0));

describe.each(flavours)(`dropout, %s: errors below 4e-7 of the sum of |terms| (seed ${SEED})`, (_, module) => {
  test.each(cases)('f32DropoutForward, $C channels, clamp $clamp, mask $hasMask', ({ real, C, clamp, hasMask }) => {
    const data = dataOf(ROWS, ROWS, real, C, SEED);
    const factors = hasMask ? createMask(ROWS * C) : new Float32Array(ROWS * C).fill(1);
    const values = Array.from(data.x, (_, i) => activation(data, C, i, ...clamp));
    const results = sharesOf(ROWS).map((shares) => {
      const arena = createArena(module, 1);
      const { x, scale, offset } = pointersOf(arena, data);
      const mask = hasMask ? arena.floats(factors) : 0;
      const out = arena.floats(new Float32Array(ROWS * C).fill(Number.NaN));
      for (const share of shares) arena.kernels.f32DropoutForward(x, scale, offset, ...clamp, mask, out, C, ...share);
      return arena.readFloats(out, ROWS * C);
    });
    const expected = values.map(({ a }, i) => a * factors[i]!);
    const magnitude = values.map((value, i) => value.magnitude * factors[i]!);
    expect(worstError(results[0]!, expected, magnitude)).toBeLessThan(4e-7);
    expect(results[1]).toEqual(results[0]);
  });

  const backwardCases = cases.flatMap((size) => [1, 3, 7].map((rowsPerUnit) => ({ ...size, rowsPerUnit })));
  test.each(backwardCases)(
    'f32DropoutBackward, $C channels, clamp $clamp, mask $hasMask, $rowsPerUnit rows a unit',
    ({ real, C, clamp, hasMask, rowsPerUnit }) => {
      const data = dataOf(ROWS, ROWS, real, C, SEED);
      const factors = hasMask ? createMask(ROWS * C) : new Float32Array(ROWS * C).fill(1);
      const shape = { R: ROWS, C, rowsPerUnit };
      const expected = expectedGradient(
        data,
        shape,
        clamp,
        (row) => row,
        (i) => factors[i]!,
      );
      const units = Math.ceil(ROWS / rowsPerUnit);
      const results = sharesOf(units).map((shares) => {
        const arena = createArena(module, 1);
        const { x, scale, offset, mean, dy, z, c1, c2, c3 } = pointersOf(arena, data);
        const mask = hasMask ? arena.floats(factors) : 0;
        const dx = arena.floats(new Float32Array(ROWS * C).fill(Number.NaN));
        const sums = arena.doubles(new Float64Array(units * 2 * C).fill(Number.NaN));
        for (const [unitBegin, unitEnd] of shares) {
          arena.kernels.f32DropoutBackward(
            ...([x, scale, offset, mean, ...clamp, mask, dy, z, c1, c2, c3, dx, sums] as const),
            ...([rowsPerUnit, unitBegin, unitEnd, ROWS, C] as const),
          );
        }
        return [arena.readFloats(dx, ROWS * C), arena.readDoubles(sums, units * 2 * C)];
      });
      expect(worstError(results[0]![0]!, expected.dx, expected.magnitude)).toBeLessThan(4e-7);
      expect(worstError(results[0]![1]!, expected.sums, expected.sumMagnitude)).toBeLessThan(4e-7);
      expect(results[1]).toEqual(results[0]);
    },
  );
});
