import { createRandom } from '../../../src/random';

/** Uniform float32 in [low, high). */
export function uniform(count: number, seed: number, low = -1, high = 1): Float32Array {
  const random = createRandom(seed, count);
  return Float32Array.from({ length: count }, () => low + (high - low) * random.uniform());
}

/** The same with zeros from `real` on in each row of `padded`, as the engine pads channels. */
export function paddedUniform(rows: number, real: number, padded: number, seed: number, low = -1, high = 1) {
  return uniform(rows * padded, seed, low, high).map((value, i) => (i % padded < real ? value : 0));
}

/** The largest |actual - expected| as a part of `magnitude`, Infinity where one is not a number. */
export function worstError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  magnitude: ArrayLike<number> = expected,
): number {
  let worst = actual.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    const error = difference === 0 ? 0 : difference / Math.abs(magnitude[i]!);
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
  }
  return worst;
}

/** `[begin, end)` pairs that cover `count` in one piece, and in three. */
export function sharesOf(count: number): [number, number][][] {
  const first = Math.floor(count / 3);
  const second = Math.floor((2 * count) / 3);
  return [
    [[0, count]],
    [
      [second, count],
      [0, first],
      [first, second],
    ],
  ];
}
