import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/random';
import { createArena, flavours } from './arena';
import { sharesOf, uniform } from './values';

const SEED = 31;
const PIXELS = 13;

const sizes = [
  [1, 4],
  [1, 8],
  [3, 4],
  [3, 8],
  [4, 4],
  [5, 8],
  [8, 8],
  [9, 16],
] as const;

describe.each(flavours)(`f32FromBytes, %s: float64 rounded once (seed ${SEED})`, (_, module) => {
  test.each(sizes)('%i channels as %i', (channels, C) => {
    const random = createRandom(SEED, channels, C);
    const bytes = Uint8Array.from({ length: PIXELS * channels }, () => random.integer(256));
    bytes.set([0, 255]);
    const [factor, shift] = [1 / 127.5, -1];
    const expected = new Float32Array(PIXELS * C);
    for (let p = 0; p < PIXELS; p++) {
      for (let c = 0; c < channels; c++) {
        expected[p * C + c] = bytes[p * channels + c]! * factor + shift;
      }
    }
    const results = sharesOf(PIXELS).map((shares) => {
      const arena = createArena(module, 1);
      const x = arena.bytes(bytes);
      const out = arena.floats(new Float32Array((PIXELS + 1) * C).fill(Number.NaN));
      for (const [begin, end] of shares) arena.kernels.f32FromBytes(x, out, begin, end, channels, C, factor, shift);
      expect(arena.readFloats(out + 4 * PIXELS * C, C)).toEqual(new Float32Array(C).fill(Number.NaN));
      return arena.readFloats(out, PIXELS * C);
    });
    expect(results[0]).toEqual(expected);
    expect(results[1]).toEqual(results[0]);
  });
});

describe.each(flavours)(`f32FromFloats, %s: float64 rounded once (seed ${SEED})`, (_, module) => {
  test.each(sizes)('%i channels as %i', (channels, C) => {
    const floats = uniform(PIXELS * channels, SEED, -10, 300);
    const [factor, shift] = [1 / 127.5, -1];
    const expected = new Float32Array(PIXELS * C);
    floats.forEach((value, i) => {
      expected[Math.floor(i / channels) * C + (i % channels)] = value * factor + shift;
    });
    for (const shares of sharesOf(PIXELS)) {
      const arena = createArena(module, 1);
      const x = arena.floats(floats);
      const out = arena.floats(new Float32Array((PIXELS + 1) * C).fill(Number.NaN));
      for (const [begin, end] of shares) arena.kernels.f32FromFloats(x, out, begin, end, channels, C, factor, shift);
      expect(arena.readFloats(out + 4 * PIXELS * C, C)).toEqual(new Float32Array(C).fill(Number.NaN));
      expect(arena.readFloats(out, PIXELS * C)).toEqual(expected);
    }
  });

  test('gives for whole numbers what f32FromBytes gives, bit by bit', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    for (const [factor, shift] of [
      [1 / 127.5, -1],
      [1 / 255, 0],
      [1, -123.68],
    ] as const) {
      const arena = createArena(module, 1);
      const [ofBytes, ofFloats] = [arena.floats(new Float32Array(1024)), arena.floats(new Float32Array(1024))];
      arena.kernels.f32FromBytes(arena.bytes(bytes), ofBytes, 0, 256, 1, 4, factor, shift);
      arena.kernels.f32FromFloats(arena.floats(bytes), ofFloats, 0, 256, 1, 4, factor, shift);
      expect(arena.readFloats(ofFloats, 1024)).toEqual(arena.readFloats(ofBytes, 1024));
    }
  });
});
