import { describe, expect, test } from 'vitest';
import { type Arena, createArena, flavours } from './arena';
import { paddedUniform, sharesOf, uniform, worstError } from './values';

// Batch norm over R rows of C channels, the last C - real of them padding, its sums given in `slots` parts.

const SEED = 35;
const EPSILON = 1e-3;
const sizes = [
  { slots: 1, R: 5, real: 8, C: 8 },
  { slots: 3, R: 9, real: 13, C: 16 },
  { slots: 17, R: 40, real: 20, C: 24 },
];
const cases = sizes.flatMap((size) => [true, false].map((hasParameters) => ({ ...size, hasParameters })));

type Size = (typeof cases)[number];

/** Values whose mean is large beside their deviation, as sums in float64 like least. */
function dataOf({ R, real, C, hasParameters }: Size) {
  const row = (seed: number, low: number, high: number) => paddedUniform(1, real, C, SEED + seed, low, high);
  return {
    z: paddedUniform(R, real, C, SEED, 3, 4),
    dy: paddedUniform(R, real, C, SEED + 1),
    gamma: hasParameters ? row(2, 0.5, 2) : undefined,
    beta: hasParameters ? row(3, -1, 1) : undefined,
    bias: hasParameters ? row(4, -1, 1) : undefined,
    movingMean: row(5, 2, 4),
    movingVariance: row(6, 0.1, 1),
  };
}

/** `[slots][2][C]`: sums over the rows, row r in slot r % slots, of `first` and of `second`. */
function slotsOf({ slots, R, C }: Size, first: (i: number) => number, second: (i: number) => number) {
  const sums = new Float64Array(slots * 2 * C);
  for (let r = 0; r < R; r++) {
    for (let c = 0; c < C; c++) {
      sums[(r % slots) * 2 * C + c]! += first(r * C + c);
      sums[(r % slots) * 2 * C + C + c]! += second(r * C + c);
    }
  }
  return sums;
}

/** The plain mean over rows of one channel. */
const meanOver = ({ R, C }: Size, c: number, value: (i: number) => number) => {
  let sum = 0;
  for (let r = 0; r < R; r++) sum += value(r * C + c);
  return sum / R;
};

/** The statistics of one channel of the batch, float64. */
function statistics(size: Size, z: Float32Array, c: number) {
  const mean = meanOver(size, c, (i) => z[i]!);
  return { mean, variance: meanOver(size, c, (i) => (z[i]! - mean) ** 2) };
}

/** Runs a kernel that writes vectors of C channels, once for each way to share them out; the bits may not differ. */
function runShares<Name extends string>(
  module: BufferSource,
  C: number,
  names: readonly Name[],
  run: (arena: Arena, out: Record<Name, number>, share: [begin: number, end: number]) => void,
): Record<Name, Float32Array> {
  const results = sharesOf(C).map((shares) => {
    const arena = createArena(module, 1);
    const pointers = names.map((name) => [name, arena.floats(new Float32Array(C).fill(Number.NaN))] as const);
    for (const share of shares) run(arena, Object.fromEntries(pointers) as Record<Name, number>, share);
    return Object.fromEntries(pointers.map(([name, pointer]) => [name, arena.readFloats(pointer, C)]));
  });
  expect(results[1]).toEqual(results[0]);
  return results[0] as Record<Name, Float32Array>;
}

const FORWARD = ['mean', 'variance', 'rstd', 'scale', 'offset'] as const;
const INFERENCE = ['mean', 'rstd', 'scale', 'offset'] as const;
const BACKWARD = ['dgamma', 'dbeta', 'dbias', 'c1', 'c2', 'c3'] as const;

const title = `%s: y within 4e-7 of |scale * z| + |offset|, vectors within 2e-7 of themselves (seed ${SEED})`;

