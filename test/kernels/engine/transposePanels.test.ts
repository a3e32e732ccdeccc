import { describe, expect, test } from 'vitest';
import { createArena, flavours } from './arena';
import { sharesOf, uniform } from './values';

const SEED = 33;

describe.each(flavours)(`f32TransposePanels, %s: exact (seed ${SEED})`, (_, module) => {
  test.each([8, 16, 40].flatMap((K) => [8, 24, 64].map((F) => [K, F] as const)))('K %i, F %i', (K, F) => {
    const w = uniform(K * F, SEED);
    const expected = new Float32Array(K * F);
    for (let k = 0; k < K; k++) {
      for (let f = 0; f < F; f++) {
        expected[((k >> 3) * F + f) * 8 + (k & 7)] = w[((f >> 3) * K + k) * 8 + (f & 7)]!;
      }
    }
    for (const shares of sharesOf(K / 8)) {
      const arena = createArena(module, 1);
      const from = arena.floats(w);
      const out = arena.floats(new Float32Array(K * F));
      for (const [begin, end] of shares) arena.kernels.f32TransposePanels(from, out, K, F, begin, end);
      expect(arena.readFloats(out, K * F)).toEqual(expected);
    }
  });
});
