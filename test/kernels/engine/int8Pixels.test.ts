import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/random';
import { quantizePixels } from '../../graph/integerReference';
import { createArena, flavours } from './arena';
import { levels, readBytes } from './int8Values';
import { sharesOf } from './values';

const SEED = 47;
const PIXELS = 29;

describe.each(flavours)(`i16FromPixels, %s: float64 rounded once (seed ${SEED})`, (_, module) => {
  const ranges = [
    [-1, 1],
    [0, 1],
    [-2.1, 2.6],
    [-123.68, 151.061],
    [100, 101],
  ] as const;
  const sizes = [
    [1, 4],
    [3, 4],
    [4, 4],
    [5, 8],
    [8, 8],
  ] as const;
  const all = ranges.flatMap((range) => sizes.map((size) => [range, ...size] as const));
  test.each(all)('range %o, %i channels as %i', (range, channels, C) => {
    const random = createRandom(SEED, channels, C);
    const bytes = Uint8Array.from({ length: PIXELS * channels }, () => random.integer(256));
    bytes.set([0, 255].slice(0, channels));
    const floats = Float32Array.from({ length: PIXELS * channels }, () => 255 * random.uniform());
    // What no picture has stays within 16 bits.
    floats.set([1e30, -1e30]);
    const scale = Math.max((range[1] - range[0]) / 510, Math.max(...range.map(Math.abs)) / 32767);
    const factor = (range[1] - range[0]) / 255 / scale;
    for (const source of [bytes, floats]) {
      const isFloat = source === floats;
      const quantized = quantizePixels(source, range, scale);
      const expected = new Int16Array(PIXELS * C).map((_, i) =>
        i % C < channels ? quantized[Math.floor(i / C) * channels + (i % C)]! : 0,
      );
      for (const shares of sharesOf(PIXELS)) {
        const arena = createArena(module, 1);
        const x = isFloat ? arena.floats(source) : arena.bytes(source);
        const out = arena.bytes(new Uint8Array((PIXELS + 1) * C * 2).fill(255));
        for (const [begin, end] of shares) {
          arena.kernels.i16FromPixels(x, out, begin, end, channels, C, factor, range[0] / scale, isFloat);
        }
        const result = new Int16Array(readBytes(arena, out, (PIXELS + 1) * C * 2).buffer);
        expect(result.subarray(0, PIXELS * C)).toEqual(expected);
        expect(result.subarray(PIXELS * C).every((value) => value === -1)).toBe(true);
      }
    }
  });

  test('-1 to 1 and 0 to 1 are exact', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect([...quantizePixels(bytes, [-1, 1], 2 / 510)]).toEqual([...bytes].map((byte) => 2 * byte - 255));
    expect([...quantizePixels(bytes, [0, 1], 1 / 510)]).toEqual([...bytes].map((byte) => 2 * byte));
  });
});

describe.each(flavours)(`i8GlobalAverage, %s: float32 of the sum, times the factor (seed ${SEED})`, (_, module) => {
  test.each([
    [1, 1, 16],
    [3, 49, 32],
    [4, 196, 48],
  ])('%i pictures of %i pixels, %i channels', (N, pixels, C) => {
    const x = levels(N * pixels * C, createRandom(SEED, N, pixels, C));
    const factor = Math.fround(0.0472 / pixels);
    const expected = new Float32Array(N * C);
    for (let i = 0; i < x.length; i++) expected[Math.floor(i / C / pixels) * C + (i % C)]! += x[i]!;
    for (const shares of sharesOf(N)) {
      const arena = createArena(module, 1);
      const [from, out] = [arena.bytes(x), arena.floats(new Float32Array(N * C))];
      for (const [begin, end] of shares) arena.kernels.i8GlobalAverage(from, out, factor, pixels, C, begin, end);
      expect(arena.readFloats(out, N * C)).toEqual(expected.map((sum) => sum * factor));
    }
  });
});

describe.each(flavours)(`f32FromU8, %s: rounded once (seed ${SEED})`, (_, module) => {
  test('all bytes', () => {
    const x = Uint8Array.from({ length: 256 }, (_, i) => i);
    const scale = Math.fround(6 / 127);
    for (const shares of sharesOf(16)) {
      const arena = createArena(module, 1);
      const [from, out] = [arena.bytes(x), arena.floats(new Float32Array(256))];
      for (const [begin, end] of shares) arena.kernels.f32FromU8(from, out, scale, 16 * begin, 16 * end);
      expect(arena.readFloats(out, 256)).toEqual(Float32Array.from(x, (value) => value * scale));
    }
  });
});
