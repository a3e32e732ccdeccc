import { multiplyAdd } from '../simd';
import { packActivatedColumns } from './packRows';
import { activatePatch } from './patches';
import { EDGE_BYTES, multiplyStrip, nextTile, TILE_OVERHANG } from './tile';

// Rows that are packed by columns at a time: enough to write whole cache lines, few enough for the L1 cache.
const GROUP: i32 = 8;

/** Bytes of scratch that `f32ConvWeightGradient` needs. */
export function f32ConvWeightGradientScratchBytes(depth: i32, K: i32): usize {
  return EDGE_BYTES + ((<usize>(GROUP * K) + <usize>depth * <usize>(K + TILE_OVERHANG + 8)) << 2) + 64;
}

/**
 * The gradient of a convolution with respect to its weights.
 *
 * `x [N,H,W,C]`, `dy`, `z [N,OH,OW,F]`, `dw [chunks][F / 8][K][8]` with K = KH * KW * C; C is a multiple of 4, F of 8.
 * The definition, with `a` the activated input of `f32ConvForward` and `dz` as in `f32PointwiseInputGradient`:
 *
 *     dw[chunk][kh,kw,c,f] = sum over the chunk's pixels: a[n, oh * strideH + kh - padTop, ow * strideW + kw - padLeft, c]
 *                                                         * dz[n,oh,ow,f]
 *
 * A chunk is `rowsPerChunk` of the P = N * OH * OW output pixels; a unit is 8 columns of a chunk. The product runs over
 * `depth` pixels at a time: those of `a` are packed once a call and stay in the L2 cache, those of dz in the L1 cache.
 */
export function f32ConvWeightGradient(
  x: usize, scale: usize, offset: usize, low: f32, high: f32,
  dy: usize, z: usize, c1: usize, c2: usize, c3: usize, dw: usize, scratch: usize,
  unitBegin: i32, unitEnd: i32, rowsPerChunk: i32, depth: i32, tileRows: i32,
  N: i32, H: i32, W: i32, C: i32, OH: i32, OW: i32, F: i32, KH: i32, KW: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const P = N * OH * OW;
  const K = KH * KW * C;
  const panels = F >> 3;
  const panelBytes = <usize>K << 5;
  const isPointwise = KH == 1 && KW == 1 && OH == H && OW == W && strideH == 1 && strideW == 1;
  const packedB = scratch + EDGE_BYTES;
  const patches = packedB + (<usize>depth << 5);
  // Packing the last columns reads up to 16 bytes past the patches.
  const packedA = patches + (<usize>(GROUP * K) << 2) + 64;
  for (let unit = unitBegin; unit < unitEnd;) {
    const chunk = unit / panels;
    const firstPanel = unit - chunk * panels;
    const endPanel = min(panels, firstPanel + unitEnd - unit);
    const chunkEnd = min(P, (chunk + 1) * rowsPerChunk);
    const out = dw + <usize>(chunk * panels) * panelBytes;
    for (let start = chunk * rowsPerChunk; start < chunkEnd; start += depth) {
      const rows = min(depth, chunkEnd - start);
      for (let row = 0; row < rows; row += GROUP) {
        const count = min(GROUP, rows - row);
        if (isPointwise) {
          const from = x + (<usize>(start + row) * <usize>C << 2);
          packActivatedColumns(from, <usize>C << 2, scale, offset, low, high, packedA, row, count, C, depth, tileRows);
          continue;
        }
        for (let i = 0; i < count; i++) {
          activatePatch(
            x, scale, offset, low, high, patches + (<usize>(i * K) << 2), start + row + i,
            H, W, C, OH, OW, KH, KW, strideH, strideW, padTop, padLeft,
          );
        }
        packActivatedColumns(
          patches, <usize>K << 2, 0, 0, -Infinity, Infinity, packedA, row, count, K, depth, tileRows,
        );
      }
      for (let panel = firstPanel; panel < endPanel; panel++) {
        const f = <usize>panel << 5;
        const at = (<usize>start * <usize>F << 2) + f;
        packGradientPanel(dy + at, z + at, c1 + f, c2 + f, c3 + f, packedB, rows, <usize>F << 2);
        const to = out + <usize>panel * panelBytes;
        multiplyPanel(packedA, packedB, to, scratch, depth, rows, K, tileRows, start > chunk * rowsPerChunk);
      }
    }
    unit += endPanel - firstPanel;
  }
}

/** `out[K][8] = a b` over `rows` pixels; the tiles of `a` are `depth` records long. */
function multiplyPanel(
  a: usize, b: usize, out: usize, edge: usize, depth: i32, rows: i32, K: i32, tileRows: i32, add: bool,
): void {
  for (let left = K; left > 0;) {
    const tile = nextTile(left, tileRows);
    multiplyStrip(a, b, out, edge, rows, min(tile, left), 32, tileRows, add);
    a += <usize>(depth * tile) << 2;
    out += <usize>tile << 5;
    left -= tile;
  }
}

/** `to[rows][8]` = 8 columns of dz. */
function packGradientPanel(
  dy: usize, z: usize, c1: usize, c2: usize, c3: usize, to: usize, rows: i32, rowBytes: usize,
): void {
  const c10 = v128.load(c1), c11 = v128.load(c1, 16);
  const c20 = v128.load(c2), c21 = v128.load(c2, 16);
  const c30 = v128.load(c3), c31 = v128.load(c3, 16);
  for (; rows > 0; rows--, dy += rowBytes, z += rowBytes, to += 32) {
    v128.store(to, multiplyAdd(v128.load(dy), c10, multiplyAdd(v128.load(z), c20, c30)));
    v128.store(to, multiplyAdd(v128.load(dy, 16), c11, multiplyAdd(v128.load(z, 16), c21, c31)), 16);
  }
}
