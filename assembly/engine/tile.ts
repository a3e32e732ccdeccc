// The matrix products of the engine: tiles of 4 or 6 rows by 8 columns, both sides packed, so that the inner loop reads
// two streams and nothing else. V8 has 15 free vector registers on x64: without fused multiply-add 4 rows fit; with it 6
// do (12 accumulators, 2 of B, 1 of A) and run 7 % faster, but only from V8 13 on; before that they spill and halve the
// speed. So the caller measures and passes `tileRows`. Each element sums its products in the same order in both: the bits
// are the same.
import { transpose4x4 } from '../gemm';
import { multiplyAdd } from '../simd';

/** Bytes of a tile that hangs over the edge of its matrix. */
export const EDGE_BYTES: usize = 6 * 8 * 4;

/**
 * `out[rows,8] = a b`, or `+=` where `add`, for as many tiles as `rows` needs.
 *
 * `a` is packed `[rows / tileRows][depth][tileRows]`, `b [depth][8]`; rows of `out` are `rowBytes` apart. What the last
 * tile has beyond `rows` is multiplied and dropped.
 */
export function multiplyStrip(
  a: usize, b: usize, out: usize, edge: usize, depth: i32, rows: i32, rowBytes: usize, tileRows: i32, add: bool,
): void {
  const tileBytes = (<usize>depth * <usize>tileRows) << 2;
  for (; rows >= tileRows; rows -= tileRows) {
    if (tileRows == 6) multiplyTile6(a, b, out, depth, rowBytes, add);
    else multiplyTile4(a, b, out, depth, rowBytes, add);
    a += tileBytes;
    out += rowBytes * <usize>tileRows;
  }
  if (rows == 0) return;
  if (tileRows == 6) multiplyTile6(a, b, edge, depth, 32, false);
  else multiplyTile4(a, b, edge, depth, 32, false);
  for (; rows > 0; rows--, edge += 32, out += rowBytes) storeRow(out, v128.load(edge), v128.load(edge, 16), add);
}

function multiplyTile4(a: usize, b: usize, out: usize, depth: i32, rowBytes: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  for (; depth > 0; depth--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load_splat<f32>(a);
    c00 = multiplyAdd(a0, b0, c00);
    c01 = multiplyAdd(a0, b1, c01);
    const a1 = v128.load_splat<f32>(a, 4);
    c10 = multiplyAdd(a1, b0, c10);
    c11 = multiplyAdd(a1, b1, c11);
    const a2 = v128.load_splat<f32>(a, 8);
    c20 = multiplyAdd(a2, b0, c20);
    c21 = multiplyAdd(a2, b1, c21);
    const a3 = v128.load_splat<f32>(a, 12);
    c30 = multiplyAdd(a3, b0, c30);
    c31 = multiplyAdd(a3, b1, c31);
    a += 16;
    b += 32;
  }
  storeRow(out, c00, c01, add);
  storeRow((out += rowBytes), c10, c11, add);
  storeRow((out += rowBytes), c20, c21, add);
  storeRow((out += rowBytes), c30, c31, add);
}

function multiplyTile6(a: usize, b: usize, out: usize, depth: i32, rowBytes: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  for (; depth > 0; depth--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load_splat<f32>(a);
    c00 = multiplyAdd(a0, b0, c00);
    c01 = multiplyAdd(a0, b1, c01);
    const a1 = v128.load_splat<f32>(a, 4);
    c10 = multiplyAdd(a1, b0, c10);
    c11 = multiplyAdd(a1, b1, c11);
    const a2 = v128.load_splat<f32>(a, 8);
    c20 = multiplyAdd(a2, b0, c20);
    c21 = multiplyAdd(a2, b1, c21);
    const a3 = v128.load_splat<f32>(a, 12);
    c30 = multiplyAdd(a3, b0, c30);
    c31 = multiplyAdd(a3, b1, c31);
    const a4 = v128.load_splat<f32>(a, 16);
    c40 = multiplyAdd(a4, b0, c40);
    c41 = multiplyAdd(a4, b1, c41);
    const a5 = v128.load_splat<f32>(a, 20);
    c50 = multiplyAdd(a5, b0, c50);
    c51 = multiplyAdd(a5, b1, c51);
    a += 24;
    b += 32;
  }
  storeRow(out, c00, c01, add);
  storeRow((out += rowBytes), c10, c11, add);
  storeRow((out += rowBytes), c20, c21, add);
  storeRow((out += rowBytes), c30, c31, add);
  storeRow((out += rowBytes), c40, c41, add);
  storeRow((out += rowBytes), c50, c51, add);
}

