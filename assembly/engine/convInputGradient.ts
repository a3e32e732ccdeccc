import { maskColumns } from './columns';
import { packGradientRows, stagingBytes } from './packRows';
import { EDGE_BYTES, multiplyStrip, TILE_OVERHANG } from './tile';

/** Bytes of scratch that both input gradients need; K = KH * KW * C, and 0 for a 1x1 convolution. */
export function f32ConvInputGradientScratchBytes(rowsPerBlock: i32, F: i32, K: i32): usize {
  return EDGE_BYTES + stagingBytes(F) +
    ((<usize>(rowsPerBlock + TILE_OVERHANG) * <usize>F + <usize>rowsPerBlock * <usize>K) << 2);
}

/**
 * The gradient of a 1x1 convolution with respect to what was in front of the clamp that it read through.
 *
 * `dy`, `z [P,F]`, `transposed [C / 8][F][8]`, `x`, `dx [P,C]`; C and F are multiples of 8. The definition:
 *
 *     dz[p,f] = c1[f] * dy[p,f] + c2[f] * z[p,f] + c3[f]
 *     y[p,c] = scale[c] * x[p,c] + offset[c]
 *     dx[p,c] = low < y[p,c] && y[p,c] <= high ? sum over f: dz[p,f] * w[c,f] : 0
 *     sums[block][0][c] = sum of dx over the block's pixels, sums[block][1][c] = sum of dx * (x - mean), float64
 *
 * A block is `rowsPerBlock` pixels, a unit 8 columns of a block.
 */
export function f32PointwiseInputGradient(
  dy: usize, z: usize, c1: usize, c2: usize, c3: usize, transposed: usize,
  x: usize, scale: usize, offset: usize, mean: usize, low: f32, high: f32, dx: usize, sums: usize, scratch: usize,
  unitBegin: i32, unitEnd: i32, rowsPerBlock: i32, tileRows: i32, P: i32, C: i32, F: i32,
): void {
  const panels = C >> 3;
  const rowBytes = <usize>C << 2;
  const staging = scratch + EDGE_BYTES;
  const packed = staging + stagingBytes(F);
  for (let unit = unitBegin; unit < unitEnd;) {
    const block = unit / panels;
    const start = block * rowsPerBlock;
    const rows = min(rowsPerBlock, P - start);
    const from = <usize>start * <usize>F << 2;
    packGradientRows(dy + from, z + from, c1, c2, c3, staging, packed, rows, F, tileRows);
    const firstPanel = unit - block * panels;
    const endPanel = min(panels, firstPanel + unitEnd - unit);
    for (let panel = firstPanel; panel < endPanel; panel++) {
      const column = <usize>panel << 5;
      const at = <usize>start * rowBytes + column;
      multiplyStrip(packed, transposed + column * <usize>F, dx + at, scratch, F, rows, rowBytes, tileRows, false);
      const blockSums = sums + ((<usize>block * <usize>C << 4) + (column << 1));
      maskColumns(
        dx + at, x + at, rows, rowBytes, scale + column, offset + column, mean + column, low, high,
        blockSums, blockSums + (<usize>C << 3),
      );
    }
    unit += endPanel - firstPanel;
  }
}

/**
 * The same of a convolution of any size: `dy`, `z [N,OH,OW,F]`, `transposed [KH * KW * C / 8][F][8]`, `x`, `dx [N,H,W,C]`,
 * `sums [N][2][C]`; a unit is a picture.
 *
 * The gradient of each patch is one product, `rowsPerBlock` pixels at a time, and then added where the patch lies.
 */
export function f32ConvInputGradient(
  dy: usize, z: usize, c1: usize, c2: usize, c3: usize, transposed: usize,
  x: usize, scale: usize, offset: usize, mean: usize, low: f32, high: f32, dx: usize, sums: usize, scratch: usize,
  unitBegin: i32, unitEnd: i32, rowsPerBlock: i32, tileRows: i32,
  H: i32, W: i32, C: i32, OH: i32, OW: i32, F: i32, KH: i32, KW: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const K = KH * KW * C;
  const pictureBytes = <usize>(H * W * C) << 2;
  const staging = scratch + EDGE_BYTES;
  const packed = staging + stagingBytes(F);
  const patches = packed + (<usize>(rowsPerBlock + TILE_OVERHANG) * <usize>F << 2);
  for (let n = unitBegin; n < unitEnd; n++) {
    const picture = dx + <usize>n * pictureBytes;
    memory.fill(picture, 0, pictureBytes);
    for (let start = 0; start < OH * OW; start += rowsPerBlock) {
      const rows = min(rowsPerBlock, OH * OW - start);
      const from = <usize>(n * OH * OW + start) * <usize>F << 2;
      packGradientRows(dy + from, z + from, c1, c2, c3, staging, packed, rows, F, tileRows);
      for (let k = 0; k < K; k += 8) {
        const panel = transposed + (<usize>k * <usize>F << 2);
        multiplyStrip(packed, panel, patches + (<usize>k << 2), scratch, F, rows, <usize>K << 2, tileRows, false);
      }
      for (let i = 0; i < rows; i++) {
        const patch = patches + (<usize>(i * K) << 2);
        addPatch(patch, picture, start + i, H, W, C, OW, KH, KW, strideH, strideW, padTop, padLeft);
      }
    }
    for (let c = 0; c < C; c += 8) {
      const column = <usize>c << 2;
      const columnSums = sums + ((<usize>(n * C) << 4) + (<usize>c << 3));
      maskColumns(
        picture + column, x + <usize>n * pictureBytes + column, H * W, <usize>C << 2,
        scale + column, offset + column, mean + column, low, high, columnSums, columnSums + (<usize>C << 3),
      );
    }
  }
}

/** Adds the gradient `[KH,KW,C]` of the patch under output pixel `p` to that of the picture. */
function addPatch(
  patch: usize, picture: usize, p: i32, H: i32, W: i32, C: i32, OW: i32, KH: i32, KW: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const oh = p / OW;
  const top = oh * strideH - padTop;
  const left = (p - oh * OW) * strideW - padLeft;
  const first = max(0, -left);
  const end = min(KW, W - left);
  for (let kh = max(0, -top), last = min(KH, H - top); kh < last; kh++) {
    let from = patch + (<usize>((kh * KW + first) * C) << 2);
    let to = picture + (<usize>(((top + kh) * W + left + first) * C) << 2);
    for (let count = (end - first) * C; count > 0; count -= 4, from += 16, to += 16) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    }
  }
}