describe.each(flavours)(title, (_, module) => {
  const pointerTo = (arena: Arena, values?: Float32Array) => (values ? arena.floats(values) : 0);

  /** Compares `scale * z + offset` with the definition, and the padding with 0. */
  function expectNormalised(
    size: Size,
    scale: Float32Array,
    offset: Float32Array,
    y: (i: number, c: number) => number,
  ) {
    const { R, real, C } = size;
    const { z } = dataOf(size);
    for (let i = 0; i < R * C; i++) {
      const c = i % C;
      const [product, shift] = [scale[c]! * z[i]!, offset[c]!];
      const expected = c < real ? y(i, c) : 0;
      expect(worstError([product + shift], [expected], [Math.abs(product) + Math.abs(shift)])).toBeLessThan(4e-7);
    }
  }

  test.each(cases)('f32BatchNormForward, $slots slots, $real of $C channels, parameters $hasParameters', (size) => {
    const { slots, R, real, C } = size;
    const { z, gamma, beta } = dataOf(size);
    const moments = slotsOf(
      size,
      (i) => z[i]!,
      (i) => z[i]! ** 2,
    );
    const { mean, variance, rstd, scale, offset } = runShares(module, C, FORWARD, (arena, out, share) => {
      arena.kernels.f32BatchNormForward(
        ...([arena.doubles(moments), slots, C, R, pointerTo(arena, gamma), pointerTo(arena, beta), EPSILON] as const),
        ...([out.mean, out.variance, out.rstd, out.scale, out.offset, real, ...share] as const),
      );
    });
    const expected = Array.from({ length: C }, (_, c) => statistics(size, z, c));
    expect(
      worstError(
        mean,
        expected.map((s) => s.mean),
      ),
    ).toBeLessThan(2e-7);
    expect(
      worstError(
        variance,
        expected.map((s) => s.variance),
      ),
    ).toBeLessThan(2e-7);
    const roots = expected.map((s, c) => (c < real ? 1 / Math.sqrt(s.variance + EPSILON) : 0));
    expect(worstError(rstd, roots)).toBeLessThan(2e-7);
    expectNormalised(size, scale, offset, (i, c) => {
      return (z[i]! - expected[c]!.mean) * roots[c]! * (gamma?.[c] ?? 1) + (beta?.[c] ?? 0);
    });
  });

  test.each(cases)('f32BatchNormInference, $real of $C channels, parameters $hasParameters', (size) => {
    const { real, C } = size;
    const { z, gamma, beta, bias, movingMean, movingVariance } = dataOf(size);
    const { mean, rstd, scale, offset } = runShares(module, C, INFERENCE, (arena, out, share) => {
      arena.kernels.f32BatchNormInference(
        ...([pointerTo(arena, gamma), pointerTo(arena, beta), arena.floats(movingMean)] as const),
        ...([arena.floats(movingVariance), EPSILON, pointerTo(arena, bias)] as const),
        ...([out.mean, out.rstd, out.scale, out.offset, real, ...share] as const),
      );
    });
    const means = Array.from(movingMean, (value, c) => value - (bias?.[c] ?? 0));
    const roots = Array.from(movingVariance, (value, c) => (c < real ? 1 / Math.sqrt(value + EPSILON) : 0));
    expect(worstError(mean, means)).toBeLessThan(2e-7);
    expect(worstError(rstd, roots)).toBeLessThan(2e-7);
    expectNormalised(size, scale, offset, (i, c) => {
      const withBias = z[i]! + (bias?.[c] ?? 0);
      return (withBias - movingMean[c]!) * roots[c]! * (gamma?.[c] ?? 1) + (beta?.[c] ?? 0);
    });
  });

  test.each(cases)('f32BiasOnly, $real of $C channels, bias $hasParameters', (size) => {
    const { real, C } = size;
    const { bias } = dataOf(size);
    const { scale, offset } = runShares(module, C, ['scale', 'offset'], (arena, out, share) =>
      arena.kernels.f32BiasOnly(pointerTo(arena, bias), out.scale, out.offset, real, ...share),
    );
    expect(scale).toEqual(new Float32Array(C).fill(1, 0, real));
    expect(offset).toEqual(bias ?? new Float32Array(C));
  });

  test('of constant channels no variance is below 0, and epsilon 0 leaves no infinite value in the padding', () => {
    const size: Size = { slots: 1, R: 101, real: 16, C: 24, hasParameters: false };
    const { R, real, C } = size;
    const values = paddedUniform(1, real, C, SEED, 1, 2);
    const moments = slotsOf(
      size,
      (i) => values[i % C]!,
      (i) => values[i % C]! ** 2,
    );
    const rounded = Array.from({ length: real }, (_, c) => moments[C + c]! / R - (moments[c]! / R) ** 2);
    expect(Math.min(...rounded)).toBeLessThan(0);
    for (const epsilon of [0, EPSILON]) {
      const { mean, variance, rstd, scale, offset } = runShares(module, C, FORWARD, (arena, out, share) => {
        arena.kernels.f32BatchNormForward(
          ...([arena.doubles(moments), size.slots, C, R, 0, 0, epsilon] as const),
          ...([out.mean, out.variance, out.rstd, out.scale, out.offset, real, ...share] as const),
        );
      });
      expect(worstError(mean, values)).toBeLessThan(1e-7);
      expect(Math.min(...variance)).toBe(0);
      expect(Math.max(...variance)).toBeLessThan(1e-15);
      if (epsilon > 0) expect(rstd.slice(0, real)).toEqual(new Float32Array(real).fill(1 / Math.sqrt(epsilon)));
      for (const vector of [rstd, scale, offset]) expect(vector.slice(real)).toEqual(new Float32Array(C - real));
    }
  });

  test.each([0, 0.5, 0.9, 0.99])('f32MovingAverage, momentum %d, with and without an extra vector', (momentum) => {
    const [moving, value, extra] = [uniform(16, SEED), uniform(16, SEED + 1), uniform(16, SEED + 2)];
    for (const hasExtra of [true, false]) {
      const { average } = runShares(module, 16, ['average'], (arena, out, share) =>
        arena.kernels.f32MovingAverage(
          ...([arena.floats(moving), out.average, arena.floats(value), hasExtra ? arena.floats(extra) : 0] as const),
          ...([momentum, ...share] as const),
        ),
      );
      const sums = Array.from(value, (v, i) => v + (hasExtra ? extra[i]! : 0));
      const expected = sums.map((v, i) => momentum * moving[i]! + (1 - momentum) * v);
      expect(
        worstError(
          average,
          expected,
          sums.map((v, i) => Math.abs(v) + Math.abs(moving[i]!)),
        ),
      ).toBeLessThan(2e-7);
    }
  });

  const backwardCases = cases.flatMap((size) => [true, false].map((isBatch) => ({ ...size, isBatch })));
  test.each(backwardCases)('f32BatchNormBackward, $slots slots, $C channels, batch statistics $isBatch', (size) => {
    const { slots, R, real, C, isBatch, hasParameters } = size;
    const { z, dy, gamma, movingMean, movingVariance } = dataOf(size);
    const of = Array.from({ length: C }, (_, c) =>
      isBatch ? statistics(size, z, c) : { mean: movingMean[c]!, variance: movingVariance[c]! },
    );
    const mean = Float32Array.from(of, (s) => s.mean);
    const rstd = Float32Array.from(of, (s, c) => (c < real ? 1 / Math.sqrt(s.variance + EPSILON) : 0));
    const scale = rstd.map((r, c) => r * (gamma?.[c] ?? 1));
    const sums = slotsOf(
      size,
      (i) => dy[i]!,
      (i) => dy[i]! * (z[i]! - mean[i % C]!),
    );
    const { c1, c2, c3, ...gradients } = runShares(module, C, BACKWARD, (arena, out, share) => {
      const wanted = hasParameters ? ([out.dgamma, out.dbeta, out.dbias] as const) : ([0, 0, 0] as const);
      arena.kernels.f32BatchNormBackward(
        ...([arena.doubles(sums), slots, C, R, arena.floats(rstd), arena.floats(scale), arena.floats(mean)] as const),
        ...([isBatch, ...wanted, out.c1, out.c2, out.c3, ...share] as const),
      );
    });

    // By the chain rule through mean and variance, one value after the other.
    const normal = (i: number) => (z[i]! - mean[i % C]!) * rstd[i % C]!;
    for (let i = 0; i < R * C; i++) {
      const c = i % C;
      const throughMean = isBatch ? meanOver(size, c, (j) => dy[j]!) : 0;
      const throughVariance = isBatch ? normal(i) * meanOver(size, c, (j) => dy[j]! * normal(j)) : 0;
      const expected = scale[c]! * (dy[i]! - throughMean - throughVariance);
      const terms = [c1[c]! * dy[i]!, c2[c]! * z[i]!, c3[c]!];
      const magnitude = terms.reduce((sum, term) => sum + Math.abs(term), 0);
      const actual = terms.reduce((sum, term) => sum + term, 0);
      expect(worstError([actual], [expected], [magnitude])).toBeLessThan(4e-7);
    }

    const expectTotal = (gradient: Float32Array, value: (i: number) => number) => {
      for (let c = 0; c < C; c++) {
        const expected = R * meanOver(size, c, value);
        const magnitude = R * meanOver(size, c, (i) => Math.abs(value(i)));
        const actual = [gradient[c]!];
        if (hasParameters) expect(worstError(actual, [expected], [magnitude])).toBeLessThan(2e-7);
        else expect(actual).toEqual([Number.NaN]);
      }
    };
    expectTotal(gradients.dgamma, (i) => dy[i]! * normal(i));
    expectTotal(gradients.dbeta, (i) => dy[i]!);
    expectTotal(gradients.dbias, (i) => (isBatch ? 0 : dy[i]! * scale[i % C]!));
  });
});
