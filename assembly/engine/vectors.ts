// Passes over plain vectors, elements begin <= i < end, both multiples of 4.
import { multiplyAdd } from '../simd';
import { promoteHigh } from './doubles';

/** Adds up gradients of several batches: `sum[i] = factor * x[i] + (isFirst ? 0 : sum[i])`. */
export function f32Accumulate(x: usize, sum: usize, factor: f64, isFirst: bool, begin: i32, end: i32): void {
  const factors = f32x4.splat(<f32>factor);
  const zeros = f32x4.splat(0);
  for (let at = <usize>begin << 2, last = <usize>end << 2; at < last; at += 16) {
    const before = isFirst ? zeros : v128.load(sum + at);
    v128.store(sum + at, multiplyAdd(v128.load(x + at), factors, before));
  }
}

/**
 * Moves an average on: `average[i] = keep * average[i] + (1 - keep) * x[i]`.
 *
 * As `average + (1 - keep) * (x - average)`, so that what never changes stays as it is, bit by bit.
 */
export function f32ExponentialAverage(average: usize, x: usize, keep: f64, begin: i32, end: i32): void {
  const take = f32x4.splat(<f32>(1 - keep));
  for (let at = <usize>begin << 2, last = <usize>end << 2; at < last; at += 16) {
    const before = v128.load(average + at);
    v128.store(average + at, multiplyAdd(f32x4.sub(v128.load(x + at), before), take, before));
  }
}

/** The sum of x[i] * x[i], in float64. */
export function f32SumOfSquares(x: usize, begin: i32, end: i32): f64 {
  let low = f64x2.splat(0), high = low;
  for (let at = x + (<usize>begin << 2), last = x + (<usize>end << 2); at < last; at += 16) {
    const values = v128.load(at);
    const first = f64x2.promote_low_f32x4(values);
    const second = promoteHigh(values);
    low = f64x2.add(low, f64x2.mul(first, first));
    high = f64x2.add(high, f64x2.mul(second, second));
  }
  const sum = f64x2.add(low, high);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}
