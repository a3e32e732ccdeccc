// Float32 vectors on their way into float64 sums.

/** Lanes 2 and 3 in float64; `f64x2.promote_low_f32x4` is lanes 0 and 1. */
// @ts-ignore: decorator
@inline
export function promoteHigh(values: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f64>(values, values, 1, 0));
}

/** Adds four float32 values to the four float64 at `sums`. */
// @ts-ignore: decorator
@inline
export function addToDoubles(sums: usize, values: v128): void {
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(values)));
  v128.store(sums, f64x2.add(v128.load(sums, 16), promoteHigh(values)), 16);
}
