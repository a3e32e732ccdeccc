import { packPlainRows } from './packRows';
import { EDGE_BYTES, ENDING_BYTES, multiplyStrip, storeEnding, TILE_OVERHANG } from './tile';

/** Bytes of scratch that `f32MultiplyRows` needs. */
export function f32MultiplyRowsScratchBytes(count: i32, K: i32): usize {
  return EDGE_BYTES + ENDING_BYTES + (<usize>(count + TILE_OVERHANG) * <usize>K << 2);
}

/**
 * Rows times weights, with bias and clamp: what a convolution does with the patches of its pixels.
 *
 * `rows [count,K]`, `w [F / 8][K][8]`, `out [count,F]`; K is a multiple of 4, F of 8. Behind `rows`, up to 3 more are read.
 * The definition, for the columns f of the panels `[panelBegin,panelEnd)`, 8 each:
 *
 *     out[i,f] = clamp(bias[f] + sum over k: rows[i,k] * w[k,f], low, high)
 */
export function f32MultiplyRows(
  rows: usize, w: usize, bias: usize, low: f32, high: f32, out: usize, scratch: usize,
  count: i32, K: i32, F: i32, panelBegin: i32, panelEnd: i32, tileRows: i32,
): void {
  const ending = scratch + EDGE_BYTES;
  const packed = ending + ENDING_BYTES;
  const rowBytes = <usize>F << 2;
  packPlainRows(rows, packed, count, K, tileRows);
  for (let panel = panelBegin; panel < panelEnd; panel++) {
    const first = <usize>panel << 5;
    storeEnding(ending, bias + first, low, high);
    const columns = w + first * <usize>K;
    multiplyStrip(packed, columns, out + first, scratch, K, count, rowBytes, tileRows, false, ending);
  }
}
