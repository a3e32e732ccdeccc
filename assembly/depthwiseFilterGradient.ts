import { packRow, padChannels, paddedWidth, reach, unpackRow } from './depthwiseRows';

/**
 * The gradient of a depthwise convolution with respect to its filter.
 *
 * `x [N,H,W,C]`, `dy [N,OH,OW,Q]`, `dw [KH,KW,C,multiplier]` = `[KH,KW,Q]`, all float32, Q = C * multiplier. The definition:
 *
 *     for n, oh, ow, kh, kw, q:
 *       ih = oh * strideH + kh * dilationH - padTop
 *       iw = ow * strideW + kw * dilationW - padLeft
 *       if 0 <= ih < H and 0 <= iw < W:
 *         dw[kh,kw,q] += x[n,ih,iw,q / multiplier] * dy[n,oh,ow,q]
 *
 * The rows of x that one row of dy meets stand in a ring, padded and spread over Q channels. Sums run over a row of
 * pixels in registers and are then added up, which also keeps their rounding errors small.
 */
export function f32DepthwiseFilterGradient(
  x: usize, dy: usize, dw: usize, scratch: usize,
  N: i32, H: i32, W: i32, C: i32, OH: i32, OW: i32, multiplier: i32, KH: i32, KW: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32, dilationH: i32, dilationW: i32,
): void {
  const Q = C * multiplier;
  const Q4 = padChannels(Q);
  const ringRows = reach(KH, dilationH);
  const width = paddedWidth(OW, KW, strideW, dilationW);
  const panelBytes = <usize>width << 4;
  const rowBytes = <usize>(width * Q4) << 2;
  const margin = min(padLeft, width);
  const inside = min(W, width - margin);
  const sums = scratch;
  const gradient = sums + (<usize>(KH * KW * Q4) << 2);
  const ring = gradient + (<usize>(OW * Q4) << 2);
  memory.fill(sums, 0, <usize>(KH * KW * Q4) << 2);
  memory.fill(ring, 0, <usize>ringRows * rowBytes);
  for (let n = 0; n < N; n++) {
    let next = 0;
    for (let oh = 0; oh < OH; oh++) {
      const top = oh * strideH;
      for (next = max(next, top); next < top + ringRows; next++) {
        const slot = ring + <usize>(next % ringRows) * rowBytes;
        const ih = next - padTop;
        if (<u32>ih < <u32>H) {
          // The margins of a slot stay zero; only what lies inside of the picture is written.
          const row = x + <usize>((n * H + ih) * W) * <usize>C * 4;
          packRow(row, slot + (<usize>margin << 4), inside, C, multiplier, 16, panelBytes);
        } else {
          memory.fill(slot, 0, rowBytes);
        }
      }
      packRow(dy + <usize>((n * OH + oh) * OW) * <usize>Q * 4, gradient, OW, Q, 1, 16, <usize>OW << 4);
      if (KH == 3 && KW == 3) {
        const x0 = ring + <usize>(top % ringRows) * rowBytes;
        const x1 = ring + <usize>((top + dilationH) % ringRows) * rowBytes;
        const x2 = ring + <usize>((top + 2 * dilationH) % ringRows) * rowBytes;
        addRow3x3(x0, x1, x2, gradient, sums, panelBytes, OW, Q4, strideW, dilationW);
      } else {
        for (let kh = 0; kh < KH; kh++) {
          for (let kw = 0; kw < KW; kw++) {
            const slot = ring + <usize>((top + kh * dilationH) % ringRows) * rowBytes;
            const tap = slot + (<usize>(kw * dilationW) << 4);
            addRow(tap, gradient, sums + (<usize>(kh * KW + kw) << 4), panelBytes, <usize>(KH * KW) << 4, OW, Q4, strideW);
          }
        }
      }
    }
  }
  unpackRow(sums, dw, KH * KW, Q, 1, 16, <usize>(KH * KW) << 4);
}

/** Adds one row's products to the sums of one tap. */
function addRow(
  x: usize, dy: usize, sums: usize, panelBytes: usize, sumsBytes: usize, OW: i32, Q4: i32, strideW: i32,
): void {
  const stepBytes = <usize>strideW << 4;
  for (let q = 0; q < Q4; q += 4, x += panelBytes, sums += sumsBytes) {
    let sum = f32x4.splat(0);
    let from = x;
    for (let ow = 0; ow < OW; ow++, from += stepBytes, dy += 16) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(from), v128.load(dy)));
    }
    v128.store(sums, f32x4.add(v128.load(sums), sum));
  }
}

/** Adds one row's products to the sums of a 3x3 filter: each dy is loaded once, for nine taps. */
function addRow3x3(
  x0: usize, x1: usize, x2: usize, dy: usize, sums: usize,
  panelBytes: usize, OW: i32, Q4: i32, strideW: i32, dilationW: i32,
): void {
  const stepBytes = <usize>strideW << 4;
  const one = <usize>dilationW << 4;
  const two = one * 2;
  for (let q = 0; q < Q4; q += 4, x0 += panelBytes, x1 += panelBytes, x2 += panelBytes, sums += 9 * 16) {
    let s00 = f32x4.splat(0), s01 = s00, s02 = s00, s10 = s00, s11 = s00, s12 = s00, s20 = s00, s21 = s00, s22 = s00;
    let from0 = x0;
    let from1 = x1;
    let from2 = x2;
    for (let ow = 0; ow < OW; ow++, from0 += stepBytes, from1 += stepBytes, from2 += stepBytes, dy += 16) {
      const d = v128.load(dy);
      s00 = f32x4.add(s00, f32x4.mul(d, v128.load(from0)));
      s01 = f32x4.add(s01, f32x4.mul(d, v128.load(from0 + one)));
      s02 = f32x4.add(s02, f32x4.mul(d, v128.load(from0 + two)));
      s10 = f32x4.add(s10, f32x4.mul(d, v128.load(from1)));
      s11 = f32x4.add(s11, f32x4.mul(d, v128.load(from1 + one)));
      s12 = f32x4.add(s12, f32x4.mul(d, v128.load(from1 + two)));
      s20 = f32x4.add(s20, f32x4.mul(d, v128.load(from2)));
      s21 = f32x4.add(s21, f32x4.mul(d, v128.load(from2 + one)));
      s22 = f32x4.add(s22, f32x4.mul(d, v128.load(from2 + two)));
    }
    v128.store(sums, f32x4.add(v128.load(sums), s00));
    v128.store(sums, f32x4.add(v128.load(sums, 16), s01), 16);
    v128.store(sums, f32x4.add(v128.load(sums, 32), s02), 32);
    v128.store(sums, f32x4.add(v128.load(sums, 48), s10), 48);
    v128.store(sums, f32x4.add(v128.load(sums, 64), s11), 64);
    v128.store(sums, f32x4.add(v128.load(sums, 80), s12), 80);
    v128.store(sums, f32x4.add(v128.load(sums, 96), s20), 96);
    v128.store(sums, f32x4.add(v128.load(sums, 112), s21), 112);
    v128.store(sums, f32x4.add(v128.load(sums, 128), s22), 128);
  }
}
