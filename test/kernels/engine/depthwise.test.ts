import { describe, expect, test } from 'vitest';
import type { EngineDepthwiseGeometry } from '../../../src/kernels/engineKernels';
import { createRandom } from '../../../src/random';
import { type Arena, createArena, flavours } from './arena';
import { sharesOf, uniform, worstError } from './values';

// The depthwise kernels of the engine against plain loops in float64, over windows, strides, paddings and sizes around the
// panel of 8 channels, the unit of 16 and the pixels that are worked on at once. N pictures [H,W,C] to [OH,OW,Q], output
// channel q of input channel floor(q / M), window KH x KW, groups of G images.

const SEED = 37;
/** Relative to the sum of the products' absolute values. */
const BOUND = 1e-6;

interface Case {
  geometry: EngineDepthwiseGeometry;
  clamp: readonly [low: number, high: number];
  imagesPerUnit: number;
}

const relu6 = [0, 6] as const;
const none = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

const cases: Case[] = [
  { geometry: [1, 1, 1, 8, 1, 1, 8, 1, 1, 1, 1, 1, 0, 0], clamp: relu6, imagesPerUnit: 1 },
  { geometry: [37, 1, 1, 24, 1, 1, 24, 1, 3, 3, 1, 1, 1, 1], clamp: relu6, imagesPerUnit: 20 },
  { geometry: [19, 2, 2, 32, 2, 2, 32, 1, 3, 3, 1, 1, 1, 1], clamp: relu6, imagesPerUnit: 11 },
  { geometry: [9, 2, 2, 16, 1, 1, 16, 1, 3, 3, 2, 2, 0, 0], clamp: relu6, imagesPerUnit: 4 },
  { geometry: [9, 2, 2, 8, 1, 1, 8, 1, 3, 3, 2, 2, 1, 1], clamp: relu6, imagesPerUnit: 9 },
  { geometry: [5, 4, 4, 40, 4, 4, 40, 1, 3, 3, 1, 1, 1, 1], clamp: relu6, imagesPerUnit: 5 },
  { geometry: [3, 7, 7, 16, 4, 4, 16, 1, 3, 3, 2, 2, 1, 1], clamp: [0, Number.POSITIVE_INFINITY], imagesPerUnit: 2 },
  { geometry: [2, 17, 18, 8, 9, 9, 8, 1, 3, 3, 2, 2, 1, 0], clamp: none, imagesPerUnit: 1 },
  { geometry: [2, 6, 33, 8, 6, 33, 8, 1, 3, 3, 1, 1, 1, 1], clamp: relu6, imagesPerUnit: 2 },
  { geometry: [1, 3, 3, 144, 3, 3, 144, 1, 3, 3, 1, 1, 1, 1], clamp: relu6, imagesPerUnit: 1 },
  { geometry: [3, 5, 6, 8, 5, 6, 16, 2, 3, 3, 1, 1, 1, 1], clamp: relu6, imagesPerUnit: 2 },
  { geometry: [3, 6, 5, 24, 3, 3, 40, 2, 3, 3, 2, 2, 1, 1], clamp: relu6, imagesPerUnit: 3 },
  { geometry: [2, 5, 5, 80, 3, 2, 216, 3, 3, 2, 2, 3, 1, 1], clamp: relu6, imagesPerUnit: 2 },
  { geometry: [2, 9, 8, 8, 9, 8, 8, 1, 5, 5, 1, 1, 2, 2], clamp: relu6, imagesPerUnit: 2 },
  { geometry: [2, 10, 9, 8, 4, 4, 8, 1, 4, 7, 2, 2, 1, 3], clamp: relu6, imagesPerUnit: 1 },
  { geometry: [2, 8, 8, 8, 2, 2, 8, 1, 2, 2, 4, 4, 0, 0], clamp: none, imagesPerUnit: 2 },
  { geometry: [2, 8, 9, 8, 2, 2, 8, 1, 3, 3, 3, 3, 0, 0], clamp: relu6, imagesPerUnit: 2 },
  { geometry: [1, 3, 3, 8, 9, 10, 8, 1, 2, 2, 1, 1, 4, 5], clamp: relu6, imagesPerUnit: 1 },
  { geometry: [1, 1, 1, 8, 1, 2, 8, 1, 2, 3, 1, 1, 3, 6], clamp: relu6, imagesPerUnit: 1 },
  { geometry: [2, 4, 3, 8, 4, 3, 8, 1, 7, 7, 1, 1, 3, 3], clamp: relu6, imagesPerUnit: 1 },
  { geometry: [4, 5, 5, 16, 5, 5, 16, 1, 1, 1, 1, 1, 0, 0], clamp: relu6, imagesPerUnit: 3 },
];

