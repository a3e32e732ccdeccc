// Matrix products of integers: tiles of 4 or 6 rows by 8 columns, both sides packed in 32-bit words, which hold 4 bytes
// with the relaxed dot product (unsigned ones of 7 bits times signed ones) and two 16-bit integers without it. All are
// exact, so that which of them runs is a matter of speed:
//
// - DOT is one instruction where the processor has VNNI in a form that the runtime uses, and five where not: 85 GOP/s on
//   Zen 4, one thread, in place of 205 to 220 on Zen 5.
// - PAIRS adds the 16-bit sums of two words before it widens them, 2.5 instructions each: 115 to 126 GOP/s on Zen 4, where
//   widening every sum gave 107. Weights have to allow it (see `i8MultiplyRows`).
// - WORDS, 16-bit products, 2 instructions for half as many: 86 GOP/s.
import { CONSTANTS_BYTES, narrow, onesOf, rounderOf, storeConstants, toLevels } from './int8Requantize';
import { nextTile } from './tile';

export const DOT: i32 = 0;
export const PAIRS: i32 = 1;
export const WORDS: i32 = 2;

/** Bytes that {@link multiplyPanel} works on: constants, and a tile that hangs over the edge of its matrix. */
export const TILE_SCRATCH_BYTES: usize = CONSTANTS_BYTES + 64;

/** Values of a row that the words of the int8 products hold. */
export function i8GroupSize(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
}

/** How the products of bytes are made, of the module's variants 0 and 1. */
export function kindOf(variant: i32): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return WORDS;
  return variant == 1 ? PAIRS : DOT;
}

/** Rows of the tiles of a kind; only DOT leaves registers for six. */
export function rowsOf(kind: i32, tileRows: i32): i32 {
  return kind == DOT ? tileRows : 4;
}

/**
 * `out[rows,8] = clamp(round((a w + bias) * multipliers), 0, 127)`, tile by tile; `a` in tiles `[depth][rows of the tile]`
 * and `w [depth][8]` of words, rows of `out` `rowBytes` apart.
 */
export function multiplyPanel(
  kind: i32, a: usize, w: usize, bias: usize, multipliers: usize, out: usize, scratch: usize,
  depth: i32, rows: i32, rowBytes: usize, tileRows: i32,
): void {
  const edge = scratch + CONSTANTS_BYTES;
  storeConstants(scratch);
  for (let left = rows; left > 0;) {
    const tile = nextTile(left, tileRows);
    const isWhole = tile <= left;
    const to = isWhole ? out : edge;
    const toBytes: usize = isWhole ? rowBytes : 8;
    if (kind == WORDS) wordsTile(a, w, bias, multipliers, to, toBytes, depth, scratch);
    else if (kind == PAIRS) pairsTile(a, w, bias, multipliers, to, toBytes, depth, scratch);
    else if (tile == 6) dotTile6(a, w, bias, multipliers, to, toBytes, depth, scratch);
    else dotTile4(a, w, bias, multipliers, to, toBytes, depth, scratch);
    if (!isWhole) {
      for (let i = 0; i < left; i++) store<u64>(out + <usize>i * rowBytes, load<u64>(edge + (<usize>i << 3)));
    }
    a += (<usize>(depth * tile)) << 2;
    out += rowBytes * <usize>tile;
    left -= tile;
  }
}

// @ts-ignore: decorator
@inline
function addWords(sum: v128, x: v128, w: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, w));
}

// @ts-ignore: decorator
@inline
function addDot(sum: v128, x: v128, w: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum) : sum;
}

/** Sums of two words' products, which fit 16 bits, widened by `ones`. */
// @ts-ignore: decorator
@inline
function addPair(sum: v128, x0: v128, w0: v128, x1: v128, w1: v128, ones: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) return sum;
  const products = i16x8.add(i16x8.relaxed_dot_i8x16_i7x16_s(w0, x0), i16x8.relaxed_dot_i8x16_i7x16_s(w1, x1));
  return i32x4.add(sum, i32x4.dot_i16x8_s(products, ones));
}

function wordsTile(
  a: usize, w: usize, bias: usize, multipliers: usize, out: usize, rowBytes: usize, depth: i32, constants: usize,
): void {
  fourRows(WORDS, a, w, bias, multipliers, out, rowBytes, depth, constants);
}

function dotTile4(
  a: usize, w: usize, bias: usize, multipliers: usize, out: usize, rowBytes: usize, depth: i32, constants: usize,
): void {
  fourRows(DOT, a, w, bias, multipliers, out, rowBytes, depth, constants);
}

// @ts-ignore: decorator
@inline
function addProducts(kind: i32, sum: v128, x: v128, w: v128): v128 {
  return kind == DOT ? addDot(sum, x, w) : addWords(sum, x, w);
}

/** One word a step; `kind` is known where this is inlined. */
// @ts-ignore: decorator
@inline
function fourRows(
  kind: i32, a: usize, w: usize, bias: usize, multipliers: usize, out: usize, rowBytes: usize, depth: i32,
  constants: usize,
): void {
  let c00 = v128.load(bias), c01 = v128.load(bias, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
  for (; depth > 0; depth--) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    const x0 = v128.load32_splat(a);
    c00 = addProducts(kind, c00, x0, w0);
    c01 = addProducts(kind, c01, x0, w1);
    const x1 = v128.load32_splat(a, 4);
    c10 = addProducts(kind, c10, x1, w0);
    c11 = addProducts(kind, c11, x1, w1);
    const x2 = v128.load32_splat(a, 8);
    c20 = addProducts(kind, c20, x2, w0);
    c21 = addProducts(kind, c21, x2, w1);
    const x3 = v128.load32_splat(a, 12);
    c30 = addProducts(kind, c30, x3, w0);
    c31 = addProducts(kind, c31, x3, w1);
    a += 16;
    w += 32;
  }
  storeRows(out, rowBytes, multipliers, constants, c00, c01, c10, c11);
  storeRows(out + 2 * rowBytes, rowBytes, multipliers, constants, c20, c21, c30, c31);
}

