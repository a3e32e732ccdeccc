import { EDGE_BYTES, packPanels, roundUp, TILE_COLUMNS, TILE_ROWS, writeEdge } from './gemm';

// Pixels that are packed and multiplied at a time: a panel of A (4 KB) and one of B (8 KB) stay in the L1 cache.
const BLOCK: i32 = 256;

/** Bytes of scratch that `f32Conv2dFilterGradient` needs. */
export function f32Conv2dFilterGradientScratchBytes(C: i32, F: i32, KH: i32, KW: i32): usize {
  return EDGE_BYTES + <usize>BLOCK * 4 * <usize>(roundUp(KH * KW * C, TILE_ROWS) + roundUp(F, TILE_COLUMNS));
}

/**
 * The gradient of a convolution with respect to its filter.
 *
 * `x [N,H,W,C]`, `dy [N,OH,OW,F]`, `dw [KH,KW,C,F]`, all float32. The definition:
 *
 *     for n, oh, ow, kh, kw, c, f:
 *       ih = oh * strideH + kh - padTop
 *       iw = ow * strideW + kw - padLeft
 *       if 0 <= ih < H and 0 <= iw < W:
 *         dw[kh,kw,c,f] += x[n,ih,iw,c] * dy[n,oh,ow,f]
 *
 * With M = KH * KW * C and P = N * OH * OW that is one matrix product, `dw[M,F] = im2col(x)^T [M,P] * dy[P,F]`. It
 * runs over blocks of pixels; of each both sides are packed, so that the inner loop reads nothing but two streams.
 */
export function f32Conv2dFilterGradient(
  x: usize, dy: usize, dw: usize, scratch: usize,
  N: i32, H: i32, W: i32, C: i32, OH: i32, OW: i32, F: i32, KH: i32, KW: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const M = KH * KW * C;
  const P = N * OH * OW;
  const edge = scratch;
  const a = edge + EDGE_BYTES;
  const b = a + <usize>BLOCK * 4 * <usize>roundUp(M, TILE_ROWS);
  if (P == 0) memory.fill(dw, 0, <usize>M * <usize>F * 4);
  if (KH == 1 && KW == 1 && strideH == 1 && strideW == 1 && padTop == 0 && padLeft == 0 && OH == H && OW == W) {
    // The patches of a 1x1 convolution are the pixels themselves: one long row.
    W = OW = P;
    H = OH = 1;
  }
  for (let start = 0; start < P; start += BLOCK) {
    const count = min(BLOCK, P - start);
    packPatches(x, a, start, count, H, W, C, OH, OW, KH, KW, strideH, strideW, padTop, padLeft);
    packPanels(dy + <usize>start * <usize>F * 4, b, count, F, BLOCK);
    multiplyBlock(a, b, edge, dw, M, F, count, start > 0);
  }
}

/**
 * Packs `count` rows of im2col(x) into panels of 4 columns, `a[M / 4][BLOCK][4]`. The columns past M are left as they
 * are: they only reach rows of an edge tile that `writeEdge` drops.
 */
function packPatches(
  x: usize, a: usize, start: i32, count: i32,
  H: i32, W: i32, C: i32, OH: i32, OW: i32, KH: i32, KW: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const stepBytes = <usize>(strideW * C) << 2;
  for (let kh = 0; kh < KH; kh++) {
    for (let kw = 0; kw < KW; kw++) {
      const tap = (kh * KW + kw) * C;
      // The output columns whose pixel lies inside the picture.
      const firstInside = (max(0, padLeft - kw) + strideW - 1) / strideW;
      const endInside = (max(0, W + padLeft - kw) + strideW - 1) / strideW;
      for (let p = 0; p < count;) {
        const row = (start + p) / OW;
        const from = start + p - row * OW;
        const to = min(OW, from + count - p);
        const n = row / OH;
        const ih = (row - n * OH) * strideH + kh - padTop;
        const inside = <u32>ih < <u32>H;
        const low = inside ? min(to, max(from, firstInside)) : to;
        const high = inside ? min(to, max(low, endInside)) : to;
        const pixel = x + <usize>(((n * H + ih) * W + low * strideW + kw - padLeft) * C) * 4;
        packSegment(pixel, stepBytes, a + (<usize>p << 4), tap, C, low - from, high - low, to - high);
        p += to - from;
      }
    }
  }
}

