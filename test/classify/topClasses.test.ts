import { describe, expect, test } from 'vitest';
import { topClasses } from '../../src/classify/topClasses';
import { softmax } from '../../src/engine/softmax';
import { createRandom } from '../../src/random';

const names = (count: number) => Array.from({ length: count }, (_, k) => `name ${k}`);

describe('topClasses', () => {
  test('sorts by probability, equal ones by index, and names them', () => {
    expect(topClasses([0.2, 0.4, 0.2, 0.2], names(4), 3)).toEqual([
      { className: 'name 1', classIndex: 1, probability: 0.4 },
      { className: 'name 0', classIndex: 0, probability: 0.2 },
      { className: 'name 2', classIndex: 2, probability: 0.2 },
    ]);
  });

  test('gives all classes where more are asked for', () => {
    expect(topClasses([0.25, 0.75], names(2), 5).map(({ classIndex }) => classIndex)).toEqual([1, 0]);
  });

  test.each([1, 2, 3, 4, 5])('is the head of a stable sort, with many equal values (seed %i)', (seed) => {
    const random = createRandom(seed);
    const values = Array.from({ length: 200 }, () => random.integer(40) / 1000);
    const sorted = values.map((_, k) => k).sort((a, b) => values[b]! - values[a]! || a - b);
    for (const count of [1, 2, 7, 199, 200, 201]) {
      const found = topClasses(values, names(200), count).map(({ classIndex }) => classIndex);
      expect(found).toEqual(sorted.slice(0, count));
    }
  });
});

describe('softmax', () => {
  test('of each row, within 1e-7 of the definition', () => {
    const logits = Float32Array.of(1, 2, 3, -1, 0, 0.5);
    const expected = [0, 1].flatMap((n) => {
      const powers = Array.from(logits.subarray(3 * n, 3 * n + 3), Math.exp);
      const sum = powers.reduce((a, b) => a + b);
      return powers.map((power) => power / sum);
    });
    softmax(logits, 3).forEach((p, i) => void expect(Math.abs(p - expected[i]!)).toBeLessThan(1e-7));
  });

  test('does not overflow, and adds up to 1 within 1e-6 over a thousand classes', () => {
    expect([...softmax(Float32Array.of(1e30, -1e30, 1e30), 3)]).toEqual([0.5, 0, 0.5]);
    const random = createRandom(1);
    const p = softmax(
      Float32Array.from({ length: 1000 }, () => 10 * random.normal()),
      1000,
    );
    expect(Math.abs(p.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-6);
  });
});
