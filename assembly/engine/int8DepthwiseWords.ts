// Sums of a depthwise convolution do not run across channels, so the dot products run down the rows of a window: a word
// of 32 bits holds G pixels of a channel, one below the other, as bytes or 16-bit integers (see int8Tile.ts).

export const G: i32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;

/** Words that a window's column takes. */
export function wordRows(KH: i32): i32 {
  return (KH + G - 1) / G;
}

/** Channels 0 to 7 of two pixels, in turn. */
// @ts-ignore: decorator
@inline
export function interleaveLow(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** Channels 8 to 15. */
// @ts-ignore: decorator
@inline
export function interleaveHigh(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Words of the first four channels: of pixels 0 and 1 in turn, and, where a word has them, of 2 and 3. */
// @ts-ignore: decorator
@inline
export function lowWords(upper: v128, lower: v128): v128 {
  return G == 4 ? v128.shuffle<i16>(upper, lower, 0, 8, 1, 9, 2, 10, 3, 11) : i16x8.extend_low_i8x16_u(upper);
}

/** Of the last four channels. */
// @ts-ignore: decorator
@inline
export function highWords(upper: v128, lower: v128): v128 {
  return G == 4 ? v128.shuffle<i16>(upper, lower, 4, 12, 5, 13, 6, 14, 7, 15) : i16x8.extend_high_i8x16_u(upper);
}

/** Adds the products of words with weights; by `ones`, as the dot product that adds is slow where processors have none. */
// @ts-ignore: decorator
@inline
export function addWords(sum: v128, words: v128, w: v128, ones: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) return i32x4.add(sum, i32x4.dot_i16x8_s(words, w));
  return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(w, words), ones));
}
