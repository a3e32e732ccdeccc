import { expect, test } from 'vitest';
import { createRandom, shuffleInPlace } from '../src/random';

const draw = (random = createRandom(1), count = 5) => Array.from({ length: count }, () => random.uniform());

test('the same seed and stream give the same numbers, any other do not', () => {
  expect(draw(createRandom(7, 1, 2))).toEqual(draw(createRandom(7, 1, 2)));
  const streams = [[7], [8], [7, 0], [7, 1], [7, 0, 1], [7, 1, 0], [7 + 2 ** 32]] as [number, ...number[]][];
  expect(new Set(streams.map((stream) => draw(createRandom(...stream)).join())).size).toBe(streams.length);
});

test('known numbers, so that every platform draws them', () => {
  const random = createRandom(42, 3);
  expect(Array.from({ length: 4 }, () => random.integer(1000))).toMatchInlineSnapshot(`
    [
      880,
      681,
      947,
      796,
    ]
  `);
});

test('uniform, integer and normal have the mean and variance of their names (seed 5, 5 sigma)', () => {
  const random = createRandom(5);
  const n = 100_000;
  const moments = (next: () => number) => {
    const values = Array.from({ length: n }, next);
    const mean = values.reduce((sum, value) => sum + value, 0) / n;
    return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n];
  };
  const [uniformMean, uniformVariance] = moments(random.uniform);
  expect(Math.abs(uniformMean! - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
  expect(uniformVariance).toBeCloseTo(1 / 12, 2);
  const [normalMean, normalVariance] = moments(random.normal);
  expect(Math.abs(normalMean!)).toBeLessThan(5 * Math.sqrt(1 / n));
  expect(normalVariance).toBeCloseTo(1, 1);
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < n; i++) counts[random.integer(7)]! += 1;
  for (const count of counts) expect(Math.abs(count - n / 7)).toBeLessThan(5 * Math.sqrt(n / 7));
});

test('a shuffle is a permutation', () => {
  const shuffled = shuffleInPlace(
    Array.from({ length: 100 }, (_, i) => i),
    createRandom(3),
  );
  expect(shuffled).not.toEqual([...shuffled].sort((a, b) => a - b));
  expect(new Set(shuffled).size).toBe(100);
});
