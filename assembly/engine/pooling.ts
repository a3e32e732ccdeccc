// Letters: N pictures, `pixels` = H * W of each, C channels, a multiple of 4.
import { clamp, multiplyAdd } from '../simd';
import { promoteHigh } from './doubles';
import { gradientRow } from './gradientRow';

/**
 * The mean of each channel of an activated picture, summed in float64.
 *
 * `x [N,pixels,C]`, `out [N,C]`. The definition, for begin <= n < end:
 *
 *     out[n,c] = sum over p: clamp(scale[c] * x[n,p,c] + offset[c], low, high) / pixels
 */
export function f32GlobalAverageForward(
  x: usize, scale: usize, offset: usize, low: f32, high: f32, out: usize, pixels: i32, C: i32, begin: i32, end: i32,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const counts = f64x2.splat(<f64>pixels);
  const rowBytes = <usize>C << 2;
  const pictureBytes = <usize>pixels * rowBytes;
  for (let n = begin; n < end; n++) {
    for (let c: usize = 0; c < rowBytes; c += 16) {
      const scales = v128.load(scale + c);
      const offsets = v128.load(offset + c);
      let s0 = f64x2.splat(0);
      let s1 = f64x2.splat(0);
      let from = x + <usize>n * pictureBytes + c;
      for (let p = pixels; p > 0; p--, from += rowBytes) {
        const a = clamp(multiplyAdd(v128.load(from), scales, offsets), lows, highs);
        s0 = f64x2.add(s0, f64x2.promote_low_f32x4(a));
        s1 = f64x2.add(s1, promoteHigh(a));
      }
      const m0 = f32x4.demote_f64x2_zero(f64x2.div(s0, counts));
      const m1 = f32x4.demote_f64x2_zero(f64x2.div(s1, counts));
      v128.store(out + <usize>n * rowBytes + c, v128.shuffle<f64>(m0, m1, 0, 2));
    }
  }
}

/**
 * The gradient of the mean over pixels with respect to what was in front of the clamp that it read through.
 *
 * `dy`, `z [N,C]`, `x`, `dx [N,pixels,C]`, `sums [ceil(N / imagesPerUnit)][2][C]` float64. The definition:
 *
 *     dz[n,c] = c1[c] * dy[n,c] + c2[c] * z[n,c] + c3[c]
 *     y[n,p,c] = scale[c] * x[n,p,c] + offset[c]
 *     dx[n,p,c] = low < y[n,p,c] && y[n,p,c] <= high ? dz[n,c] / pixels : 0
 *     sums[unit][0][c] = sum of dx over the unit's pictures, sums[unit][1][c] = sum of dx * (x - mean)
 */
export function f32GlobalAverageBackward(
  x: usize, scale: usize, offset: usize, mean: usize, low: f32, high: f32,
  dy: usize, z: usize, c1: usize, c2: usize, c3: usize, dx: usize, sums: usize,
  imagesPerUnit: i32, unitBegin: i32, unitEnd: i32, N: i32, pixels: i32, C: i32,
): void {
  const rowBytes = <usize>C << 2;
  const factor = <f32>1 / <f32>pixels;
  memory.fill(sums + (<usize>(unitBegin * C) << 4), 0, <usize>((unitEnd - unitBegin) * C) << 4);
  for (let n = unitBegin * imagesPerUnit, end = min(N, unitEnd * imagesPerUnit); n < end; n++) {
    const pooled = <usize>n * rowBytes;
    const unitSums = sums + (<usize>(n / imagesPerUnit * C) << 4);
    for (let p = n * pixels, last = p + pixels; p < last; p++) {
      const at = <usize>p * rowBytes;
      gradientRow(
        x + at, scale, offset, mean, low, high, factor, 0,
        dy + pooled, z + pooled, c1, c2, c3, dx + at, unitSums, C,
      );
    }
  }
}