function dotTile6(
  a: usize, w: usize, bias: usize, multipliers: usize, out: usize, rowBytes: usize, depth: i32, constants: usize,
): void {
  let c00 = v128.load(bias), c01 = v128.load(bias, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01, c40 = c00, c41 = c01, c50 = c00, c51 = c01;
  for (; depth > 0; depth--) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    const x0 = v128.load32_splat(a);
    c00 = addDot(c00, x0, w0);
    c01 = addDot(c01, x0, w1);
    const x1 = v128.load32_splat(a, 4);
    c10 = addDot(c10, x1, w0);
    c11 = addDot(c11, x1, w1);
    const x2 = v128.load32_splat(a, 8);
    c20 = addDot(c20, x2, w0);
    c21 = addDot(c21, x2, w1);
    const x3 = v128.load32_splat(a, 12);
    c30 = addDot(c30, x3, w0);
    c31 = addDot(c31, x3, w1);
    const x4 = v128.load32_splat(a, 16);
    c40 = addDot(c40, x4, w0);
    c41 = addDot(c41, x4, w1);
    const x5 = v128.load32_splat(a, 20);
    c50 = addDot(c50, x5, w0);
    c51 = addDot(c51, x5, w1);
    a += 24;
    w += 32;
  }
  storeRows(out, rowBytes, multipliers, constants, c00, c01, c10, c11);
  storeRows(out + 2 * rowBytes, rowBytes, multipliers, constants, c20, c21, c30, c31);
  storeRows(out + 4 * rowBytes, rowBytes, multipliers, constants, c40, c41, c50, c51);
}

/** Two words a step. */
function pairsTile(
  a: usize, w: usize, bias: usize, multipliers: usize, out: usize, rowBytes: usize, depth: i32, constants: usize,
): void {
  const ones = onesOf(constants);
  let c00 = v128.load(bias), c01 = v128.load(bias, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
  for (; depth > 0; depth -= 2) {
    const w00 = v128.load(w);
    const w01 = v128.load(w, 16);
    const w10 = v128.load(w, 32);
    const w11 = v128.load(w, 48);
    const x00 = v128.load32_splat(a);
    const x01 = v128.load32_splat(a, 16);
    c00 = addPair(c00, x00, w00, x01, w10, ones);
    c01 = addPair(c01, x00, w01, x01, w11, ones);
    const x10 = v128.load32_splat(a, 4);
    const x11 = v128.load32_splat(a, 20);
    c10 = addPair(c10, x10, w00, x11, w10, ones);
    c11 = addPair(c11, x10, w01, x11, w11, ones);
    const x20 = v128.load32_splat(a, 8);
    const x21 = v128.load32_splat(a, 24);
    c20 = addPair(c20, x20, w00, x21, w10, ones);
    c21 = addPair(c21, x20, w01, x21, w11, ones);
    const x30 = v128.load32_splat(a, 12);
    const x31 = v128.load32_splat(a, 28);
    c30 = addPair(c30, x30, w00, x31, w10, ones);
    c31 = addPair(c31, x30, w01, x31, w11, ones);
    a += 32;
    w += 64;
  }
  storeRows(out, rowBytes, multipliers, constants, c00, c01, c10, c11);
  storeRows(out + 2 * rowBytes, rowBytes, multipliers, constants, c20, c21, c30, c31);
}

/** Two rows of 8. */
// @ts-ignore: decorator
@inline
function storeRows(
  out: usize, rowBytes: usize, multipliers: usize, constants: usize, a0: v128, a1: v128, b0: v128, b1: v128,
): void {
  const rounder = rounderOf(constants);
  const m0 = v128.load(multipliers);
  const m1 = v128.load(multipliers, 16);
  const bytes = narrow(
    toLevels(a0, m0, rounder), toLevels(a1, m1, rounder), toLevels(b0, m0, rounder), toLevels(b1, m1, rounder),
  );
  v128.store64_lane(out, bytes, 0);
  v128.store64_lane(out + rowBytes, bytes, 1);
}

/** Bytes that `i8MultiplyTiles` works on. */
export function i8MultiplyTilesScratchBytes(depth: i32, rows: i32): usize {
  return TILE_SCRATCH_BYTES + 64 + (<usize>depth * <usize>(rows + 8) << 2) + (<usize>rows << 3);
}

/**
 * Multiplies what lies in `scratch`, `[rows,depth]` by `[depth,8]` of words: for measuring which `tileRows` and `variant`
 * are fastest.
 */
export function i8MultiplyTiles(scratch: usize, depth: i32, rows: i32, tileRows: i32, variant: i32): void {
  const kind = kindOf(variant);
  const bias = scratch + TILE_SCRATCH_BYTES;
  const w = bias + 64;
  const a = w + (<usize>depth << 5);
  const out = a + (<usize>(depth * rows) << 2);
  multiplyPanel(kind, a, w, bias, bias + 32, out, scratch, depth, rows, 8, rowsOf(kind, tileRows));
}