function randomCases(count: number): Case[] {
  const random = createRandom(SEED);
  const from = (low: number, high: number) => low + random.integer(high - low + 1);
  return Array.from({ length: count }, () => {
    const [KH, KW] = random.integer(2) === 0 ? [3, 3] : [from(1, 5), from(1, 5)];
    const [H, W, strideH, strideW] = [from(1, 9), from(1, 19), from(1, 3), from(1, 3)];
    const [padTop, padLeft, padBottom, padRight] = [from(0, 2), from(0, 2), from(0, 2), from(0, 2)];
    const outputs = (size: number, pads: number, K: number, stride: number) =>
      Math.floor(Math.max(0, size + pads - K) / stride) + 1;
    const [OH, OW] = [outputs(H, padTop + padBottom, KH, strideH), outputs(W, padLeft + padRight, KW, strideW)];
    const [channels, M] = [from(1, 50), from(1, 3)];
    const [C, Q] = [(channels + 7) & ~7, (channels * M + 7) & ~7];
    const geometry: EngineDepthwiseGeometry = [
      ...([from(1, 7), H, W, C, OH, OW, Q, M] as const),
      ...([KH, KW, strideH, strideW, padTop, padLeft] as const),
    ];
    return { geometry, clamp: random.integer(4) === 0 ? none : relu6, imagesPerUnit: from(1, 7) };
  });
}

const all = [...cases, ...randomCases(40)].map((one) => {
  const { geometry, clamp, imagesPerUnit } = one;
  return [`[${geometry}], clamp [${clamp}], groups of ${imagesPerUnit}, seed ${SEED}`, one] as const;
});

/** Everything that the kernels read. */
function dataOf({ geometry: [N, H, W, C, OH, OW, Q, , KH, KW] }: Case) {
  const random = createRandom(SEED, N, H, W, C, Q, KH, KW);
  const normal = (count: number, scale = 1, shift = 0) =>
    Float32Array.from({ length: count }, () => shift + scale * random.normal());
  return {
    x: normal(N * H * W * C),
    ...{ scale: normal(C, 0.5, 1), offset: normal(C, 0.5, 0.5), mean: normal(C) },
    w: normal(KH * KW * Q),
    ...{ dy: normal(N * OH * OW * Q), z: normal(N * OH * OW * Q) },
    ...{ c1: normal(Q), c2: normal(Q, 0.1), c3: normal(Q, 0.1) },
  };
}

/** Indices of output, input and weight of every product, and the group that it belongs to. */
function forEachProduct(
  { geometry, imagesPerUnit }: Case,
  visit: (out: number, input: number, weight: number, group: number) => void,
) {
  const [N, H, W, C, OH, OW, Q, M, KH, KW, strideH, strideW, padTop, padLeft] = geometry;
  for (let n = 0; n < N; n++)
    for (let oh = 0; oh < OH; oh++)
      for (let ow = 0; ow < OW; ow++)
        for (let kh = 0; kh < KH; kh++)
          for (let kw = 0; kw < KW; kw++) {
            const ih = oh * strideH + kh - padTop;
            const iw = ow * strideW + kw - padLeft;
            if (ih < 0 || ih >= H || iw < 0 || iw >= W) continue;
            for (let q = 0; q < Q; q++) {
              const out = ((n * OH + oh) * OW + ow) * Q + q;
              const input = ((n * H + ih) * W + iw) * C + Math.floor(q / M);
              visit(out, input, (kh * KW + kw) * Q + q, Math.floor(n / imagesPerUnit));
            }
          }
}

/** Per group and channel: the sums of `first` and of `second`, `[groups][2][channels]`. */
function groupSums(first: ArrayLike<number>, second: ArrayLike<number>, channels: number, pixels: number) {
  const sums = new Float64Array(Math.ceil(first.length / (channels * pixels)) * 2 * channels);
  for (let i = 0; i < first.length; i++) {
    const at = Math.floor(i / (channels * pixels)) * 2 * channels + (i % channels);
    sums[at]! += first[i]!;
    sums[at + channels]! += second[i]!;
  }
  return sums;
}

const GUARD = 0.125;

/** NaN as the scratch of a case, and behind it what no kernel may touch. */
function scratchOf({ kernels, floats }: Arena, { geometry }: Case) {
  const [, H, W, , OH, OW, , M, KH, KW, strideH, strideW, padTop, padLeft] = geometry;
  const bytes = kernels.f32DepthwiseScratchBytes(H, W, OH, OW, M, KH, KW, strideH, strideW, padTop, padLeft);
  const pointer = floats(new Float32Array(bytes / 4 + 64).fill(Number.NaN).fill(GUARD, bytes / 4));
  return { pointer, guard: pointer + bytes };
}

