// The end of every integer sum: back to bytes from 0 to 127.

/**
 * `round(float32(sum) * multiplier)` of 4 sums, the product rounded to float32, then to the nearest integer, of two equally
 * near ones the even one. What is above 2^22 is some integer above 127, what is below -2^22 some integer below 0; the
 * product is at least -1.5 * 2^23.
 *
 * Adding 1.5 * 2^23 leaves the integer in the low bits: two instructions, and no clamp before them.
 */
// @ts-ignore: decorator
@inline
export function toLevels(sums: v128, multipliers: v128): v128 {
  const shifted = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sums), multipliers), f32x4.splat(12582912));
  return i32x4.sub(shifted, i32x4.splat(0x4b400000));
}

/** Four times 4 levels, clamped to 0 to 127, as bytes. */
// @ts-ignore: decorator
@inline
export function narrow(a: v128, b: v128, c: v128, d: v128): v128 {
  const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
  return i8x16.min_u(bytes, i8x16.splat(127));
}
