import { columnMoments } from './columns';
import { packActivatedRows, packPlainRows } from './packRows';
import { activatePatch } from './patches';
import { EDGE_BYTES, multiplyStrip, TILE_OVERHANG } from './tile';

/** Bytes of scratch that `f32ConvForward` needs. */
export function f32ConvForwardScratchBytes(rowsPerBlock: i32, K: i32): usize {
  return EDGE_BYTES + (<usize>(2 * rowsPerBlock + 3 * TILE_OVERHANG) * <usize>K << 2);
}

/**
 * A convolution of an activated input, with the sums that batch norm needs.
 *
 * `x [N,H,W,C]`, `w [F / 8][K][8]` with K = KH * KW * C, `z [N,OH,OW,F]`; C is a multiple of 4, F of 8. The definition:
 *
 *     a[n,h,w,c] = clamp(scale[c] * x[n,h,w,c] + offset[c], low, high), 0 outside of the picture
 *     z[n,oh,ow,f] = sum over kh, kw, c: a[n, oh * strideH + kh - padTop, ow * strideW + kw - padLeft, c] * w[kh,kw,c,f]
 *     moments[block][0][f] = sum of z over the block's pixels, moments[block][1][f] = sum of z * z, float64
 *
 * Without `scale` (0) a is x as it is. A block is `rowsPerBlock` of the P = N * OH * OW output pixels; a unit is 8 columns of a block. Each block is packed
 * once a call and then multiplied with one panel of w after the other, which stays in the L1 cache.
 */
export function f32ConvForward(
  x: usize, scale: usize, offset: usize, low: f32, high: f32, w: usize, z: usize, moments: usize, scratch: usize,
  unitBegin: i32, unitEnd: i32, rowsPerBlock: i32, tileRows: i32,
  N: i32, H: i32, W: i32, C: i32, OH: i32, OW: i32, F: i32, KH: i32, KW: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const P = N * OH * OW;
  const K = KH * KW * C;
  const panels = F >> 3;
  const rowBytes = <usize>F << 2;
  const isPointwise = KH == 1 && KW == 1 && OH == H && OW == W && strideH == 1 && strideW == 1;
  const packed = scratch + EDGE_BYTES;
  const patches = packed + (<usize>(rowsPerBlock + TILE_OVERHANG) * <usize>K << 2);
  for (let unit = unitBegin; unit < unitEnd;) {
    const block = unit / panels;
    const start = block * rowsPerBlock;
    const rows = min(rowsPerBlock, P - start);
    const from = x + (<usize>start * <usize>C << 2);
    if (isPointwise && scale == 0) {
      packPlainRows(from, packed, rows, C, tileRows);
    } else if (isPointwise) {
      packActivatedRows(from, scale, offset, low, high, patches, packed, rows, C, tileRows);
    } else {
      for (let i = 0; i < rows; i++) {
        activatePatch(
          x, scale, offset, low, high, patches + (<usize>i * <usize>K << 2), start + i,
          H, W, C, OH, OW, KH, KW, strideH, strideW, padTop, padLeft,
        );
      }
      packPlainRows(patches, packed, rows, K, tileRows);
    }
    const firstPanel = unit - block * panels;
    const endPanel = min(panels, firstPanel + unitEnd - unit);
    for (let panel = firstPanel; panel < endPanel; panel++) {
      const out = z + <usize>start * rowBytes + (<usize>panel << 5);
      multiplyStrip(packed, w + (<usize>panel * <usize>K << 5), out, scratch, K, rows, rowBytes, tileRows, false);
      if (moments != 0) {
        const sums = moments + ((<usize>block * <usize>F << 4) + (<usize>panel << 6));
        columnMoments(out, rows, rowBytes, sums, sums + (<usize>F << 3));
      }
    }
    unit += endPanel - firstPanel;
  }
}
