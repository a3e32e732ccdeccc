import { describe, expect, test } from 'vitest';
import { quantizeChannels } from '../../src/graph/quantizeChannels';
import { roundHalfEven } from '../../src/graph/roundHalfEven';
import { createRandom } from '../../src/random';

const SEED = 53;

describe('roundHalfEven', () => {
  test.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [0.49999999999999994, 0],
    [3.7, 4],
    [-3.7, -4],
    [2 ** 50 + 1, 2 ** 50 + 1],
  ])('%d is %d', (value, expected) => {
    expect(roundHalfEven(value) + 0).toBe(expected);
  });
});

describe('quantizeChannels', () => {
  test('each channel has its own scale, and its largest weight is 127', () => {
    const kernel = Float32Array.of(1.27, -254, 0, 0.635, 127, 0);
    const { values, scales } = quantizeChannels(kernel, 3);
    expect([...scales]).toEqual([Math.fround(Math.fround(1.27) / 127), 2, 1]);
    // 0.635 / 0.01 is 63.5, or next to it.
    expect([...values]).toEqual([127, -127, 0, expect.toBeOneOf([63, 64]), 64, 0]);
  });

  test('of two equally near levels the even one', () => {
    const { values } = quantizeChannels(Float32Array.of(127, 0.5, 1.5, -0.5, -2.5), 1);
    expect([...values]).toEqual([127, 0, 2, 0, -2]);
  });

  test('scales are no less than asked for', () => {
    const { values, scales } = quantizeChannels(Float32Array.of(127, 127, -64, -64), 2, Float64Array.of(0.5, 2));
    expect([...scales]).toEqual([1, 2]);
    expect([...values]).toEqual([127, 64, -64, -32]);
  });

  test(`a weight moves by at most half of its scale (seed ${SEED})`, () => {
    const random = createRandom(SEED);
    const channels = 7;
    const kernel = Float32Array.from({ length: 50 * channels }, (_, i) => random.normal() * 10 ** ((i % channels) - 3));
    const { values, scales } = quantizeChannels(kernel, channels);
    // The scale is rounded to float32, so that the largest weight may be 127 and a trace more.
    const worst = kernel.reduce((most, weight, i) => {
      const scale = scales[i % channels]!;
      return Math.max(most, Math.abs(weight - values[i]! * scale) / scale);
    }, 0);
    expect(worst).toBeLessThanOrEqual(0.5 + 1e-5);
    expect(worst).toBeGreaterThan(0.4);
    expect(Math.max(...values.map(Math.abs))).toBe(127);
  });
});
