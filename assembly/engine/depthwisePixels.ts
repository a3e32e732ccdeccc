// A depthwise convolution without anything around it, for inference: pixels in, finished rows out. Channels run innermost,
// as they lie: walking along pixels with channels outside makes strides of powers of two, which share few lines of the L1
// cache.
import { clamp, multiplyAdd } from '../simd';

/**
 * A depthwise convolution with bias and clamp, for the output pixels `[begin,end)`.
 *
 * `x [N,H,W,C]`, `w [KH,KW,Q]`, `out [end - begin,Q]`; C and Q are multiples of 8, channel q reads channel floor(q / M).
 * The definition, p = (n * OH + oh) * OW + ow, pixels outside of the picture count 0:
 *
 *     out[p - begin,q] = clamp(bias[q] + sum over kh, kw:
 *       x[n, oh * strideH + kh - padTop, ow * strideW + kw - padLeft, q / M] * w[kh,kw,q], low, high)
 */
export function f32DepthwisePixels(
  x: usize, w: usize, bias: usize, low: f32, high: f32, out: usize, begin: i32, end: i32,
  H: i32, W: i32, C: i32, OH: i32, OW: i32, Q: i32, M: i32,
  KH: i32, KW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const outBytes = <usize>Q << 2;
  // Output columns whose whole window lies inside of the picture.
  const innerBegin = (padLeft + strideW - 1) / strideW;
  const innerEnd = W + padLeft < KW ? innerBegin : (W + padLeft - KW) / strideW + 1;
  const isFast = KW == 3 && M == 1 && strideW <= 2;
  for (let p = begin; p < end;) {
    const row = p / OW;
    const n = row / OH;
    const top = (row - n * OH) * strideH - padTop;
    const first = max(0, -top);
    const rows = min(KH, H - top) - first;
    const picture = x + (<usize>((n * H + top + first) * W * C) << 2);
    const taps = w + (<usize>(first * KW * Q) << 2);
    const rowEnd = min(OW, p - row * OW + end - p);
    const innerLast = min(innerEnd, rowEnd);
    for (let ow = p - row * OW; ow < rowEnd;) {
      const isInner = ow >= innerBegin && ow < innerLast;
      if (isFast && isInner && innerLast - ow >= 4) {
        const from = picture + (<usize>((ow * strideW - padLeft) * C) << 2);
        if (strideW == 1) fourPixels(from, taps, bias, low, high, out, rows, W, C);
        else fourSpacedPixels(from, taps, bias, low, high, out, rows, W, C);
        ow += 4;
        p += 4;
        out += outBytes * 4;
        continue;
      }
      onePixel(picture, taps, bias, low, high, out, rows, ow * strideW - padLeft, W, C, Q, M, KW);
      ow++;
      p++;
      out += outBytes;
    }
  }
}

/** One pixel, whose window begins `left` pixels into the picture's rows and may reach out of them. */
function onePixel(
  picture: usize, w: usize, bias: usize, low: f32, high: f32, out: usize, rows: i32, left: i32,
  W: i32, C: i32, Q: i32, M: i32, KW: i32,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const first = max(0, -left);
  const end = min(KW, W - left);
  const pixelBytes = <usize>C << 2;
  const tapBytes = <usize>Q << 2;
  const rowBytes = <usize>W * pixelBytes;
  const tapRowBytes = <usize>KW * tapBytes;
  const from = picture + <usize>(left + first) * pixelBytes;
  for (let q = 0; q < Q; q += 8) {
    const at = <usize>q << 2;
    let sum0 = v128.load(bias + at);
    let sum1 = v128.load(bias + at, 16);
    let pixels = from;
    let taps = w + <usize>first * tapBytes + at;
    for (let row = rows; row > 0; row--, pixels += rowBytes, taps += tapRowBytes) {
      let pixel = pixels;
      let tap = taps;
      for (let i = first; i < end; i++, pixel += pixelBytes, tap += tapBytes) {
        const x0 = M == 1 ? v128.load(pixel + at) : repeated(pixel, q, M);
        const x1 = M == 1 ? v128.load(pixel + at, 16) : repeated(pixel, q + 4, M);
        sum0 = multiplyAdd(x0, v128.load(tap), sum0);
        sum1 = multiplyAdd(x1, v128.load(tap, 16), sum1);
      }
    }
    v128.store(out + at, clamp(sum0, lows, highs));
    v128.store(out + at, clamp(sum1, lows, highs), 16);
  }
}

