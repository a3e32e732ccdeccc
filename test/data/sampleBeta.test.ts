import { expect, test } from 'vitest';
import { sampleBeta } from '../../src/data/sampleBeta';
import { createRandom } from '../../src/random';

const SEED = 23;
const COUNT = 20_000;

// E[x^k] = product of (a + r) / (a + b + r), r below k.
test.each([
  [0.2, 0.2],
  [1, 1],
  [0.5, 2],
  [8, 3],
  [0.05, 0.05],
])(`20,000 numbers have the first three moments of Beta(%d, %d), within 5 standard errors (seed ${SEED})`, (a, b) => {
  const random = createRandom(SEED, 0);
  const numbers = Array.from({ length: COUNT }, () => sampleBeta(random, a, b));
  expect(numbers.every((x) => x >= 0 && x <= 1)).toBe(true);
  const momentOf = (k: number) => {
    let moment = 1;
    for (let r = 0; r < k; r++) moment *= (a + r) / (a + b + r);
    return moment;
  };
  for (const k of [1, 2, 3]) {
    const mean = numbers.reduce((sum, x) => sum + x ** k, 0) / COUNT;
    const standardError = Math.sqrt((momentOf(2 * k) - momentOf(k) ** 2) / COUNT);
    expect(Math.abs(mean - momentOf(k))).toBeLessThan(5 * standardError);
  }
});

test(`Beta(1, 1) is uniform: tenths of 20,000 are near 2,000 (seed ${SEED})`, () => {
  const random = createRandom(SEED, 1);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < COUNT; i++) counts[Math.floor(10 * sampleBeta(random, 1, 1))]!++;
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(212); // 5 standard deviations of 42.
});

test('shapes whose gamma numbers are below any float64 still give numbers, mostly 0 or 1', () => {
  const random = createRandom(SEED, 2);
  const numbers = Array.from({ length: 1000 }, () => sampleBeta(random, 1e-3, 1e-3));
  const ends = numbers.filter((x) => x < 1e-6 || x > 1 - 1e-6).length;
  expect(numbers.some(Number.isNaN)).toBe(false);
  expect(ends).toBeGreaterThan(950);
});