function storeRow(out: usize, low: v128, high: v128, add: bool): void {
  v128.store(out, add ? f32x4.add(v128.load(out), low) : low);
  v128.store(out, add ? f32x4.add(v128.load(out, 16), high) : high, 16);
}

/** Packs the `tileRows` rows of `from`, `rowBytes` apart, into `to [depth][tileRows]`; depth is a multiple of 4. */
export function interleaveRows(from: usize, rowBytes: usize, to: usize, depth: i32, tileRows: i32): void {
  if (tileRows == 4) {
    for (; depth > 0; depth -= 4, from += 16, to += 64) transpose4x4(from, rowBytes, to, 16);
    return;
  }
  const pair = from + rowBytes * 4;
  for (let column: usize = 0, end = <usize>depth << 2; column < end; column += 16, to += 96) {
    transpose4x4(from + column, rowBytes, to, 24);
    const r4 = v128.load(pair + column);
    const r5 = v128.load(pair + column + rowBytes);
    const low = v128.shuffle<f32>(r4, r5, 0, 4, 1, 5);
    const high = v128.shuffle<f32>(r4, r5, 2, 6, 3, 7);
    v128.store_lane<i64>(to, low, 0, 16);
    v128.store_lane<i64>(to, low, 1, 40);
    v128.store_lane<i64>(to, high, 0, 64);
    v128.store_lane<i64>(to, high, 1, 88);
  }
}

/**
 * Packs `count` rows of `from`, `rowBytes` apart, by columns: `to [columns / tileRows][panelRows][tileRows]`, the row at
 * `to` being one of panelRows. Columns past the end of a row come out as what lies behind it.
 */
export function interleaveColumns(
  from: usize, rowBytes: usize, to: usize, count: i32, columns: i32, panelRows: i32, tileRows: i32,
): void {
  const recordBytes = <usize>tileRows << 2;
  const panelBytes = <usize>panelRows * recordBytes;
  for (let column = 0; column < columns; column += tileRows, from += recordBytes, to += panelBytes) {
    let row = from;
    let record = to;
    for (let i = count; i > 0; i--, row += rowBytes, record += recordBytes) {
      v128.store(record, v128.load(row));
      // Of the second vector 8 bytes belong here; the next record overwrites the others.
      if (tileRows == 6) v128.store_lane<i64>(record, v128.load(row, 16), 0, 16);
    }
  }
}

/** Bytes that `f32MultiplyTiles` works on. */
export function f32MultiplyTilesScratchBytes(depth: i32, rows: i32): usize {
  return EDGE_BYTES + (<usize>depth * <usize>(rows + 8) << 2) + (<usize>rows << 5);
}

/** Multiplies what lies in `scratch`, `[rows,depth]` by `[depth,8]`: for measuring which `tileRows` is faster. */
export function f32MultiplyTiles(scratch: usize, depth: i32, rows: i32, tileRows: i32): void {
  const b = scratch + EDGE_BYTES;
  const a = b + (<usize>depth << 5);
  const out = a + (<usize>(depth * rows) << 2);
  multiplyStrip(a, b, out, scratch, depth, rows, 32, tileRows, false);
}
