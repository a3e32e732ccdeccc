import { describe, expect, test } from 'vitest';
import type { EngineConvGeometry, EngineKernels } from '../../../src/kernels/engineKernels';
import { createRandom } from '../../../src/random';
import { createArena, flavours } from './arena';

// The convolutions of the engine against plain loops in float64, over sizes around the tile, windows, strides, paddings.
// N pictures [H,W,C] to [OH,OW,F], window KH x KW, K = KH * KW * C, P = N * OH * OW.

const SEED = 31;
/** Relative to the sum of the products' absolute values: K or P products, each rounded in float32. */
const BOUND = 1e-6;

interface Case {
  geometry: EngineConvGeometry;
  clamp: [number, number];
}

const square = (N: number, H: number, W: number, C: number, F: number): EngineConvGeometry => [
  N,
  H,
  W,
  C,
  H,
  W,
  F,
  1,
  1,
  1,
  1,
  0,
  0,
];

const pointwise: Case[] = [
  { geometry: square(1, 1, 1, 8, 8), clamp: [0, 6] },
  { geometry: square(3, 1, 1, 16, 24), clamp: [0, 6] },
  { geometry: square(2, 3, 3, 24, 8), clamp: [0, Number.POSITIVE_INFINITY] },
  { geometry: square(5, 5, 1, 8, 40), clamp: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] },
  { geometry: square(1, 7, 7, 40, 16), clamp: [0, 6] },
];

const windows: Case[] = [
  { geometry: [2, 7, 5, 8, 4, 3, 16, 3, 3, 2, 2, 1, 1], clamp: [0, 6] },
  { geometry: [3, 5, 5, 8, 5, 5, 8, 3, 3, 1, 1, 1, 1], clamp: [0, 6] },
  { geometry: [1, 6, 9, 16, 3, 2, 8, 5, 3, 1, 4, 0, 0], clamp: [0, 2] },
  { geometry: [2, 4, 4, 8, 1, 1, 24, 4, 4, 1, 1, 0, 0], clamp: [0, 6] },
  { geometry: [2, 4, 4, 8, 2, 2, 8, 1, 1, 2, 2, 0, 0], clamp: [0, 6] },
  { geometry: [1, 2, 2, 8, 4, 4, 8, 1, 1, 1, 1, 1, 1], clamp: [0, 6] },
  { geometry: [1, 3, 3, 8, 7, 7, 8, 2, 2, 1, 1, 3, 3], clamp: [0, 6] },
];

/** The picture of an RGB image has vectors of 4, and no gradient. */
const stem: Case = { geometry: [2, 9, 8, 4, 5, 4, 8, 3, 3, 2, 2, 1, 0], clamp: [-1e30, 1e30] };

function dataOf({ geometry }: Case) {
  const [N, H, W, C, OH, OW, F, KH, KW] = geometry;
  const random = createRandom(SEED, ...geometry);
  const normal = (count: number, scale = 1, shift = 0) =>
    Float32Array.from({ length: count }, () => shift + scale * random.normal());
  return {
    x: normal(N * H * W * C),
    scale: normal(C, 0.5, 1),
    offset: normal(C, 0.5, 0.5),
    mean: normal(C),
    w: normal(KH * KW * C * F),
    dy: normal(N * OH * OW * F),
    z: normal(N * OH * OW * F),
    c1: normal(F),
    c2: normal(F, 0.1),
    c3: normal(F, 0.1),
  };
}

type Data = ReturnType<typeof dataOf>;

const activated = ({ x, scale, offset }: Data, [low, high]: Case['clamp']) =>
  Float64Array.from(x, (value, i) =>
    Math.min(high, Math.max(low, scale[i % scale.length]! * value + offset[i % scale.length]!)),
  );

const gradientOfZ = ({ dy, z, c1, c2, c3 }: Data) =>
  Float64Array.from(dy, (value, i) => c1[i % c1.length]! * value + c2[i % c1.length]! * z[i]! + c3[i % c1.length]!);

/** The absolute values that the activated input is made of, likewise. */
const magnitudeOfInput = ({ x, scale, offset }: Data) =>
  Float64Array.from(x, (value, i) => Math.abs(scale[i % scale.length]! * value) + Math.abs(offset[i % scale.length]!));

