import { describe, expect, test } from 'vitest';
import { createArena, flavours } from './arena';
import { uniform } from './values';

const SEED = 32;
const COUNT = 20_000;

describe.each(flavours)(`the softmax's exp and log, %s (seed ${SEED})`, (_, module) => {
  const { f64Exp, f64Log } = createArena(module, 1).kernels;

  test.each([1e-9, 1, 50, 707])('f64Exp has a relative error below 1e-14 for |x| < %d', (reach) => {
    for (const x of uniform(COUNT, SEED, -reach, reach)) {
      expect(Math.abs(f64Exp(x) / Math.exp(x) - 1), `x = ${x}`).toBeLessThan(1e-14);
    }
  });

  test('f64Exp at the ends of its range', () => {
    expect([0, -709, 710, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN].map(f64Exp)).toEqual([
      1,
      0,
      Number.POSITIVE_INFINITY,
      0,
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ]);
  });

  test.each([1e-7, 1, 50, 707])('f64Log has a relative error below 1e-14 at e^y, |y| < %d', (reach) => {
    for (const y of uniform(COUNT, SEED, -reach, reach)) {
      const x = Math.exp(y);
      const expected = Math.log(x);
      expect(Math.abs(f64Log(x) - expected), `x = ${x}`).toBeLessThanOrEqual(1e-14 * Math.abs(expected));
    }
  });

  test('f64Log at the ends of its ranges', () => {
    expect(f64Log(1)).toBe(0);
    expect(f64Log(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(f64Log(Number.NaN)).toBeNaN();
    for (const x of [Math.SQRT1_2, Math.SQRT2, 2, 0.5, 2 ** -1022, Number.MAX_VALUE]) {
      expect(Math.abs(f64Log(x) / Math.log(x) - 1), `x = ${x}`).toBeLessThan(1e-14);
    }
  });
});
