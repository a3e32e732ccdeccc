/** `a * b + c`: rounded once where the module is built for relaxed SIMD, twice where it is not. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** `min(max(y, low), high)` as one instruction each; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function clamp(y: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(y, low), high);
}

/** All bits set where the gradient passes a clamp, `low < y <= high`, as tfjs has it for ReLU and ReLU6. */
// @ts-ignore: decorator
@inline
export function passes(y: v128, low: v128, high: v128): v128 {
  return v128.and(f32x4.lt(low, y), f32x4.le(y, high));
}

/** Whether {@link multiplyAdd} is one instruction. */
export function hasMultiplyAdd(): bool {
  return ASC_FEATURE_RELAXED_SIMD;
}
