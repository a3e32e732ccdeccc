// The matrix products of the engine: tiles of 4 or 6 rows by 8 columns, both sides packed, so that the inner loop reads
// two streams and nothing else. V8 has 15 free vector registers on x64: without fused multiply-add 4 rows fit; with it 6
// do (12 accumulators, 2 of B, 1 of A) and run 7 % faster, but only from V8 13 on; before that they spill and halve the
// speed. So the caller measures and passes `tileRows`. Each element sums its products in the same order in both: the bits
// are the same.
import { clamp, multiplyAdd } from '../simd';

/** Bytes of a tile that hangs over the edge of its matrix. */
export const EDGE_BYTES: usize = 6 * 8 * 4;

/** Rows of the next tile where `left` are left: of 6 as many as leave a rest that tiles of 4 fill. */
export function nextTile(left: i32, tileRows: i32): i32 {
  return tileRows == 4 || left <= 4 || left == 7 || left == 8 ? 4 : 6;
}

/** Rows that packed tiles take for `rows` rows, at most. */
export const TILE_OVERHANG: i32 = 3;

/**
 * `out[rows,8] = a b`, or `+=` where `add`, tile by tile.
 *
 * `a` is packed in tiles `[depth][rows of the tile]`, `b [depth][8]`; rows of `out` are `rowBytes` apart. What the last tile
 * has beyond `rows` is multiplied and dropped. With `ending` (not 0, see {@link storeEnding}) it is
 * `out = min(max(a b + bias, low), high)`.
 */
export function multiplyStrip(
  a: usize, b: usize, out: usize, edge: usize, depth: i32, rows: i32, rowBytes: usize, tileRows: i32, add: bool,
  ending: usize = 0,
): void {
  for (let left = rows; left > 0;) {
    const tile = nextTile(left, tileRows);
    const isWhole = tile <= left;
    const to = isWhole ? out : edge;
    const toBytes: usize = isWhole ? rowBytes : 32;
    if (tile == 6) multiplyTile6(a, b, to, depth, toBytes, add && isWhole, ending);
    else multiplyTile4(a, b, to, depth, toBytes, add && isWhole, ending);
    if (!isWhole) writeEdge(edge, out, left, rowBytes, add);
    a += (<usize>(depth * tile)) << 2;
    out += rowBytes * <usize>tile;
    left -= tile;
  }
}

function writeEdge(edge: usize, out: usize, rows: i32, rowBytes: usize, add: bool): void {
  for (; rows > 0; rows--, edge += 32, out += rowBytes) storeRow(out, v128.load(edge), v128.load(edge, 16), add, 0);
}

function multiplyTile4(a: usize, b: usize, out: usize, depth: i32, rowBytes: usize, add: bool, ending: usize): void {
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
  storeRow(out, c00, c01, add, ending);
  storeRow((out += rowBytes), c10, c11, add, ending);
  storeRow((out += rowBytes), c20, c21, add, ending);
  storeRow((out += rowBytes), c30, c31, add, ending);
}

function multiplyTile6(a: usize, b: usize, out: usize, depth: i32, rowBytes: usize, add: bool, ending: usize): void {
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
  storeRow(out, c00, c01, add, ending);
  storeRow((out += rowBytes), c10, c11, add, ending);
  storeRow((out += rowBytes), c20, c21, add, ending);
  storeRow((out += rowBytes), c30, c31, add, ending);
  storeRow((out += rowBytes), c40, c41, add, ending);
  storeRow((out += rowBytes), c50, c51, add, ending);
}

function storeRow(out: usize, left: v128, right: v128, add: bool, ending: usize): void {
  if (ending != 0) {
    const low = v128.load(ending, 32);
    const high = v128.load(ending, 48);
    v128.store(out, clamp(f32x4.add(left, v128.load(ending)), low, high));
    v128.store(out, clamp(f32x4.add(right, v128.load(ending, 16)), low, high), 16);
    return;
  }
  v128.store(out, add ? f32x4.add(v128.load(out), left) : left);
  v128.store(out, add ? f32x4.add(v128.load(out, 16), right) : right, 16);
}

/** Bytes of an ending. */
export const ENDING_BYTES: usize = 64;

/** Writes what `multiplyStrip` ends with: the bias of 8 columns, and the clamp. In memory, for the registers are taken. */
export function storeEnding(ending: usize, bias: usize, low: f32, high: f32): void {
  v128.store(ending, v128.load(bias));
  v128.store(ending, v128.load(bias, 16), 16);
  v128.store(ending, f32x4.splat(low), 32);
  v128.store(ending, f32x4.splat(high), 48);
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
