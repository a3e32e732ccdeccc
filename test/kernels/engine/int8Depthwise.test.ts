import { describe, expect, test } from 'vitest';
import { packInt8Taps } from '../../../src/engine/int8Panels';
import { createRandom } from '../../../src/random';
import { createArena, flavours } from './arena';
import { bytesOf, levels, multipliersFor, readBytes, requantize, weights } from './int8Values';
import { sharesOf } from './values';

const SEED = 43;

/** N pictures `[H,W,channels]` to `[OH,OW,channels * M]`, both padded to whole vectors. */
interface Case {
  readonly N: number;
  readonly size: readonly [H: number, W: number];
  readonly channels: number;
  readonly M: number;
  readonly out: readonly [OH: number, OW: number];
  readonly kernel: readonly [KH: number, KW: number];
  readonly strides: readonly [height: number, width: number];
  readonly pads: readonly [top: number, left: number];
}

const three = { M: 1, kernel: [3, 3], strides: [1, 1], pads: [1, 1] } as const;
const cases: Case[] = [
  // Three by three, stride 1: rows of whole fours, and of 1 to 3 more; no rows above, below or at all.
  { ...three, N: 1, size: [4, 4], channels: 16, out: [4, 4] },
  { ...three, N: 2, size: [5, 7], channels: 32, out: [5, 7] },
  { ...three, N: 1, size: [7, 13], channels: 5, out: [7, 13] },
  { ...three, N: 1, size: [6, 9], channels: 20, out: [4, 7], pads: [0, 0] },
  { ...three, N: 1, size: [1, 1], channels: 16, out: [1, 1] },
  { ...three, N: 1, size: [2, 6], channels: 16, out: [6, 10], pads: [3, 3] },
  { ...three, N: 3, size: [9, 6], channels: 16, out: [5, 6], strides: [2, 1] },
  // Stride 2, and paddings on one side.
  { ...three, N: 2, size: [8, 8], channels: 32, out: [4, 4], strides: [2, 2], pads: [0, 0] },
  { ...three, N: 1, size: [9, 11], channels: 48, out: [5, 6], strides: [2, 2] },
  // Several outputs for each channel.
  { ...three, N: 1, size: [5, 5], channels: 3, M: 2, out: [5, 5] },
  { ...three, N: 2, size: [4, 6], channels: 7, M: 3, out: [2, 3], strides: [2, 2] },
  // Other windows.
  { N: 1, size: [6, 7], channels: 16, M: 1, out: [6, 7], kernel: [5, 5], strides: [1, 1], pads: [2, 2] },
  { N: 1, size: [6, 7], channels: 17, M: 1, out: [5, 6], kernel: [2, 2], strides: [1, 1], pads: [0, 0] },
  { N: 2, size: [6, 7], channels: 9, M: 1, out: [6, 3], kernel: [1, 4], strides: [1, 2], pads: [0, 1] },
  { N: 1, size: [6, 7], channels: 9, M: 2, out: [4, 7], kernel: [4, 1], strides: [1, 1], pads: [0, 0] },
  { N: 1, size: [3, 3], channels: 16, M: 1, out: [3, 3], kernel: [1, 1], strides: [1, 1], pads: [0, 0] },
];

const padded = (channels: number) => Math.ceil(channels / 16) * 16;

function dataOf({ N, size, channels, M, kernel }: Case) {
  const random = createRandom(SEED, N, ...size, channels, M, ...kernel);
  const Q = padded(channels * M);
  const sums = 8000 * Math.sqrt(kernel[0] * kernel[1]);
  const bias = new Int32Array(Q);
  const multipliers = new Float32Array(Q);
  multipliers.set(multipliersFor(sums, channels * M, random));
  for (let q = 0; q < channels * M; q++) bias[q] = Math.round((random.uniform() - 0.4) * sums);
  return {
    x: levels(N * size[0] * size[1] * padded(channels), random),
    w: weights(kernel[0] * kernel[1] * channels * M, random),
    bias,
    multipliers,
  };
}

function expectedOf(one: Case, { x, w, bias, multipliers }: ReturnType<typeof dataOf>): Uint8Array {
  const { N, size, channels, M, out, kernel, strides, pads } = one;
  const C = padded(channels);
  const Q = padded(channels * M);
  const result = new Uint8Array(N * out[0] * out[1] * Q);
  for (let p = 0; p < N * out[0] * out[1]; p++) {
    const ow = p % out[1];
    const oh = Math.floor(p / out[1]) % out[0];
    const n = Math.floor(p / out[1] / out[0]);
    for (let q = 0; q < channels * M; q++) {
      let sum = bias[q]!;
      for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
        const ih = oh * strides[0] + Math.floor(tap / kernel[1]) - pads[0];
        const iw = ow * strides[1] + (tap % kernel[1]) - pads[1];
        if (ih < 0 || iw < 0 || ih >= size[0] || iw >= size[1]) continue;
        sum += x[((n * size[0] + ih) * size[1] + iw) * C + Math.floor(q / M)]! * w[tap * channels * M + q]!;
      }
      result[p * Q + q] = requantize(sum, multipliers[q]!);
    }
  }
  return result;
}

describe.each(flavours)(`i8DepthwiseRows, %s: exact (seed ${SEED})`, (_, module) => {
  test.each(cases)('$N x $size x $channels, kernel $kernel x $M, strides $strides, pads $pads', (one) => {
    const { N, size, channels, M, out, kernel, strides, pads } = one;
    const [C, Q] = [padded(channels), padded(channels * M)];
    const data = dataOf(one);
    const taps = { kernelHeight: kernel[0], kernelWidth: kernel[1], channels: channels * M, paddedChannels: Q };
    const pixels = N * out[0] * out[1];
    const results = sharesOf(pixels).map((shares) => {
      const { kernels, bytes, integers, floats, ...arena } = createArena(module, 1);
      const x = bytes(data.x);
      const w = bytes(bytesOf(packInt8Taps(data.w, taps, kernels.i8GroupSize())));
      const [bias, multipliers] = [integers(data.bias), floats(data.multipliers)];
      const scratch = bytes(new Uint8Array(kernels.i8DepthwiseRowsScratchBytes(Q, M, ...kernel)).fill(255));
      const to = bytes(new Uint8Array((pixels + 1) * Q).fill(255));
      for (const [begin, end] of shares) {
        const sizes = [...size, C, ...out, Q, M] as const;
        const at = to + begin * Q;
        kernels.i8DepthwiseRows(
          x,
          w,
          bias,
          multipliers,
          at,
          scratch,
          begin,
          end,
          ...sizes,
          ...kernel,
          ...strides,
          ...pads,
        );
      }
      const all = readBytes({ kernels, bytes, integers, floats, ...arena }, to, (pixels + 1) * Q);
      expect(all.subarray(pixels * Q).every((value) => value === 255)).toBe(true);
      return all.slice(0, pixels * Q);
    });
    expect(results[0]).toEqual(expectedOf(one, data));
    expect(results[1]).toEqual(results[0]);
  });
});
