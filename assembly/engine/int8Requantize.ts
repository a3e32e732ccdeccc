// The end of every integer sum: back to bytes from 0 to 127.

/**
 * Constants of the inner loops, in memory: V8 makes a constant anew, by three instructions, each time that it is used, and
 * loads a spilled vector by one.
 */
export const CONSTANTS_BYTES: usize = 32;

export function storeConstants(at: usize): void {
  v128.store(at, i16x8.splat(1));
  v128.store(at, f32x4.splat(12582912), 16);
}

/** 1 in each of 8 lanes. */
// @ts-ignore: decorator
@inline
export function onesOf(constants: usize): v128 {
  return v128.load(constants);
}

/** What {@link toLevels} rounds with: 1.5 * 2^23, whose bits are the integer 0x4b400000. */
// @ts-ignore: decorator
@inline
export function rounderOf(constants: usize): v128 {
  return v128.load(constants, 16);
}

/**
 * `round(float32(sum) * multiplier)` of 4 sums, the product rounded to float32, then to the nearest integer, of two equally
 * near ones the even one. What is above 2^22 is some integer above 127, what is below -2^22 some integer below 0; the
 * product is at least -1.5 * 2^23.
 *
 * Adding 1.5 * 2^23 leaves the integer in the low bits: two instructions, and no clamp before them.
 */
// @ts-ignore: decorator
@inline
export function toLevels(sums: v128, multipliers: v128, rounder: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sums), multipliers), rounder), rounder);
}

/** Four times 4 levels, clamped to 0 to 127, as bytes. */
// @ts-ignore: decorator
@inline
export function narrow(a: v128, b: v128, c: v128, d: v128): v128 {
  const bytes = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
  return i8x16.max_s(bytes, i8x16.splat(0));
}
