import { kindOf, multiplyPanel, rowsOf, TILE_SCRATCH_BYTES, WORDS } from './int8Tile';
import { packPlainRows } from './packRows';
import { TILE_OVERHANG } from './tile';

/** Bytes of scratch that `i8MultiplyRows` needs. */
export function i8MultiplyRowsScratchBytes(count: i32, K: i32): usize {
  const rows = <usize>(count + TILE_OVERHANG);
  // Without the relaxed dot product rows are first widened to 16 bits.
  return TILE_SCRATCH_BYTES + rows * <usize>K * (ASC_FEATURE_RELAXED_SIMD ? 1 : 4);
}

/**
 * Rows of bytes times weights, with bias and rounding: what a quantised convolution does with the patches of its pixels.
 *
 * `rows [count,K]` uint8 up to 127, `w [F / 8][K / G][8][G]` int8 with G = 4 or int16 with G = 2 (`i8GroupSize`),
 * `bias [F]` int32, `multipliers [F]` float32, `out [count,F]` uint8; K is a multiple of 16, F of 8. Behind `rows`, up to 3
 * more are read. The definition, for the columns f of the panels `[panelBegin,panelEnd)`, 8 each:
 *
 *     out[i,f] = clamp(round(float32(float32(bias[f] + sum over k: rows[i,k] * w[k,f]) * multipliers[f])), 0, 127)
 *
 * Sums fit 32 bits, and their products with the multiplier lie above -1.5 * 2^23. In a column, of every eight weights those
 * at 0, 1, 4, 5 and at 2, 3, 6, 7 add up to at most 258, positive and negative ones each, for variant 1.
 */
export function i8MultiplyRows(
  rows: usize, w: usize, bias: usize, multipliers: usize, out: usize, scratch: usize,
  count: i32, K: i32, F: i32, panelBegin: i32, panelEnd: i32, tileRows: i32, variant: i32,
): void {
  const kind = kindOf(variant);
  const rowsOfTile = rowsOf(kind, tileRows);
  const packed = scratch + TILE_SCRATCH_BYTES;
  const depth = kind == WORDS ? K >> 1 : K >> 2;
  if (kind == WORDS) {
    const widened = packed + (<usize>(count + TILE_OVERHANG) * <usize>K << 1);
    widen(rows, widened, <usize>count * <usize>K);
    packPlainRows(widened, packed, count, depth, rowsOfTile);
  } else {
    packPlainRows(rows, packed, count, depth, rowsOfTile);
  }
  multiplyPanels(
    kind, packed, w, bias, multipliers, out, scratch, count, depth, F, panelBegin, panelEnd, rowsOfTile,
  );
}

/** Bytes of scratch that `i16MultiplyRows` needs. */
export function i16MultiplyRowsScratchBytes(count: i32, K: i32): usize {
  return TILE_SCRATCH_BYTES + (<usize>(count + TILE_OVERHANG) * <usize>K << 1);
}

/** The same of rows of int16, K a multiple of 8, and `w [F / 8][K / 2][8][2]` int16. */
export function i16MultiplyRows(
  rows: usize, w: usize, bias: usize, multipliers: usize, out: usize, scratch: usize,
  count: i32, K: i32, F: i32, panelBegin: i32, panelEnd: i32,
): void {
  const packed = scratch + TILE_SCRATCH_BYTES;
  const depth = K >> 1;
  packPlainRows(rows, packed, count, depth, 4);
  multiplyPanels(WORDS, packed, w, bias, multipliers, out, scratch, count, depth, F, panelBegin, panelEnd, 4);
}

function multiplyPanels(
  kind: i32, packed: usize, w: usize, bias: usize, multipliers: usize, out: usize, scratch: usize,
  count: i32, depth: i32, F: i32, panelBegin: i32, panelEnd: i32, tileRows: i32,
): void {
  for (let panel = panelBegin; panel < panelEnd; panel++) {
    const first = <usize>panel << 3;
    multiplyPanel(
      kind, packed, w + (first << 2) * <usize>depth, bias + (first << 2), multipliers + (first << 2), out + first,
      scratch, depth, count, <usize>F, tileRows,
    );
  }
}

function widen(from: usize, to: usize, count: usize): void {
  for (let end = from + count; from < end; from += 16, to += 32) {
    const bytes = v128.load(from);
    v128.store(to, i16x8.extend_low_i8x16_u(bytes));
    v128.store(to, i16x8.extend_high_i8x16_u(bytes), 16);
  }
}
