// Windows of 3 x 3 along a row of output pixels, 8 channels at a time. What a column gives goes to all sums that are open:
// it is read and interleaved once. Columns outside of the picture give nothing.
import { addWords, G, highWords, interleaveLow, lowWords } from './int8DepthwiseWords';
import { narrow, onesOf, rounderOf, toLevels } from './int8Requantize';

/**
 * `count` neighbours, 1 column apart. `r0`, `r1`, `r2` point to the window's rows, at the picture's column `left`; there
 * may be none, then its step, in bytes, is 0 and it points to zeros.
 */
export function slideByOne(
  constants: usize, r0: usize, step0: usize, r1: usize, step1: usize, r2: usize, step2: usize, left: i32, W: i32,
  w: usize, bias: usize, multipliers: usize, out: usize, Q: i32, count: i32,
): void {
  const ones = onesOf(constants);
  const wordBytes = <usize>Q << 2;
  for (let q: usize = 0; q < <usize>Q; q += 8, w += 32, bias += 32, multipliers += 32) {
    const w1 = w + wordBytes;
    const w2 = w1 + wordBytes;
    const w00 = v128.load(w), w01 = v128.load(w, 16), v00 = below(w, wordBytes), v01 = below(w + 16, wordBytes);
    const w10 = v128.load(w1), w11 = v128.load(w1, 16), v10 = below(w1, wordBytes), v11 = below(w1 + 16, wordBytes);
    const w20 = v128.load(w2), w21 = v128.load(w2, 16), v20 = below(w2, wordBytes), v21 = below(w2 + 16, wordBytes);
    let p0 = r0 + q, p1 = r1 + q, p2 = r2 + q;
    // The sums that have one column of three, and two.
    let a0 = v128.load(bias), a1 = v128.load(bias, 16);
    let b0 = a0, b1 = a1;
    let to = out + q;
    for (let column = left; column < left + 2; column++, p0 += step0, p1 += step1, p2 += step2) {
      b0 = a0;
      b1 = a1;
      a0 = v128.load(bias);
      a1 = v128.load(bias, 16);
      if (<u32>column >= <u32>W) continue;
      const upper = interleaveLow(v128.load64_zero(p0), v128.load64_zero(p1));
      const lower = interleaveLow(v128.load64_zero(p2), i32x4.splat(0));
      b0 = addLow(b0, upper, lower, w10, v10, ones);
      b1 = addHigh(b1, upper, lower, w11, v11, ones);
      a0 = addLow(a0, upper, lower, w00, v00, ones);
      a1 = addHigh(a1, upper, lower, w01, v01, ones);
    }
    const end = left + 2 + count;
    for (let column = left + 2; column < end; column++, p0 += step0, p1 += step1, p2 += step2, to += Q) {
      let s0 = b0, s1 = b1;
      b0 = a0;
      b1 = a1;
      a0 = v128.load(bias);
      a1 = v128.load(bias, 16);
      if (<u32>column < <u32>W) {
        const upper = interleaveLow(v128.load64_zero(p0), v128.load64_zero(p1));
        const lower = interleaveLow(v128.load64_zero(p2), i32x4.splat(0));
        s0 = addLow(s0, upper, lower, w20, v20, ones);
        s1 = addHigh(s1, upper, lower, w21, v21, ones);
        b0 = addLow(b0, upper, lower, w10, v10, ones);
        b1 = addHigh(b1, upper, lower, w11, v11, ones);
        a0 = addLow(a0, upper, lower, w00, v00, ones);
        a1 = addHigh(a1, upper, lower, w01, v01, ones);
      }
      storeEight(to, s0, s1, multipliers, constants);
    }
  }
}

/** The same of neighbours 2 columns apart. */
export function slideByTwo(
  constants: usize, r0: usize, step0: usize, r1: usize, step1: usize, r2: usize, step2: usize, left: i32, W: i32,
  w: usize, bias: usize, multipliers: usize, out: usize, Q: i32, count: i32,
): void {
  const ones = onesOf(constants);
  const wordBytes = <usize>Q << 2;
  for (let q: usize = 0; q < <usize>Q; q += 8, w += 32, bias += 32, multipliers += 32) {
    const w1 = w + wordBytes;
    const w2 = w1 + wordBytes;
    const w00 = v128.load(w), w01 = v128.load(w, 16), v00 = below(w, wordBytes), v01 = below(w + 16, wordBytes);
    const w10 = v128.load(w1), w11 = v128.load(w1, 16), v10 = below(w1, wordBytes), v11 = below(w1 + 16, wordBytes);
    const w20 = v128.load(w2), w21 = v128.load(w2, 16), v20 = below(w2, wordBytes), v21 = below(w2 + 16, wordBytes);
    let p0 = r0 + q, p1 = r1 + q, p2 = r2 + q;
    let a0 = v128.load(bias), a1 = v128.load(bias, 16);
    let to = out + q - Q;
    const end = left + 2 * count;
    for (let column = left; ; column += 2, to += Q) {
      let s0 = a0, s1 = a1;
      a0 = v128.load(bias);
      a1 = v128.load(bias, 16);
      if (<u32>column < <u32>W) {
        const upper = interleaveLow(v128.load64_zero(p0), v128.load64_zero(p1));
        const lower = interleaveLow(v128.load64_zero(p2), i32x4.splat(0));
        s0 = addLow(s0, upper, lower, w20, v20, ones);
        s1 = addHigh(s1, upper, lower, w21, v21, ones);
        a0 = addLow(a0, upper, lower, w00, v00, ones);
        a1 = addHigh(a1, upper, lower, w01, v01, ones);
      }
      // Before the first column there is no output.
      if (column > left) storeEight(to, s0, s1, multipliers, constants);
      if (column == end) break;
      p0 += step0, p1 += step1, p2 += step2;
      if (<u32>(column + 1) < <u32>W) {
        const upper = interleaveLow(v128.load64_zero(p0), v128.load64_zero(p1));
        const lower = interleaveLow(v128.load64_zero(p2), i32x4.splat(0));
        a0 = addLow(a0, upper, lower, w10, v10, ones);
        a1 = addHigh(a1, upper, lower, w11, v11, ones);
      }
      p0 += step0, p1 += step1, p2 += step2;
    }
  }
}

/** Weights of a second word of rows, where a word holds two of the three. */
// @ts-ignore: decorator
@inline
function below(w: usize, wordBytes: usize): v128 {
  return G == 4 ? i32x4.splat(0) : v128.load(w + 3 * wordBytes);
}

/** Adds a column's products of channels 0 to 3; `v` is what lies below `w`. */
// @ts-ignore: decorator
@inline
function addLow(sum: v128, upper: v128, lower: v128, w: v128, v: v128, ones: v128): v128 {
  const first = addWords(sum, lowWords(upper, lower), w, ones);
  return G == 4 ? first : addWords(first, lowWords(lower, lower), v, ones);
}

/** Of channels 4 to 7. */
// @ts-ignore: decorator
@inline
function addHigh(sum: v128, upper: v128, lower: v128, w: v128, v: v128, ones: v128): v128 {
  const first = addWords(sum, highWords(upper, lower), w, ones);
  return G == 4 ? first : addWords(first, highWords(lower, lower), v, ones);
}

// @ts-ignore: decorator
@inline
function storeEight(to: usize, s0: v128, s1: v128, multipliers: usize, constants: usize): void {
  const rounder = rounderOf(constants);
  const l0 = toLevels(s0, v128.load(multipliers), rounder);
  const l1 = toLevels(s1, v128.load(multipliers, 16), rounder);
  v128.store64_lane(to, narrow(l0, l1, l0, l1), 0);
}