const expectGuarded = (arena: Arena, guard: number) =>
  expect(arena.readFloats(guard, 64)).toEqual(new Float32Array(64).fill(GUARD));

describe.each(flavours)('%s', (_, bytes) => {
  test.each(all)('f32DepthwiseForward is within 1e-6 of the sum of |products|: %s', (_title, one) => {
    const { geometry, clamp, imagesPerUnit } = one;
    const [N, , , C, OH, OW, Q] = geometry;
    const data = dataOf(one);
    const arena = createArena(bytes, 4);
    const { floats, kernels } = arena;
    const groups = Math.ceil(N / imagesPerUnit);
    const z = floats(data.dy);
    const moments = arena.doubles(new Float64Array(groups * 2 * Q).fill(7));
    const { pointer: scratch, guard } = scratchOf(arena, one);
    const source = [floats(data.x), floats(data.scale), floats(data.offset), ...clamp] as const;
    const w = floats(data.w);
    const [whole, parts] = sharesOf(groups * Math.ceil(C / 16)).map((shares) => {
      for (const [begin, end] of shares) {
        kernels.f32DepthwiseForward(...source, w, z, moments, scratch, begin, end, imagesPerUnit, ...geometry);
      }
      return { z: arena.readFloats(z, N * OH * OW * Q), moments: arena.readDoubles(moments, groups * 2 * Q) };
    });
    expect(parts).toEqual(whole);
    kernels.f32DepthwiseForward(...source, w, z, 0, scratch, 0, groups * Math.ceil(C / 16), imagesPerUnit, ...geometry);
    expect(arena.readFloats(z, N * OH * OW * Q)).toEqual(whole!.z);
    expectGuarded(arena, guard);

    const a = activated(data, clamp);
    const expected = new Float64Array(N * OH * OW * Q);
    const magnitude = new Float64Array(N * OH * OW * Q);
    forEachProduct(one, (out, input, weight) => {
      expected[out]! += a[input]! * data.w[weight]!;
      magnitude[out]! += Math.abs(a[input]! * data.w[weight]!) + Math.abs(data.w[weight]!);
    });
    expect(worstError(whole!.z, expected, magnitude)).toBeLessThan(BOUND);
    const pixels = imagesPerUnit * OH * OW;
    const squares = whole!.z.map((value) => value * value);
    const sums = groupSums(
      whole!.z,
      Float64Array.from(whole!.z, (value) => value * value),
      Q,
      pixels,
    );
    expect(worstError(whole!.moments, sums, groupSums(whole!.z.map(Math.abs), squares, Q, pixels))).toBeLessThan(BOUND);
  });

  test(`the moments keep the variance to 1e-6 where the mean is 1000 times the deviation, seed ${SEED}`, () => {
    const [N, size, C] = [6, 20, 16];
    const arena = createArena(bytes, 4);
    const { floats, kernels } = arena;
    const geometry: EngineDepthwiseGeometry = [N, size, size, C, size, size, C, 1, 1, 1, 1, 1, 0, 0];
    const x = uniform(N * size * size * C, SEED).map((value) => 1000 + value);
    const ones = floats(new Float32Array(C).fill(1));
    const z = floats(x);
    const moments = arena.doubles(new Float64Array(2 * C));
    const { pointer: scratch } = scratchOf(arena, { geometry, clamp: none, imagesPerUnit: N });
    const source = [floats(x), ones, floats(new Float32Array(C)), ...none] as const;
    kernels.f32DepthwiseForward(...source, ones, z, moments, scratch, 0, 1, N, ...geometry);
    const variance = (sums: Float64Array) =>
      Float64Array.from(
        { length: C },
        (_value, c) => sums[C + c]! / (N * size * size) - (sums[c]! / (N * size * size)) ** 2,
      );
    const exact = groupSums(
      x,
      Float64Array.from(x, (value) => value * value),
      C,
      N * size * size,
    );
    expect(worstError(variance(arena.readDoubles(moments, 2 * C)), variance(exact))).toBeLessThan(1e-6);
  });

  test.each(all)('f32DepthwiseBackward is within 1e-6 of the sum of |products|: %s', (_title, one) => {
    const { geometry, clamp, imagesPerUnit } = one;
    const [N, H, W, C, , , Q, , KH, KW] = geometry;
    const data = dataOf(one);
    const arena = createArena(bytes, 4);
    const { floats, kernels } = arena;
    const groups = Math.ceil(N / imagesPerUnit);
    const dx = floats(data.x);
    const sums = arena.doubles(new Float64Array(groups * 2 * C).fill(7));
    const dw = floats(new Float32Array(groups * KH * KW * Q).fill(7));
    const { pointer: scratch, guard } = scratchOf(arena, one);
    const args = [
      ...[floats(data.x), floats(data.scale), floats(data.offset), floats(data.mean), ...clamp, floats(data.w)],
      ...[floats(data.dy), floats(data.z), floats(data.c1), floats(data.c2), floats(data.c3)],
    ] as unknown as BackwardArgs;
    const units = groups * Math.ceil(C / 16);
    const run = (gradients: BackwardOut, begin: number, end: number) => {
      kernels.f32DepthwiseBackward(...args, ...gradients, scratch, begin, end, imagesPerUnit, ...geometry);
    };
    const read = () => ({
      dx: arena.readFloats(dx, N * H * W * C),
      sums: arena.readDoubles(sums, groups * 2 * C),
      dw: arena.readFloats(dw, groups * KH * KW * Q),
    });
    const [whole, parts] = sharesOf(units).map((shares) => {
      for (const [begin, end] of shares) run([dx, sums, dw], begin, end);
      return read();
    });
    expect(parts).toEqual(whole);
    run([dx, sums, 0], 0, units);
    run([0, 0, dw], 0, units);
    expect(read()).toEqual(whole);
    expectGuarded(arena, guard);
    expectGradients(one, data, whole!);
  });
});

