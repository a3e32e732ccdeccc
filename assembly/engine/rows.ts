// Rows of pixels on their way into a matrix product: what a stage reads is never stored, but made from z when it is loaded.
import { clamp, multiplyAdd, passes } from '../simd';

/** `to = clamp(scale * x + offset, low, high)` for `rows` rows of C channels; `x` and `to [rows,C]`, C a multiple of 4. */
export function activateRows(
  x: usize, scale: usize, offset: usize, low: f32, high: f32, to: usize, rows: i32, C: i32,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const rowBytes = <usize>C << 2;
  for (; rows > 0; rows--, x += rowBytes, to += rowBytes) {
    for (let c: usize = 0; c < rowBytes; c += 16) {
      const y = multiplyAdd(v128.load(x + c), v128.load(scale + c), v128.load(offset + c));
      v128.store(to + c, clamp(y, lows, highs));
    }
  }
}

/** `to = c1 * dy + c2 * z + c3`, the gradient of z, for `rows` rows of F channels. */
export function formGradientRows(
  dy: usize, z: usize, c1: usize, c2: usize, c3: usize, to: usize, rows: i32, F: i32,
): void {
  const rowBytes = <usize>F << 2;
  for (; rows > 0; rows--, dy += rowBytes, z += rowBytes, to += rowBytes) {
    for (let f: usize = 0; f < rowBytes; f += 16) {
      const shifted = multiplyAdd(v128.load(z + f), v128.load(c2 + f), v128.load(c3 + f));
      v128.store(to + f, multiplyAdd(v128.load(dy + f), v128.load(c1 + f), shifted));
    }
  }
}

/**
 * The activated patch `[KH,KW,C]` under output pixel `p`, zeros outside of the picture.
 */
export function activatePatch(
  x: usize, scale: usize, offset: usize, low: f32, high: f32, to: usize, p: i32,
  H: i32, W: i32, C: i32, OH: i32, OW: i32, KH: i32, KW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const pixelBytes = <usize>C << 2;
  const row = p / OW;
  const n = row / OH;
  const top = (row - n * OH) * strideH - padTop;
  const left = (p - row * OW) * strideW - padLeft;
  const first = max(0, -left);
  const end = min(KW, W - left);
  for (let kh = 0; kh < KH; kh++, to += <usize>KW * pixelBytes) {
    const ih = top + kh;
    if (<u32>ih >= <u32>H || first >= end) {
      memory.fill(to, 0, <usize>KW * pixelBytes);
      continue;
    }
    memory.fill(to, 0, <usize>first * pixelBytes);
    const from = x + <usize>((n * H + ih) * W + left + first) * pixelBytes;
    activateRows(from, scale, offset, low, high, to + <usize>first * pixelBytes, end - first, C);
    memory.fill(to + <usize>end * pixelBytes, 0, <usize>(KW - end) * pixelBytes);
  }
}

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
