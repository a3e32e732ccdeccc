import { describe, expect, test } from 'vitest';
import { type PanelSizes, packInt8Panels } from '../../../src/engine/int8Panels';
import { createRandom, type Random } from '../../../src/random';
import { type Arena, createArena, flavours } from './arena';
import { bytesOf, levels, multipliersFor, readBytes, requantize, weights } from './int8Values';
import { sharesOf } from './values';

// Rows of integers times weights, against plain loops: rows [count,K], weights [K,F].

const SEED = 41;

/** Rows around the tiles of 4 and 6, depths around the vectors, panels that are not all filled. */
const cases = [
  { count: 1, K: 16, columns: 8, F: 16 },
  { count: 4, K: 16, columns: 16, F: 16 },
  { count: 5, K: 48, columns: 27, F: 32 },
  { count: 7, K: 32, columns: 16, F: 16 },
  { count: 11, K: 64, columns: 48, F: 48 },
  { count: 13, K: 144, columns: 5, F: 16 },
  { count: 23, K: 512, columns: 24, F: 32 },
] as const;
type Case = (typeof cases)[number];

const title = `$count rows of $K by $columns columns in $F (seed ${SEED})`;

interface Data {
  readonly kernel: Int8Array;
  readonly bias: Int32Array;
  readonly multipliers: Float32Array;
}

function dataOf({ K, columns, F }: Case, kernel: Int8Array, largest: number, random: Random): Data {
  const sums = 50 * largest * Math.sqrt(K);
  const bias = new Int32Array(F);
  const multipliers = new Float32Array(F);
  for (let f = 0; f < columns; f++) bias[f] = Math.round((random.uniform() - 0.4) * sums);
  // As far as 32 bits go.
  bias[columns - 1] = 2 ** 30;
  bias[0] = -(2 ** 30);
  multipliers.set(multipliersFor(sums, columns, random));
  multipliers[0] = 1 / 512;
  return { kernel, bias, multipliers };
}

function expectedOf({ count, K, columns, F }: Case, rows: ArrayLike<number>, { kernel, bias, multipliers }: Data) {
  const out = new Uint8Array(count * F);
  for (let i = 0; i < count; i++) {
    for (let f = 0; f < columns; f++) {
      let sum = bias[f]!;
      for (let k = 0; k < K; k++) sum += rows[i * K + k]! * kernel[k * columns + f]!;
      out[i * F + f] = requantize(sum, multipliers[f]!);
    }
  }
  return out;
}

/** What may be multiplied in pairs of words: weights at 0, 1, 4, 5 or 2, 3, 6, 7 of eight add up to at most 258. */
function limitSums(kernel: Int8Array, columns: number): Int8Array {
  const left = new Map<string, number>();
  return kernel.map((weight, i) => {
    const row = Math.floor(i / columns);
    const group = [i % columns, row >> 3, (row >> 1) & 1, weight < 0].join();
    const rest = left.get(group) ?? 258;
    const size = Math.min(rest, Math.abs(weight));
    left.set(group, rest - size);
    return weight < 0 ? -size : size;
  });
}

/** Runs `multiply` over all panels, and over three shares of them in another order. */
function results(
  { count, F }: Case,
  module: BufferSource,
  run: (arena: Arena) => (out: number, begin: number, end: number) => void,
) {
  return sharesOf(F / 8).map((shares) => {
    const arena = createArena(module, 2);
    const multiply = run(arena);
    const out = arena.bytes(new Uint8Array((count + 1) * F).fill(255));
    for (const [begin, end] of shares) multiply(out, begin, end);
    // Nothing behind the last row is touched.
    expect(readBytes(arena, out + count * F, F).every((value) => value === 255)).toBe(true);
    return readBytes(arena, out, count * F);
  });
}

function packed({ K, columns, F }: Case, kernel: Int8Array, group: number) {
  const sizes: PanelSizes = { taps: 1, channels: K, paddedChannels: K, depth: K, columns, paddedColumns: F };
  return bytesOf(packInt8Panels(kernel, sizes, group));
}

describe.each(flavours)('i8MultiplyRows, %s: exact', (_, module) => {
  const tiles = [
    { tileRows: 4, variant: 0 },
    { tileRows: 6, variant: 0 },
    { tileRows: 4, variant: 1 },
    { tileRows: 6, variant: 1 },
  ];
  describe.each(tiles)('$tileRows rows a tile, variant $variant', ({ tileRows, variant }) => {
    test.each(cases)(title, (sizes) => {
      const { count, K, columns, F } = sizes;
      const random = createRandom(SEED, count, K, F, variant);
      const rows = levels(count * K, random);
      const drawn = weights(K * columns, random);
      const data = dataOf(sizes, variant === 1 ? limitSums(drawn, columns) : drawn, 127, random);
      const [whole, shared] = results(sizes, module, ({ kernels, bytes, integers, floats }) => {
        // Behind the rows lies what is no byte of theirs.
        const x = bytes([...rows, ...new Uint8Array(3 * K).fill(255)]);
        const w = bytes(packed(sizes, data.kernel, kernels.i8GroupSize()));
        const [bias, multipliers] = [integers(data.bias), floats(data.multipliers)];
        const scratch = bytes(new Uint8Array(kernels.i8MultiplyRowsScratchBytes(count, K)).fill(255));
        return (out, begin, end) =>
          kernels.i8MultiplyRows(x, w, bias, multipliers, out, scratch, count, K, F, begin, end, tileRows, variant);
      });
      expect(whole).toEqual(expectedOf(sizes, rows, data));
      expect(shared).toEqual(whole);
    });
  });
});

describe.each(flavours)('i16MultiplyRows, %s: exact', (_, module) => {
  test.each(cases)(title, (sizes) => {
    const { count, K, columns, F } = sizes;
    const random = createRandom(SEED, count, K, F);
    const rows = Int16Array.from({ length: count * K }, () => random.integer(1021) - 510);
    const data = dataOf(sizes, weights(K * columns, random), 300, random);
    const [whole, shared] = results(sizes, module, ({ kernels, bytes, integers, floats }) => {
      const x = bytes([...bytesOf(rows), ...new Uint8Array(6 * K)]);
      const w = bytes(packed(sizes, data.kernel, 2));
      const [bias, multipliers] = [integers(data.bias), floats(data.multipliers)];
      const scratch = bytes(new Uint8Array(kernels.i16MultiplyRowsScratchBytes(count, K)).fill(255));
      return (out, begin, end) =>
        kernels.i16MultiplyRows(x, w, bias, multipliers, out, scratch, count, K, F, begin, end);
    });
    expect(whole).toEqual(expectedOf(sizes, rows, data));
    expect(shared).toEqual(whole);
  });
});

describe.each(flavours)('i8MultiplyTiles, %s', (_, module) => {
  test('stays within its scratch memory', () => {
    const { kernels, bytes, readIntegers } = createArena(module, 1);
    const size = kernels.i8MultiplyTilesScratchBytes(32, 24);
    const scratch = bytes(new Uint8Array(size + 64).fill(1));
    for (const [tileRows, variant] of [
      [4, 0],
      [6, 0],
      [4, 1],
    ] as const) {
      kernels.i8MultiplyTiles(scratch, 32, 24, tileRows, variant);
    }
    expect([...readIntegers(scratch + size, 16)]).toEqual(Array(16).fill(0x01010101));
  });
});
