import { describe, expect, test } from 'vitest';
import { createArena, flavours } from './arena';
import { CLAMPS, type Clamp } from './elementwise';
import { sharesOf, uniform, worstError } from './values';
import { forEachTap, type WindowCase, windowCases, windowTitle } from './windows';

const SEED = 43;
/** Of the sum of |terms|: KH * KW products and a bias, each rounded in float32. */
const BOUND = 1e-6;

/** Padded channels C and Q; M outputs for each input channel. */
const channelCases = [
  { C: 8, Q: 8, M: 1 },
  { C: 24, Q: 24, M: 1 },
  { C: 8, Q: 16, M: 2 },
  { C: 8, Q: 16, M: 3 },
  { C: 16, Q: 40, M: 3 },
] as const;

type Channels = (typeof channelCases)[number];

describe.each(flavours)(
  `f32DepthwisePixels, %s: errors below 1e-6 of the sum of |terms| (seed ${SEED})`,
  (_, module) => {
    const cases = windowCases.map((one, i) => [windowTitle(one), CLAMPS[i % CLAMPS.length]!, one] as const);
    test.each(cases)('%s, clamp %o', (_title, clamp, one) => {
      for (const channels of channelCases) checkPixels(module, one, channels, clamp);
    });

    test('every first and last pixel of a range gives the same bits', () => {
      for (const one of [windowCases[4]!, windowCases[6]!]) {
        const { x, w, bias } = dataOf(one, channelCases[0]);
        const pixels = one.N * one.OH * one.OW;
        const whole = run(module, one, channelCases[0], [0, 6], { x, w, bias }, [[0, pixels]]);
        for (let cut = 1; cut < pixels; cut++) {
          const shares: [number, number][] = [
            [cut, pixels],
            [0, cut],
          ];
          expect(run(module, one, channelCases[0], [0, 6], { x, w, bias }, shares), `cut at ${cut}`).toEqual(whole);
        }
      }
    });
  },
);

function checkPixels(module: BufferSource, one: WindowCase, channels: Channels, clamp: Clamp): void {
  const { Q, C, M } = channels;
  const pixels = one.N * one.OH * one.OW;
  const data = dataOf(one, channels);
  const expected = Float64Array.from({ length: pixels * Q }, (_, i) => data.bias[i % Q]!);
  const magnitude = expected.map(Math.abs);
  forEachTap(one, (out, tap, pixel) => {
    if (pixel === undefined) return;
    for (let q = 0; q < Q; q++) {
      const term = data.x[pixel * C + Math.floor(q / M)]! * data.w[tap * Q + q]!;
      expected[out * Q + q]! += term;
      magnitude[out * Q + q]! += Math.abs(term);
    }
  });
  const [low, high] = clamp;
  const clamped = expected.map((value) => Math.min(Math.max(value, low), high));
  const results = sharesOf(pixels).map((shares) => run(module, one, channels, clamp, data, shares));
  expect(worstError(results[0]!, clamped, magnitude), `C ${C}, Q ${Q}, M ${M}`).toBeLessThan(BOUND);
  expect(results[1]).toEqual(results[0]);
}

function dataOf({ N, H, W, window }: WindowCase, { C, Q }: Channels) {
  return {
    x: uniform(N * H * W * C, SEED, -2, 4),
    w: uniform(window[0] * window[1] * Q, SEED + 1),
    bias: uniform(Q, SEED + 2, -1, 3),
  };
}

function run(
  module: BufferSource,
  { N, H, W, OH, OW, window }: WindowCase,
  { C, Q, M }: Channels,
  clamp: Clamp,
  data: ReturnType<typeof dataOf>,
  shares: [number, number][],
): Float32Array {
  const arena = createArena(module, 1);
  // In front of the picture lies NaN too.
  arena.floats(new Float32Array(256).fill(Number.NaN));
  const [x, w, bias] = [arena.floats(data.x), arena.floats(data.w), arena.floats(data.bias)];
  const pixels = N * OH * OW;
  const out = arena.floats(new Float32Array((pixels + 1) * Q).fill(Number.NaN));
  for (const [begin, end] of shares) {
    const to = out + 4 * begin * Q;
    arena.kernels.f32DepthwisePixels(x, w, bias, ...clamp, to, begin, end, H, W, C, OH, OW, Q, M, ...window);
  }
  expect(arena.readFloats(out + 4 * pixels * Q, Q)).toEqual(new Float32Array(Q).fill(Number.NaN));
  return arena.readFloats(out, pixels * Q);
}