/** Packs one tap's C channels of neighbouring pixels, with zeros in place of those outside of the picture. */
function packSegment(
  pixel: usize, stepBytes: usize, a: usize, tap: i32, C: i32, zerosBefore: i32, pixels: i32, zerosAfter: i32,
): void {
  for (let c = 0; c < C;) {
    const m = tap + c;
    const from = pixel + (<usize>c << 2);
    const to = a + <usize>(m >> 2) * (<usize>BLOCK << 4) + (<usize>(m & 3) << 2);
    if ((m & 3) == 0 && c + 4 <= C) {
      packFour(from, stepBytes, to, zerosBefore, pixels, zerosAfter);
      c += 4;
    } else {
      packOne(from, stepBytes, to, zerosBefore, pixels, zerosAfter);
      c += 1;
    }
  }
}

function packFour(from: usize, stepBytes: usize, to: usize, zerosBefore: i32, pixels: i32, zerosAfter: i32): void {
  for (; zerosBefore > 0; zerosBefore--, to += 16) v128.store(to, f32x4.splat(0));
  for (; pixels > 0; pixels--, to += 16, from += stepBytes) v128.store(to, v128.load(from));
  for (; zerosAfter > 0; zerosAfter--, to += 16) v128.store(to, f32x4.splat(0));
}

function packOne(from: usize, stepBytes: usize, to: usize, zerosBefore: i32, pixels: i32, zerosAfter: i32): void {
  for (; zerosBefore > 0; zerosBefore--, to += 16) store<f32>(to, 0);
  for (; pixels > 0; pixels--, to += 16, from += stepBytes) store<f32>(to, load<f32>(from));
  for (; zerosAfter > 0; zerosAfter--, to += 16) store<f32>(to, 0);
}

/** `dw[M,F] = a^T b` over one block of packed pixels, or `+=` where `add`. */
function multiplyBlock(a: usize, b: usize, edge: usize, dw: usize, M: i32, F: i32, count: i32, add: bool): void {
  const rowBytes = <usize>F << 2;
  for (let m = 0; m < M; m += TILE_ROWS) {
    const panelA = a + <usize>(m >> 2) * (<usize>BLOCK << 4);
    const out = dw + <usize>m * rowBytes;
    for (let f = 0; f < F; f += TILE_COLUMNS) {
      const panelB = b + <usize>(f >> 3) * (<usize>BLOCK << 5);
      const tile = out + (<usize>f << 2);
      const isWhole = m + TILE_ROWS <= M && f + TILE_COLUMNS <= F;
      multiplyTile(panelA, panelB, count, isWhole ? tile : edge, isWhole ? rowBytes : 32, isWhole && add);
      if (!isWhole) writeEdge(edge, tile, rowBytes, min(TILE_ROWS, M - m), min(TILE_COLUMNS, F - f), add);
    }
  }
}

/** `out[4,8] = a^T b` or `+=`, of packed `a [depth,4]` and `b [depth,8]`. */
function multiplyTile(a: usize, b: usize, depth: i32, out: usize, outRowBytes: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  for (; depth > 0; depth--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load_splat<f32>(a);
    c00 = f32x4.add(c00, f32x4.mul(a0, b0));
    c01 = f32x4.add(c01, f32x4.mul(a0, b1));
    const a1 = v128.load_splat<f32>(a, 4);
    c10 = f32x4.add(c10, f32x4.mul(a1, b0));
    c11 = f32x4.add(c11, f32x4.mul(a1, b1));
    const a2 = v128.load_splat<f32>(a, 8);
    c20 = f32x4.add(c20, f32x4.mul(a2, b0));
    c21 = f32x4.add(c21, f32x4.mul(a2, b1));
    const a3 = v128.load_splat<f32>(a, 12);
    c30 = f32x4.add(c30, f32x4.mul(a3, b0));
    c31 = f32x4.add(c31, f32x4.mul(a3, b1));
    a += 16;
    b += 32;
  }
  storeRow(out, c00, c01, add);
  storeRow(out + outRowBytes, c10, c11, add);
  storeRow(out + outRowBytes * 2, c20, c21, add);
  storeRow(out + outRowBytes * 3, c30, c31, add);
}

function storeRow(out: usize, low: v128, high: v128, add: bool): void {
  v128.store(out, add ? f32x4.add(v128.load(out), low) : low);
  v128.store(out, add ? f32x4.add(v128.load(out, 16), high) : high, 16);
}
