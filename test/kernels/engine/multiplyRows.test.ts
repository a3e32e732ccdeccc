import { describe, expect, test } from 'vitest';
import { type Arena, createArena, flavours } from './arena';
import { CLAMPS, type Clamp } from './elementwise';
import { sharesOf, uniform, worstError } from './values';

const SEED = 42;
/** Of the sum of |terms|: K products and a bias, each rounded in float32. */
const BOUND = 1e-6;

const sizes = [...Array.from({ length: 13 }, (_, i) => i + 1), 24, 29].flatMap((count) =>
  [
    [4, 8],
    [20, 24],
    [36, 40],
    [256, 16],
  ].map(([K, F]) => ({ count, K: K!, F: F! })),
);
const cases = sizes.map((size, i) => ({ ...size, clamp: CLAMPS[i % CLAMPS.length]! }));

type Case = (typeof cases)[number];
type Data = ReturnType<typeof dataOf>;

describe.each(flavours)(
  `f32MultiplyRows, %s: errors below 1e-6 of the sum of |terms|, the same bits in tiles of 4 and 6 (seed ${SEED})`,
  (_, module) => {
    test.each(cases)('$count rows, $K deep, $F columns, clamp $clamp', (one) => {
      const { count, F } = one;
      const data = dataOf(one);
      const { expected, magnitude } = definition(one, data);
      const whole = byPanels(module, one, data, 4, [[0, F / 8]]);
      expect(worstError(whole, expected, magnitude)).toBeLessThan(BOUND);
      for (const tileRows of [4, 6]) {
        for (const shares of sharesOf(F / 8)) expect(byPanels(module, one, data, tileRows, shares)).toEqual(whole);
        for (const shares of sharesOf(count)) expect(byRows(module, one, data, tileRows, shares)).toEqual(whole);
      }
    });

    test('infinite and NaN rows spoil no row but their own', () => {
      const one: Case = { count: 7, K: 20, F: 16, clamp: [0, 6] };
      const data = dataOf(one);
      const clean = byPanels(module, one, data, 6, [[0, 2]]);
      data.rows[3 * one.K] = Number.NaN;
      data.rows[5 * one.K + 1] = Number.POSITIVE_INFINITY;
      const spoilt = byPanels(module, one, data, 6, [[0, 2]]);
      const others = (values: Float32Array) => values.filter((_, i) => ![3, 5].includes(Math.floor(i / one.F)));
      expect(others(spoilt)).toEqual(others(clean));
      expect(spoilt.subarray(3 * one.F, 4 * one.F)).toEqual(new Float32Array(one.F).fill(Number.NaN));
    });
  },
);

function dataOf({ count, K, F }: Case) {
  return {
    rows: uniform(count * K, SEED, -3, 3),
    w: uniform(K * F, SEED + 1),
    bias: uniform(F, SEED + 2, -2, 4),
  };
}

function definition({ count, K, F, clamp: [low, high] }: Case, { rows, w, bias }: Data) {
  const [expected, magnitude] = [new Float64Array(count * F), new Float64Array(count * F)];
  for (let i = 0; i < count; i++) {
    for (let f = 0; f < F; f++) {
      let sum = bias[f]!;
      let size = Math.abs(sum);
      for (let k = 0; k < K; k++) {
        const term = rows[i * K + k]! * w[k * F + f]!;
        sum += term;
        size += Math.abs(term);
      }
      expected[i * F + f] = Math.min(Math.max(sum, low), high);
      magnitude[i * F + f] = size;
    }
  }
  return { expected, magnitude };
}

/** `w [K,F]` as `[F / 8][K][8]`. */
function panelsOf({ K, F }: Case, w: Float32Array): Float32Array {
  return w.map((_, i) => w[(Math.floor(i / 8) % K) * F + Math.floor(i / (8 * K)) * 8 + (i % 8)]!);
}

type Multiply = (rows: [begin: number, count: number], panels: [begin: number, end: number]) => void;

/** Scratch is full of NaN, and `out` too, so that nothing can be read before it is written. */
function multiplied(module: BufferSource, one: Case, data: Data, tileRows: number, run: (multiply: Multiply) => void) {
  const { count, K, F, clamp } = one;
  const arena = createArena(module, 2);
  const nan = (floats: number) => arena.floats(new Float32Array(floats).fill(Number.NaN));
  const out = nan(count * F);
  const behindOut = nan(F);
  const rows = overhung(arena, data.rows, K);
  const [w, bias] = [arena.floats(panelsOf(one, data.w)), arena.floats(data.bias)];
  const scratch = nan(arena.kernels.f32MultiplyRowsScratchBytes(count, K) / 4);
  const behindScratch = nan(64);
  run(([begin, many], panels) => {
    const [from, to] = [rows + 4 * begin * K, out + 4 * begin * F];
    arena.kernels.f32MultiplyRows(from, w, bias, ...(clamp as Clamp), to, scratch, many, K, F, ...panels, tileRows);
  });
  expect(arena.readFloats(behindOut, F)).toEqual(new Float32Array(F).fill(Number.NaN));
  expect(arena.readFloats(behindScratch, 64)).toEqual(new Float32Array(64).fill(Number.NaN));
  return arena.readFloats(out, count * F);
}

/** Rows, and three of NaN behind them. */
function overhung(arena: Arena, rows: Float32Array, K: number): number {
  const longer = new Float32Array(rows.length + 3 * K).fill(Number.NaN);
  longer.set(rows);
  return arena.floats(longer);
}

function byPanels(module: BufferSource, one: Case, data: Data, tileRows: number, shares: [number, number][]) {
  return multiplied(module, one, data, tileRows, (multiply) => {
    for (const share of shares) multiply([0, one.count], share);
  });
}

function byRows(module: BufferSource, one: Case, data: Data, tileRows: number, shares: [number, number][]) {
  return multiplied(module, one, data, tileRows, (multiply) => {
    for (const [begin, end] of shares) multiply([begin, end - begin], [0, one.F / 8]);
  });
}