/** The absolute values that dz is summed up from: where they cancel, dz has lost its last digits. */
const magnitudeOfZ = ({ dy, z, c1, c2, c3 }: Data) =>
  Float64Array.from(dy, (value, i) => {
    const f = i % c1.length;
    return Math.abs(c1[f]! * value) + Math.abs(c2[f]! * z[i]!) + Math.abs(c3[f]!);
  });

/** Visits every product of the convolution: indices of output, input and weight. */
function forEachProduct(geometry: EngineConvGeometry, visit: (out: number, input: number, weight: number) => void) {
  const [N, H, W, C, OH, OW, F, KH, KW, strideH, strideW, padTop, padLeft] = geometry;
  for (let n = 0; n < N; n++)
    for (let oh = 0; oh < OH; oh++)
      for (let ow = 0; ow < OW; ow++)
        for (let kh = 0; kh < KH; kh++)
          for (let kw = 0; kw < KW; kw++) {
            const ih = oh * strideH + kh - padTop;
            const iw = ow * strideW + kw - padLeft;
            if (ih < 0 || ih >= H || iw < 0 || iw >= W) continue;
            for (let c = 0; c < C; c++)
              for (let f = 0; f < F; f++)
                visit(
                  ((n * OH + oh) * OW + ow) * F + f,
                  ((n * H + ih) * W + iw) * C + c,
                  ((kh * KW + kw) * C + c) * F + f,
                );
          }
}

/** Row-major [K,F] to panels [F / 8][K][8], and back. */
const panelIndex = (K: number, F: number) => (i: number) => {
  const k = Math.floor(i / F);
  const f = i % F;
  return ((f >> 3) * K + k) * 8 + (f & 7);
};

function toPanels(matrix: ArrayLike<number>, K: number, F: number): Float32Array {
  const panels = new Float32Array(K * F);
  const at = panelIndex(K, F);
  for (let i = 0; i < K * F; i++) panels[at(i)] = matrix[i]!;
  return panels;
}

const transposed = (matrix: ArrayLike<number>, K: number, F: number) =>
  Float32Array.from({ length: K * F }, (_, i) => matrix[(i % K) * F + Math.floor(i / K)]!);

function expectClose(actual: ArrayLike<number>, expected: Float64Array, magnitude: Float64Array) {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!) / (magnitude[i]! + 1e-30));
  }
  expect(worst).toBeLessThan(BOUND);
}

/** Runs over all units at once and in three parts; both must give the same bits. */
function inShares(units: number, run: (begin: number, end: number) => void, read: () => ArrayLike<number>[]) {
  run(0, units);
  const whole = read();
  const cuts = [0, Math.floor(units / 3), Math.floor((2 * units) / 3) + 1, units].map((cut) => Math.min(cut, units));
  for (let i = 0; i < 3; i++) run(cuts[i]!, cuts[i + 1]!);
  expect(read()).toEqual(whole);
  return whole;
}

const title = ({ geometry, clamp }: Case) => `[${geometry}], clamp [${clamp}], seed ${SEED}`;

const variants = flavours.flatMap(([flavour, bytes]) => [4, 6].map((tileRows) => ({ flavour, bytes, tileRows })));

