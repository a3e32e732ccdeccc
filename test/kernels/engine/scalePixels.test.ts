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

/** A factor and a shift for each channel; those of the padding must not be seen. */
function scalingOf(channels: number, C: number) {
  const of = (values: Float32Array) =>
    Float64Array.from(values, (value, c) => (c < channels ? value / 255 : Number.NaN));
  return { factors: of(uniform(C, SEED + 1, 0.5, 5)), shifts: of(uniform(C, SEED + 2, -600, 0)) };
}

/** `out[p,c] = pixels[p,c] * factors[c] + shifts[c]`, rounded once; 0 in padding. */
function expectedOf(pixels: ArrayLike<number>, channels: number, C: number) {
  const { factors, shifts } = scalingOf(channels, C);
  const expected = new Float32Array(PIXELS * C);
  for (let p = 0; p < PIXELS; p++) {
    for (let c = 0; c < channels; c++) expected[p * C + c] = pixels[p * channels + c]! * factors[c]! + shifts[c]!;
  }
  return expected;
}

describe.each(flavours)(`%s: float64 rounded once, each channel by its own numbers (seed ${SEED})`, (_, module) => {
  const run = (pixels: Uint8Array | Float32Array, channels: number, C: number, shares: [number, number][]) => {
    const arena = createArena(module, 1);
    const { factors, shifts } = scalingOf(channels, C);
    const from = pixels instanceof Uint8Array ? arena.bytes(pixels) : arena.floats(pixels);
    const out = arena.floats(new Float32Array((PIXELS + 1) * C).fill(Number.NaN));
    const scaling = [arena.doubles(factors), arena.doubles(shifts)] as const;
    const kernel = pixels instanceof Uint8Array ? arena.kernels.f32ScaleBytes : arena.kernels.f32ScaleFloats;
    for (const [begin, end] of shares) kernel(from, out, begin, end, channels, C, ...scaling);
    expect(arena.readFloats(out + 4 * PIXELS * C, C)).toEqual(new Float32Array(C).fill(Number.NaN));
    return arena.readFloats(out, PIXELS * C);
  };

  test.each(sizes)('f32ScaleBytes, %i channels as %i', (channels, C) => {
    const random = createRandom(SEED, channels, C);
    const bytes = Uint8Array.from({ length: PIXELS * channels }, () => random.integer(256));
    bytes.set([0, 255]);
    for (const shares of sharesOf(PIXELS))
      expect(run(bytes, channels, C, shares)).toEqual(expectedOf(bytes, channels, C));
  });

  test.each(sizes)('f32ScaleFloats, %i channels as %i', (channels, C) => {
    const floats = uniform(PIXELS * channels, SEED, -10, 300);
    for (const shares of sharesOf(PIXELS))
      expect(run(floats, channels, C, shares)).toEqual(expectedOf(floats, channels, C));
  });

  test('f32ScaleFloats gives for whole numbers what f32ScaleBytes gives, bit by bit', () => {
    const bytes = Uint8Array.from({ length: PIXELS * 5 }, (_, i) => (i * 251) % 256);
    const shares = sharesOf(PIXELS)[0]!;
    expect(run(Float32Array.from(bytes), 5, 8, shares)).toEqual(run(bytes, 5, 8, shares));
  });
});
