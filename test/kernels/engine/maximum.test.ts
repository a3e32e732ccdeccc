import { describe, expect, test } from 'vitest';
import { createArena, flavours } from './arena';
import { uniform } from './values';

const SEED = 44;

describe.each(flavours)(`f32Maximum, %s (seed ${SEED})`, (_, module) => {
  test.each([4, 8, 12, 100])('finds the largest of %i, wherever it stands', (count) => {
    const values = uniform(count, SEED, -9, 9);
    for (let at = 0; at < count; at++) {
      const spiked = values.slice();
      spiked[at] = 10 + at;
      const arena = createArena(module, 1);
      expect(arena.kernels.f32Maximum(arena.floats(spiked), 0, count)).toBe(10 + at);
    }
  });

  test('reads its own range and nothing else', () => {
    const arena = createArena(module, 1);
    const x = arena.floats([9, 9, 9, 9, 1, 2, 3, 2, -1, 4, 0, 1, 9, 9, 9, 9]);
    expect(arena.kernels.f32Maximum(x, 4, 12)).toBe(4);
    expect(arena.kernels.f32Maximum(x, 4, 8)).toBe(3);
  });

  test('is 0 where nothing is above 0, and of nothing', () => {
    const arena = createArena(module, 1);
    const x = arena.floats(uniform(16, SEED, -9, -1));
    expect(arena.kernels.f32Maximum(x, 0, 16)).toBe(0);
    expect(arena.kernels.f32Maximum(x, 8, 8)).toBe(0);
  });
});
