// What an epilogue does with 8 columns of rows that a matrix product has just written.
import { multiplyAdd, passes } from '../simd';

/**
 * The sums and sums of squares of 8 columns: `sums[0..8] = sum(z)`, `squares[0..8] = sum(z * z)`, float64.
 *
 * In float32 only about the first row's values, so that nothing is lost where the mean is large beside the deviation.
 */
export function columnMoments(z: usize, rows: i32, rowBytes: usize, sums: usize, squares: usize): void {
  for (let half = 0; half < 2; half++, z += 16, sums += 32, squares += 32) {
    const shift = v128.load(z);
    let s0 = f32x4.splat(0), s1 = s0, q0 = s0, q1 = s0;
    let at = z;
    let row = rows;
    for (; row >= 2; row -= 2, at += rowBytes * 2) {
      const d0 = f32x4.sub(v128.load(at), shift);
      const d1 = f32x4.sub(v128.load(at + rowBytes), shift);
      s0 = f32x4.add(s0, d0);
      s1 = f32x4.add(s1, d1);
      q0 = multiplyAdd(d0, d0, q0);
      q1 = multiplyAdd(d1, d1, q1);
    }
    if (row > 0) {
      const d0 = f32x4.sub(v128.load(at), shift);
      s0 = f32x4.add(s0, d0);
      q0 = multiplyAdd(d0, d0, q0);
    }
    unshiftMoments(shift, f32x4.add(s0, s1), f32x4.add(q0, q1), rows, sums, squares);
  }
}

/** From sums about `shift` over `count` values to sums about 0, four columns in float64. */
function unshiftMoments(shift: v128, sum: v128, square: v128, count: i32, sums: usize, squares: usize): void {
  const n = f64x2.splat(<f64>count);
  for (let pair: usize = 0; pair < 2; pair++) {
    const c = f64x2.promote_low_f32x4(shift);
    const s = f64x2.promote_low_f32x4(sum);
    const q = f64x2.promote_low_f32x4(square);
    const nc = f64x2.mul(n, c);
    v128.store(sums + (pair << 4), f64x2.add(nc, s));
    // sum((d + c)^2) = q + c * (2 * s + n * c)
    v128.store(squares + (pair << 4), f64x2.add(q, f64x2.mul(c, f64x2.add(f64x2.add(s, s), nc))));
    shift = v128.shuffle<f64>(shift, shift, 1, 0);
    sum = v128.shuffle<f64>(sum, sum, 1, 0);
    square = v128.shuffle<f64>(square, square, 1, 0);
  }
}

/**
 * Turns 8 columns of the gradient of a clamp's output into that of its input, in place, and sums them up.
 *
 * `dx = low < y && y <= high ? dx : 0` with `y = scale * x + offset`; `sums[0..8] = sum(dx)`,
 * `products[0..8] = sum(dx * (x - mean))`, float64 out of float32 sums over these rows. `scale`, `offset` and `mean`
 * point at the first of the 8 channels.
 */
export function maskColumns(
  dx: usize, x: usize, rows: i32, rowBytes: usize, scale: usize, offset: usize, mean: usize, low: f32, high: f32,
  sums: usize, products: usize,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  for (let half: usize = 0; half < 32; half += 16) {
    const scales = v128.load(scale + half);
    const offsets = v128.load(offset + half);
    const means = v128.load(mean + half);
    let s0 = f32x4.splat(0), s1 = s0, q0 = s0, q1 = s0;
    let from = x + half;
    let at = dx + half;
    let row = rows;
    for (; row >= 2; row -= 2, at += rowBytes * 2, from += rowBytes * 2) {
      const x0 = v128.load(from);
      const x1 = v128.load(from + rowBytes);
      const d0 = v128.and(v128.load(at), passes(multiplyAdd(x0, scales, offsets), lows, highs));
      const d1 = v128.and(v128.load(at + rowBytes), passes(multiplyAdd(x1, scales, offsets), lows, highs));
      v128.store(at, d0);
      v128.store(at + rowBytes, d1);
      s0 = f32x4.add(s0, d0);
      s1 = f32x4.add(s1, d1);
      q0 = multiplyAdd(d0, f32x4.sub(x0, means), q0);
      q1 = multiplyAdd(d1, f32x4.sub(x1, means), q1);
    }
    if (row > 0) {
      const x0 = v128.load(from);
      const d0 = v128.and(v128.load(at), passes(multiplyAdd(x0, scales, offsets), lows, highs));
      v128.store(at, d0);
      s0 = f32x4.add(s0, d0);
      q0 = multiplyAdd(d0, f32x4.sub(x0, means), q0);
    }
    storeDoubles(sums + (half << 1), f32x4.add(s0, s1));
    storeDoubles(products + (half << 1), f32x4.add(q0, q1));
  }
}

function storeDoubles(to: usize, values: v128): void {
  v128.store(to, f64x2.promote_low_f32x4(values));
  v128.store(to, f64x2.promote_low_f32x4(v128.shuffle<f64>(values, values, 1, 0)), 16);
}
