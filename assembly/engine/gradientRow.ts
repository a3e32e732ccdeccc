import { multiplyAdd, passes } from '../simd';
import { addToDoubles } from './doubles';

/**
 * One row of an elementwise gradient, through a factor and the clamp before it, with the sums that batch norm needs.
 *
 * All `[C]`, `sums [2][C]` float64, C a multiple of 4. The definition:
 *
 *     dz[c] = c1[c] * dy[c] + c2[c] * z[c] + c3[c]
 *     y[c] = scale[c] * x[c] + offset[c]
 *     dx[c] = low < y[c] && y[c] <= high ? dz[c] * factor * mask[c] : 0
 *     sums[0][c] += dx[c], sums[1][c] += dx[c] * (x[c] - mean[c])
 *
 * mask = 0 (absent) counts as 1 everywhere.
 */
export function gradientRow(
  x: usize, scale: usize, offset: usize, mean: usize, low: f32, high: f32, factor: f32, mask: usize,
  dy: usize, z: usize, c1: usize, c2: usize, c3: usize, dx: usize, sums: usize, C: i32,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const factors = f32x4.splat(factor);
  const products = sums + (<usize>C << 3);
  for (let c: usize = 0, end = <usize>C << 2; c < end; c += 16) {
    const shifted = multiplyAdd(v128.load(z + c), v128.load(c2 + c), v128.load(c3 + c));
    let d = f32x4.mul(multiplyAdd(v128.load(dy + c), v128.load(c1 + c), shifted), factors);
    if (mask != 0) d = f32x4.mul(d, v128.load(mask + c));
    const values = v128.load(x + c);
    const y = multiplyAdd(values, v128.load(scale + c), v128.load(offset + c));
    d = v128.and(d, passes(y, lows, highs));
    v128.store(dx + c, d);
    addToDoubles(sums + (c << 1), d);
    addToDoubles(products + (c << 1), f32x4.mul(d, f32x4.sub(values, v128.load(mean + c))));
  }
}