/** The inputs of channels q to q + 3. */
function repeated(pixel: usize, q: i32, M: i32): v128 {
  let lanes = v128.load_splat<f32>(pixel + (<usize>(q / M) << 2));
  lanes = f32x4.replace_lane(lanes, 1, load<f32>(pixel + (<usize>((q + 1) / M) << 2)));
  lanes = f32x4.replace_lane(lanes, 2, load<f32>(pixel + (<usize>((q + 2) / M) << 2)));
  return f32x4.replace_lane(lanes, 3, load<f32>(pixel + (<usize>((q + 3) / M) << 2)));
}

/** Four neighbours, three taps wide, stride 1: what one reads, the next two read again. */
function fourPixels(
  from: usize, w: usize, bias: usize, low: f32, high: f32, out: usize, rows: i32, W: i32, C: i32,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const step = <usize>C << 2;
  const rowBytes = <usize>W * step;
  const tapRowBytes = 3 * step;
  for (let at: usize = 0; at < step; at += 16) {
    let s0 = v128.load(bias + at), s1 = s0, s2 = s0, s3 = s0;
    let pixel = from + at;
    let tap = w + at;
    for (let i = rows; i > 0; i--, pixel += rowBytes, tap += tapRowBytes) {
      const w0 = v128.load(tap);
      const w1 = v128.load(tap + step);
      const w2 = v128.load(tap + 2 * step);
      s0 = multiplyAdd(v128.load(pixel), w0, s0);
      const x1 = v128.load(pixel + step);
      s0 = multiplyAdd(x1, w1, s0);
      s1 = multiplyAdd(x1, w0, s1);
      const x2 = v128.load(pixel + 2 * step);
      s0 = multiplyAdd(x2, w2, s0);
      s1 = multiplyAdd(x2, w1, s1);
      s2 = multiplyAdd(x2, w0, s2);
      const x3 = v128.load(pixel + 3 * step);
      s1 = multiplyAdd(x3, w2, s1);
      s2 = multiplyAdd(x3, w1, s2);
      s3 = multiplyAdd(x3, w0, s3);
      const x4 = v128.load(pixel + 4 * step);
      s2 = multiplyAdd(x4, w2, s2);
      s3 = multiplyAdd(x4, w1, s3);
      s3 = multiplyAdd(v128.load(pixel + 5 * step), w2, s3);
    }
    storeFour(out + at, step, clamp(s0, lows, highs), clamp(s1, lows, highs), clamp(s2, lows, highs), clamp(s3, lows, highs));
  }
}

/** Four neighbours, three taps wide, stride 2. */
function fourSpacedPixels(
  from: usize, w: usize, bias: usize, low: f32, high: f32, out: usize, rows: i32, W: i32, C: i32,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const step = <usize>C << 2;
  const rowBytes = <usize>W * step;
  const tapRowBytes = 3 * step;
  for (let at: usize = 0; at < step; at += 16) {
    let s0 = v128.load(bias + at), s1 = s0, s2 = s0, s3 = s0;
    let pixel = from + at;
    let tap = w + at;
    for (let i = rows; i > 0; i--, pixel += rowBytes, tap += tapRowBytes) {
      const w0 = v128.load(tap);
      const w1 = v128.load(tap + step);
      const w2 = v128.load(tap + 2 * step);
      s0 = multiplyAdd(v128.load(pixel), w0, s0);
      s0 = multiplyAdd(v128.load(pixel + step), w1, s0);
      const x2 = v128.load(pixel + 2 * step);
      s0 = multiplyAdd(x2, w2, s0);
      s1 = multiplyAdd(x2, w0, s1);
      s1 = multiplyAdd(v128.load(pixel + 3 * step), w1, s1);
      const x4 = v128.load(pixel + 4 * step);
      s1 = multiplyAdd(x4, w2, s1);
      s2 = multiplyAdd(x4, w0, s2);
      s2 = multiplyAdd(v128.load(pixel + 5 * step), w1, s2);
      const x6 = v128.load(pixel + 6 * step);
      s2 = multiplyAdd(x6, w2, s2);
      s3 = multiplyAdd(x6, w0, s3);
      s3 = multiplyAdd(v128.load(pixel + 7 * step), w1, s3);
      s3 = multiplyAdd(v128.load(pixel + 8 * step), w2, s3);
    }
    storeFour(out + at, step, clamp(s0, lows, highs), clamp(s1, lows, highs), clamp(s2, lows, highs), clamp(s3, lows, highs));
  }
}

// @ts-ignore: decorator
@inline
function storeFour(out: usize, step: usize, s0: v128, s1: v128, s2: v128, s3: v128): void {
  v128.store(out, s0);
  v128.store(out + step, s1);
  v128.store(out + 2 * step, s2);
  v128.store(out + 3 * step, s3);
}