describe.each(variants)('$flavour, tiles of $tileRows rows', ({ bytes, tileRows }) => {
  const rowsPerBlock = 12;

  const named = (read: 'activated' | 'as it is', cases: Case[]) => cases.map((one) => [read, title(one), one] as const);
  test.each([...named('activated', [...pointwise, ...windows, stem]), ...named('as it is', pointwise)])(
    'f32ConvForward, x %s, is within 1e-6 of the sum of |products|: %s',
    (read, _, one) => {
      const { geometry, clamp } = one;
      const [N, , , C, OH, OW, F, KH, KW] = geometry;
      const [K, P] = [KH * KW * C, N * OH * OW];
      const data = dataOf(one);
      const arena = createArena(bytes);
      const { floats, doubles, kernels } = arena;
      const blocks = Math.ceil(P / rowsPerBlock);
      const z = floats(new Float32Array(P * F));
      const moments = doubles(new Float64Array(blocks * 2 * F));
      const x = floats(data.x);
      const isRaw = read === 'as it is';
      const source = isRaw
        ? ([x, 0, 0, ...clamp] as const)
        : ([x, floats(data.scale), floats(data.offset), ...clamp] as const);
      const w = floats(toPanels(data.w, K, F));
      const scratch = floats(new Float32Array(kernels.f32ConvForwardScratchBytes(rowsPerBlock, K) / 4));
      const [actual, sums] = inShares(
        (blocks * F) / 8,
        (begin, end) =>
          kernels.f32ConvForward(...source, w, z, moments, scratch, begin, end, rowsPerBlock, tileRows, ...geometry),
        () => [arena.readFloats(z, P * F), arena.readDoubles(moments, blocks * 2 * F)],
      );
      const a = isRaw ? data.x : activated(data, clamp);
      const expected = new Float64Array(P * F);
      const magnitude = new Float64Array(P * F);
      forEachProduct(geometry, (out, input, weight) => {
        expected[out]! += a[input]! * data.w[weight]!;
        magnitude[out]! += Math.abs(a[input]! * data.w[weight]!);
      });
      expectClose(actual!, expected, magnitude);
      expectMoments(sums!, actual!, actual!, P, F, rowsPerBlock);
    },
  );

  test.each(pointwise.map((one) => [title(one), one] as const))(
    'f32PointwiseInputGradient is within 1e-6 of the sum of |products|: %s',
    (_, one) => {
      const { geometry, clamp } = one;
      const [N, H, W, C, , , F] = geometry;
      const P = N * H * W;
      checkInputGradient(
        one,
        Math.ceil(P / rowsPerBlock),
        rowsPerBlock,
        (kernels, pointers, share) => {
          kernels.f32PointwiseInputGradient(
            ...pointers.gradient,
            pointers.transposed,
            ...pointers.source,
            ...clamp,
            pointers.dx,
            pointers.sums,
            pointers.scratch,
            ...share,
            rowsPerBlock,
            tileRows,
            P,
            C,
            F,
          );
        },
        (blocks) => (blocks * C) / 8,
        bytes,
      );
    },
  );

  test.each([...pointwise, ...windows].map((one) => [title(one), one] as const))(
    'f32ConvInputGradient is within 1e-6 of the sum of |products|: %s',
    (_, one) => {
      const { geometry, clamp } = one;
      const [N, H, W] = geometry;
      const [, ...rest] = geometry;
      checkInputGradient(
        one,
        N,
        H * W,
        (kernels, pointers, share) => {
          kernels.f32ConvInputGradient(
            ...pointers.gradient,
            pointers.transposed,
            ...pointers.source,
            ...clamp,
            pointers.dx,
            pointers.sums,
            pointers.scratch,
            ...share,
            rowsPerBlock,
            tileRows,
            ...rest,
          );
        },
        (pictures) => pictures,
        bytes,
      );
    },
  );

  test.each([...pointwise, ...windows, stem].map((one) => [title(one), one] as const))(
    'f32ConvWeightGradient is within 1e-6 of the sum of |products|: %s',
    (_, one) => {
      const { geometry, clamp } = one;
      const [N, , , C, OH, OW, F, KH, KW] = geometry;
      const [K, P] = [KH * KW * C, N * OH * OW];
      const data = dataOf(one);
      const arena = createArena(bytes);
      const { floats, kernels } = arena;
      const depth = 7;
      const rowsPerChunk = Math.ceil(P / 2);
      const chunks = Math.ceil(P / rowsPerChunk);
      const dw = floats(new Float32Array(chunks * K * F));
      const source = [floats(data.x), floats(data.scale), floats(data.offset), ...clamp] as const;
      const gradient = gradientPointers(arena, data);
      const scratch = floats(new Float32Array(kernels.f32ConvWeightGradientScratchBytes(depth, K) / 4));
      const [actual] = inShares(
        (chunks * F) / 8,
        (begin, end) =>
          kernels.f32ConvWeightGradient(
            ...source,
            ...gradient,
            dw,
            scratch,
            begin,
            end,
            rowsPerChunk,
            depth,
            tileRows,
            ...geometry,
          ),
        () => [arena.readFloats(dw, chunks * K * F)],
      );
      const a = activated(data, clamp);
      const inputTerms = magnitudeOfInput(data);
      const dz = gradientOfZ(data);
      const terms = magnitudeOfZ(data);
      const expected = new Float64Array(chunks * K * F);
      const magnitude = new Float64Array(chunks * K * F);
      const at = panelIndex(K, F);
      forEachProduct(geometry, (out, input, weight) => {
        const chunk = Math.floor(Math.floor(out / F) / rowsPerChunk);
        expected[chunk * K * F + at(weight)]! += a[input]! * dz[out]!;
        magnitude[chunk * K * F + at(weight)]! += inputTerms[input]! * terms[out]!;
      });
      expectClose(actual!, expected, magnitude);
    },
  );
});

