// Rows of pixels on their way into a matrix product. What a stage reads is never stored, but made from z when it is packed:
// rows by rows for the forward pass and the input gradient, columns by columns for the weight gradient.
import { transpose4x4 } from '../gemm';
import { clamp, multiplyAdd } from '../simd';
import { nextTile } from './tile';

/** Bytes of scratch in which a tile's rows are made before they are packed. */
export function stagingBytes(depth: i32): usize {
  return <usize>(6 * depth) << 2;
}

/**
 * Packs rows of `a = clamp(scale * x + offset, low, high)` in tiles `[C][rows of the tile]`; `x [rows,C]`, C a multiple of 4.
 *
 * The rows of a tile are made one after the other in `staging`, because memory is read fastest in the order in which it lies,
 * and then transposed out of the L1 cache.
 */
export function packActivatedRows(
  x: usize, scale: usize, offset: usize, low: f32, high: f32, staging: usize, to: usize, rows: i32, C: i32, tileRows: i32,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const rowBytes = <usize>C << 2;
  for (let left = rows; left > 0;) {
    const tile = nextTile(left, tileRows);
    let row = staging;
    for (let i = min(tile, left); i > 0; i--, x += rowBytes, row += rowBytes) {
      for (let c: usize = 0; c < rowBytes; c += 16) {
        const y = multiplyAdd(v128.load(x + c), v128.load(scale + c), v128.load(offset + c));
        v128.store(row + c, clamp(y, lows, highs));
      }
    }
    packTile(staging, to, rowBytes, tile);
    to += rowBytes * <usize>tile;
    left -= tile;
  }
}

/** Packs rows of `dz = c1 * dy + c2 * z + c3` likewise; `dy`, `z [rows,F]`. */
export function packGradientRows(
  dy: usize, z: usize, c1: usize, c2: usize, c3: usize, staging: usize, to: usize, rows: i32, F: i32, tileRows: i32,
): void {
  const rowBytes = <usize>F << 2;
  for (let left = rows; left > 0;) {
    const tile = nextTile(left, tileRows);
    let row = staging;
    for (let i = min(tile, left); i > 0; i--, dy += rowBytes, z += rowBytes, row += rowBytes) {
      for (let f: usize = 0; f < rowBytes; f += 16) {
        const shifted = multiplyAdd(v128.load(z + f), v128.load(c2 + f), v128.load(c3 + f));
        v128.store(row + f, multiplyAdd(v128.load(dy + f), v128.load(c1 + f), shifted));
      }
    }
    packTile(staging, to, rowBytes, tile);
    to += rowBytes * <usize>tile;
    left -= tile;
  }
}

/** Packs finished rows `[rows,depth]` likewise; a tile that hangs over takes what lies behind them. */
export function packPlainRows(from: usize, to: usize, rows: i32, depth: i32, tileRows: i32): void {
  const rowBytes = <usize>depth << 2;
  for (let left = rows; left > 0;) {
    const tile = nextTile(left, tileRows);
    packTile(from, to, rowBytes, tile);
    from += rowBytes * <usize>tile;
    to += rowBytes * <usize>tile;
    left -= tile;
  }
}

/** Transposes a tile's rows. */
function packTile(from: usize, to: usize, rowBytes: usize, tile: i32): void {
  const end = from + rowBytes;
  if (tile == 4) {
    for (; from < end; from += 16, to += 64) transpose4x4(from, rowBytes, to, 16);
    return;
  }
  for (; from < end; from += 16, to += 96) {
    transpose4x4(from, rowBytes, to, 24);
    const r4 = v128.load(from + rowBytes * 4);
    const r5 = v128.load(from + rowBytes * 5);
    const low = v128.shuffle<f32>(r4, r5, 0, 4, 1, 5);
    const high = v128.shuffle<f32>(r4, r5, 2, 6, 3, 7);
    v128.store64_lane(to, low, 0, 16);
    v128.store64_lane(to, low, 1, 40);
    v128.store64_lane(to, high, 0, 64);
    v128.store64_lane(to, high, 1, 88);
  }
}

/**
 * Packs `count` rows of `a` by columns, for each tile of columns `[panelRows][columns of the tile]`, as its rows from
 * `firstRow` on. Rows of `x` are `rowBytes` apart. Without `scale` (0) x is packed as it is.
 */
export function packActivatedColumns(
  x: usize, rowBytes: usize, scale: usize, offset: usize, low: f32, high: f32,
  to: usize, firstRow: i32, count: i32, columns: i32, panelRows: i32, tileRows: i32,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  for (let left = columns; left > 0;) {
    const tile = nextTile(left, tileRows);
    const recordBytes = <usize>tile << 2;
    const s0 = scale != 0 ? v128.load(scale) : f32x4.splat(1);
    const o0 = scale != 0 ? v128.load(offset) : f32x4.splat(0);
    const s1 = scale != 0 ? v128.load(scale, 16) : s0;
    const o1 = scale != 0 ? v128.load(offset, 16) : o0;
    let row = x;
    let record = to + <usize>firstRow * recordBytes;
    for (let i = count; i > 0; i--, row += rowBytes, record += recordBytes) {
      v128.store(record, clamp(multiplyAdd(v128.load(row), s0, o0), lows, highs));
      if (tile == 6) v128.store64_lane(record, clamp(multiplyAdd(v128.load(row, 16), s1, o1), lows, highs), 0, 16);
    }
    x += recordBytes;
    if (scale != 0) {
      scale += recordBytes;
      offset += recordBytes;
    }
    to += <usize>panelRows * recordBytes;
    left -= tile;
  }
}
