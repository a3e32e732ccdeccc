import { describe, expect, test } from 'vitest';
import { createArena, flavours } from './arena';
import { sharesOf, uniform } from './values';

const SEED = 41;

describe.each(flavours)('%s: f32SumGroups', (_, bytes) => {
  test.each([
    [1, 4],
    [3, 12],
    [17, 40],
    [128, 8],
  ])(`of %i groups of %i is the float64 sum, rounded once, in any shares, seed ${SEED}`, (groups, count) => {
    const partials = uniform(groups * count, SEED);
    const arena = createArena(bytes, 1);
    const from = arena.floats(partials);
    const expected = Float32Array.from({ length: count }, (_, i) => {
      let sum = 0;
      for (let group = 0; group < groups; group++) sum += partials[group * count + i]!;
      return sum;
    });
    for (const shares of sharesOf(count / 4)) {
      const out = arena.floats(new Float32Array(count + 4).fill(7));
      for (const [begin, end] of shares) arena.kernels.f32SumGroups(from, out, groups, count, begin * 4, end * 4);
      expect(arena.readFloats(out, count + 4)).toEqual(Float32Array.from([...expected, 7, 7, 7, 7]));
    }
  });
});