function gradientPointers({ floats }: ReturnType<typeof createArena>, { dy, z, c1, c2, c3 }: Data) {
  return [floats(dy), floats(z), floats(c1), floats(c2), floats(c3)] as const;
}

interface InputGradientPointers {
  gradient: readonly [number, number, number, number, number];
  transposed: number;
  source: readonly [number, number, number, number];
  dx: number;
  sums: number;
  scratch: number;
}

function checkInputGradient(
  one: Case,
  slots: number,
  rowsPerSlot: number,
  run: (kernels: EngineKernels, pointers: InputGradientPointers, share: [number, number]) => void,
  unitsOf: (slots: number) => number,
  bytes: BufferSource,
) {
  const { geometry, clamp } = one;
  const [N, H, W, C, , , F, KH, KW] = geometry;
  const K = KH * KW * C;
  const count = N * H * W * C;
  const data = dataOf(one);
  const arena = createArena(bytes);
  const { floats, doubles, kernels } = arena;
  const pointers: InputGradientPointers = {
    gradient: gradientPointers(arena, data),
    transposed: floats(toPanels(transposed(data.w, K, F), F, K)),
    source: [floats(data.x), floats(data.scale), floats(data.offset), floats(data.mean)],
    dx: floats(new Float32Array(count).fill(7)),
    sums: doubles(new Float64Array(slots * 2 * C)),
    scratch: floats(new Float32Array(kernels.f32ConvInputGradientScratchBytes(12, F, K) / 4)),
  };
  const [actual, sums] = inShares(
    unitsOf(slots),
    (begin, end) => run(kernels, pointers, [begin, end]),
    () => [arena.readFloats(pointers.dx, count), arena.readDoubles(pointers.sums, slots * 2 * C)],
  );
  const dz = gradientOfZ(data);
  const terms = magnitudeOfZ(data);
  const expected = new Float64Array(count);
  const magnitude = new Float64Array(count);
  const y = data.x.map((value, i) => data.scale[i % C]! * value + data.offset[i % C]!);
  const passes = (i: number) => clamp[0] < y[i]! && y[i]! <= clamp[1];
  forEachProduct(geometry, (out, input, weight) => {
    magnitude[input]! += Math.abs(data.w[weight]!) * terms[out]!;
    if (passes(input)) expected[input]! += dz[out]! * data.w[weight]!;
  });
  expectClose(actual!, expected, magnitude);
  const centred = data.x.map((value, i) => value - data.mean[i % C]!);
  expectMoments(sums!, actual!, centred, N * H * W, C, rowsPerSlot);
}

/** `sums [slots][2][C]` against sum(values) and sum(values * factors) over the slots' rows. */
function expectMoments(
  sums: ArrayLike<number>,
  values: ArrayLike<number>,
  factors: ArrayLike<number>,
  rows: number,
  C: number,
  rowsPerSlot: number,
) {
  const length = Math.ceil(rows / rowsPerSlot) * 2 * C;
  const expected = new Float64Array(length);
  const magnitude = new Float64Array(length);
  for (let i = 0; i < rows * C; i++) {
    const at = Math.floor(Math.floor(i / C) / rowsPerSlot) * 2 * C + (i % C);
    expected[at]! += values[i]!;
    magnitude[at]! += Math.abs(values[i]!);
    expected[at + C]! += values[i]! * factors[i]!;
    magnitude[at + C]! += Math.abs(values[i]! * factors[i]!);
  }
  expectClose(sums, expected, magnitude);
}