type BackwardArgs = [
  ...[x: number, scale: number, offset: number, mean: number, low: number, high: number, w: number],
  ...[dy: number, z: number, c1: number, c2: number, c3: number],
];
type BackwardOut = [dx: number, sums: number, dw: number];
type Data = ReturnType<typeof dataOf>;

const activated = ({ x, scale, offset }: Data, [low, high]: Case['clamp']) =>
  Float64Array.from(x, (value, i) => {
    const c = i % scale.length;
    return Math.min(high, Math.max(low, scale[c]! * value + offset[c]!));
  });

function expectGradients(one: Case, data: Data, actual: { dx: Float32Array; sums: Float64Array; dw: Float32Array }) {
  const { geometry, clamp, imagesPerUnit } = one;
  const [, H, W, C, , , Q, , KH, KW] = geometry;
  const { x, scale, offset, mean, dy, z, c1, c2, c3 } = data;
  const a = activated(data, clamp);
  const dz = Float64Array.from(dy, (value, i) => c1[i % Q]! * value + c2[i % Q]! * z[i]! + c3[i % Q]!);
  const dzMagnitude = dy.map(
    (value, i) => Math.abs(c1[i % Q]! * value) + Math.abs(c2[i % Q]! * z[i]!) + Math.abs(c3[i % Q]!),
  );
  const da = new Float64Array(x.length);
  const daMagnitude = new Float64Array(x.length);
  const dw = new Float64Array(actual.dw.length);
  const dwMagnitude = new Float64Array(actual.dw.length);
  forEachProduct(one, (out, input, weight, group) => {
    da[input]! += data.w[weight]! * dz[out]!;
    daMagnitude[input]! += Math.abs(data.w[weight]!) * dzMagnitude[out]!;
    dw[group * KH * KW * Q + weight]! += a[input]! * dz[out]!;
    dwMagnitude[group * KH * KW * Q + weight]! += (Math.abs(a[input]!) + 1) * dzMagnitude[out]!;
  });
  const isPassed = x.map((value, i) => {
    // As the kernel has it, in float32: no case may stand on the edge of the clamp.
    const y = scale[i % C]! * value + offset[i % C]!;
    return clamp[0] < y && y <= clamp[1] ? 1 : 0;
  });
  const dx = da.map((value, i) => value * isPassed[i]!);
  expect(worstError(actual.dx, dx, daMagnitude)).toBeLessThan(BOUND);
  expect(worstError(actual.dw, dw, dwMagnitude)).toBeLessThan(BOUND);
  const centred = Float64Array.from(x, (value, i) => value - mean[i % C]!);
  const products = (values: Float32Array | Float64Array) => Float64Array.from(values, (v, i) => v * centred[i]!);
  const pixels = imagesPerUnit * H * W;
  const sums = groupSums(actual.dx, products(actual.dx), C, pixels);
  const magnitude = groupSums(actual.dx.map(Math.abs), products(actual.dx).map(Math.abs), C, pixels);
  expect(worstError(actual.sums, sums, magnitude)).toBeLessThan(BOUND);
}
