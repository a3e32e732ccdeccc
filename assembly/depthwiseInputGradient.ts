import { packRow, padChannels, paddedWidth, reach, unpackRow } from './depthwiseRows';

/**
 * The gradient of a depthwise convolution with respect to its input.
 *
 * `dy [N,OH,OW,Q]`, `w [KH,KW,C,multiplier]` = `[KH,KW,Q]`, `dx [N,H,W,C]`, all float32, Q = C * multiplier. The definition:
 *
 *     for n, oh, ow, kh, kw, q:
 *       ih = oh * strideH + kh * dilationH - padTop
 *       iw = ow * strideW + kw * dilationW - padLeft
 *       if 0 <= ih < H and 0 <= iw < W:
 *         dx[n,ih,iw,q / multiplier] += dy[n,oh,ow,q] * w[kh,kw,q]
 *
 * The rows of dx that a row of dy meets stand in a ring, padded and spread over Q channels; a row leaves it for dx when
 * no later row of dy can reach it. Everything is laid out as NHWC: packing into dense streams took 1.5 times as long.
 */
export function f32DepthwiseInputGradient(
  dy: usize, w: usize, dx: usize, scratch: usize,
  N: i32, H: i32, W: i32, C: i32, OH: i32, OW: i32, multiplier: i32, KH: i32, KW: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32, dilationH: i32, dilationW: i32,
): void {
  const Q = C * multiplier;
  const pixelBytes = <usize>padChannels(Q) << 2;
  const ringRows = reach(KH, dilationH);
  const width = paddedWidth(OW, KW, strideW, dilationW);
  const height = (OH - 1) * strideH + ringRows;
  const rowBytes = <usize>width * pixelBytes;
  const weights = scratch;
  const gradient = weights + <usize>(KH * KW) * pixelBytes;
  const ring = gradient + <usize>OW * pixelBytes;
  packRow(w, weights, KH * KW, Q, 1, pixelBytes, 16);
  memory.fill(ring, 0, <usize>ringRows * rowBytes);
  for (let n = 0; n < N; n++) {
    const picture = dx + <usize>(n * H * W) * <usize>C * 4;
    for (let oh = 0; oh < OH; oh++) {
      const top = oh * strideH;
      let row = dy + <usize>((n * OH + oh) * OW) * <usize>Q * 4;
      if ((Q & 3) != 0) {
        packRow(row, gradient, OW, Q, 1, pixelBytes, 16);
        row = gradient;
      }
      for (let kh = 0; kh < KH; kh++) {
        const slot = ring + <usize>((top + kh * dilationH) % ringRows) * rowBytes;
        addRow(row, weights + <usize>(kh * KW) * pixelBytes, slot, pixelBytes, OW, KW, strideW, dilationW);
      }
      const done = oh + 1 == OH ? height : top + strideH;
      for (let padded = top; padded < done; padded++) {
        const slot = ring + <usize>(padded % ringRows) * rowBytes;
        const ih = padded - padTop;
        if (<u32>ih < <u32>H) {
          writeRow(slot, picture + <usize>(ih * W) * <usize>C * 4, pixelBytes, W, C, multiplier, padLeft, width);
        }
        memory.fill(slot, 0, rowBytes);
      }
    }
    const reached = min(H, max(0, height - padTop));
    memory.fill(picture + <usize>(reached * W) * <usize>C * 4, 0, <usize>((H - reached) * W) * <usize>C * 4);
  }
}

/** Writes a row `dx [W,C]` from what lies inside of the picture of its padded row; zeros where that does not reach. */
function writeRow(
  slot: usize, dx: usize, pixelBytes: usize, W: i32, C: i32, multiplier: i32, padLeft: i32, width: i32,
): void {
  const reached = min(W, max(0, width - padLeft));
  unpackRow(slot + <usize>padLeft * pixelBytes, dx, reached, C, multiplier, pixelBytes, 16);
  memory.fill(dx + (<usize>(reached * C) << 2), 0, <usize>((W - reached) * C) << 2);
}

/** Adds a row of dy times a row of the filter to a padded row. */
function addRow(
  dy: usize, weights: usize, to: usize, pixelBytes: usize, OW: i32, KW: i32, strideW: i32, dilationW: i32,
): void {
  if (KW == 3 && strideW == 1 && dilationW == 1) {
    addThreeNeighbours(dy, weights, to, pixelBytes, OW);
  } else {
    for (let kw = 0; kw < KW; kw++) {
      const tap = to + <usize>(kw * dilationW) * pixelBytes;
      addTap(dy, weights + <usize>kw * pixelBytes, tap, pixelBytes, OW, strideW);
    }
  }
}

function addTap(dy: usize, weights: usize, to: usize, pixelBytes: usize, OW: i32, strideW: i32): void {
  const stepBytes = pixelBytes * <usize>strideW;
  for (let q: usize = 0; q < pixelBytes; q += 16) {
    const weight = v128.load(weights + q);
    let from = dy + q;
    let at = to + q;
    for (let ow = 0; ow < OW; ow++, from += pixelBytes, at += stepBytes) {
      v128.store(at, f32x4.add(v128.load(at), f32x4.mul(v128.load(from), weight)));
    }
  }
}

/** Three taps at stride 1: the sums of the two pixels that are not complete yet travel in registers. */
function addThreeNeighbours(dy: usize, weights: usize, to: usize, pixelBytes: usize, OW: i32): void {
  for (let q: usize = 0; q < pixelBytes; q += 16) {
    const w0 = v128.load(weights + q);
    const w1 = v128.load(weights + q + pixelBytes);
    const w2 = v128.load(weights + q + pixelBytes * 2);
    let first = f32x4.splat(0);
    let second = f32x4.splat(0);
    let from = dy + q;
    let at = to + q;
    for (let ow = 0; ow < OW; ow++, from += pixelBytes, at += pixelBytes) {
      const d = v128.load(from);
      v128.store(at, f32x4.add(v128.load(at), f32x4.add(first, f32x4.mul(d, w0))));
      first = f32x4.add(second, f32x4.mul(d, w1));
      second = f32x4.mul(d, w2);
    }
    v128.store(at, f32x4.add(v128.load(at), first));
    at += pixelBytes;
    v128.store(at, f32x4.add(v128.load(at), second));
  }
}
