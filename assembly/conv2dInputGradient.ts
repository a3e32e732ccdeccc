import { EDGE_BYTES, packPanelsTransposed, roundUp, TILE_COLUMNS, TILE_ROWS, writeEdge } from './gemm';

// Pixels of dy per pass over the filter: few enough to stay in the L2 cache, enough to pay for a panel's way into L1.
const BLOCK: i32 = 64;

/** Bytes of scratch that `f32Conv2dInputGradient` needs. */
export function f32Conv2dInputGradientScratchBytes(C: i32, F: i32, KH: i32, KW: i32): usize {
  const M = KH * KW * C;
  return EDGE_BYTES + <usize>roundUp(M, TILE_COLUMNS) * <usize>F * 4 + <usize>BLOCK * <usize>M * 4;
}

/**
 * The gradient of a convolution with respect to its input.
 *
 * `dy [N,OH,OW,F]`, `w [KH,KW,C,F]`, `dx [N,H,W,C]`, all float32. The definition:
 *
 *     for n, oh, ow, kh, kw, c, f:
 *       ih = oh * strideH + kh - padTop
 *       iw = ow * strideW + kw - padLeft
 *       if 0 <= ih < H and 0 <= iw < W:
 *         dx[n,ih,iw,c] += dy[n,oh,ow,f] * w[kh,kw,c,f]
 *
 * With M = KH * KW * C and P = N * OH * OW that is a matrix product, `columns[P,M] = dy[P,F] * w^T[F,M]`, whose rows
 * are then added to the patches of dx that they came from (col2im). A plain 1x1 convolution has no patches: its product is dx.
 */
export function f32Conv2dInputGradient(
  dy: usize, w: usize, dx: usize, scratch: usize,
  N: i32, H: i32, W: i32, C: i32, OH: i32, OW: i32, F: i32, KH: i32, KW: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const M = KH * KW * C;
  const P = N * OH * OW;
  const edge = scratch;
  const panels = edge + EDGE_BYTES;
  const columns = panels + <usize>roundUp(M, TILE_COLUMNS) * <usize>F * 4;
  packPanelsTransposed(w, panels, F, M);
  const isPlain =
    KH == 1 && KW == 1 && strideH == 1 && strideW == 1 && padTop == 0 && padLeft == 0 && OH == H && OW == W;
  if (!isPlain) memory.fill(dx, 0, <usize>(N * H * W) * <usize>C * 4);
  for (let start = 0; start < P; start += BLOCK) {
    const count = min(BLOCK, P - start);
    const out = isPlain ? dx + <usize>start * <usize>M * 4 : columns;
    multiplyBlock(dy + <usize>start * <usize>F * 4, panels, edge, out, count, M, F);
    if (!isPlain) addPatches(columns, dx, start, count, H, W, C, OH, OW, KH, KW, strideH, strideW, padTop, padLeft);
  }
}

/** `out[count,M] = dy[count,F] * panels`. */
function multiplyBlock(dy: usize, panels: usize, edge: usize, out: usize, count: i32, M: i32, F: i32): void {
  const dyBytes = <usize>F << 2;
  const outBytes = <usize>M << 2;
  for (let m = 0; m < M; m += TILE_COLUMNS) {
    const panel = panels + <usize>m * dyBytes;
    for (let p = 0; p < count; p += TILE_ROWS) {
      const tile = out + <usize>p * outBytes + (<usize>m << 2);
      const rows = min(TILE_ROWS, count - p);
      const isWhole = rows == TILE_ROWS && m + TILE_COLUMNS <= M;
      // Past the last pixel the tile repeats it; writeEdge drops those rows.
      const a0 = dy + <usize>p * dyBytes;
      const a1 = a0 + <usize>min(1, rows - 1) * dyBytes;
      const a2 = a0 + <usize>min(2, rows - 1) * dyBytes;
      const a3 = a0 + <usize>min(3, rows - 1) * dyBytes;
      multiplyTile(a0, a1, a2, a3, panel, F, isWhole ? tile : edge, isWhole ? outBytes : 32);
      if (!isWhole) writeEdge(edge, tile, outBytes, rows, min(TILE_COLUMNS, M - m), false);
    }
  }
}

/** `out[4,8] = a b`, of four rows `a [depth]` and packed `b [depth,8]`. */
function multiplyTile(
  a0: usize, a1: usize, a2: usize, a3: usize, b: usize, depth: i32, out: usize, outRowBytes: usize,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  const end = a0 + (<usize>depth << 2);
  for (; a0 < end; a0 += 4, a1 += 4, a2 += 4, a3 += 4, b += 32) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const s0 = v128.load_splat<f32>(a0);
    c00 = f32x4.add(c00, f32x4.mul(s0, b0));
    c01 = f32x4.add(c01, f32x4.mul(s0, b1));
    const s1 = v128.load_splat<f32>(a1);
    c10 = f32x4.add(c10, f32x4.mul(s1, b0));
    c11 = f32x4.add(c11, f32x4.mul(s1, b1));
    const s2 = v128.load_splat<f32>(a2);
    c20 = f32x4.add(c20, f32x4.mul(s2, b0));
    c21 = f32x4.add(c21, f32x4.mul(s2, b1));
    const s3 = v128.load_splat<f32>(a3);
    c30 = f32x4.add(c30, f32x4.mul(s3, b0));
    c31 = f32x4.add(c31, f32x4.mul(s3, b1));
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  out += outRowBytes;
  v128.store(out, c10);
  v128.store(out, c11, 16);
  out += outRowBytes;
  v128.store(out, c20);
  v128.store(out, c21, 16);
  out += outRowBytes;
  v128.store(out, c30);
  v128.store(out, c31, 16);
}

/** Adds `count` rows of `columns[P,M]`, from pixel `start` on, to the patches of dx that they came from. */
function addPatches(
  columns: usize, dx: usize, start: i32, count: i32,
  H: i32, W: i32, C: i32, OH: i32, OW: i32, KH: i32, KW: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const channelBytes = <usize>C << 2;
  for (let p = start; p < start + count; p++) {
    const row = p / OW;
    const n = row / OH;
    const top = (row - n * OH) * strideH - padTop;
    const left = (p - row * OW) * strideW - padLeft;
    for (let ih = top; ih < top + KH; ih++) {
      for (let iw = left; iw < left + KW; iw++) {
        if (<u32>ih < <u32>H && <u32>iw < <u32>W) {
          addChannels(columns, dx + <usize>((n * H + ih) * W + iw) * channelBytes, C);
        }
        columns += channelBytes;
      }
    }
  }
}

function addChannels(from: usize, to: usize, C: i32): void {
  let c = 0;
  for (; c + 4 <= C; c += 4, from += 16, to += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
  for (; c < C; c++, from += 4, to += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
}
