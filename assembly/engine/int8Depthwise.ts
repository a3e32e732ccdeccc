// A depthwise convolution of bytes. Its sums do not run across channels, so the dot products run down the rows of a window:
// a word of 32 bits holds G pixels of a channel, one below the other, as bytes or 16-bit integers (see int8Tile.ts), and the
// words of a column serve all windows that have it.
import { narrow, toLevels } from './int8Requantize';

const G: i32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
/** Pointers to the pixels of a word. */
const WORD_BYTES: usize = <usize>G << 2;
/** Neighbours that are made together, of windows three columns wide. */
const FOUR: i32 = 4;
const FOUR_COLUMNS: i32 = 6;

/** Bytes of scratch that `i8DepthwiseRows` needs. */
export function i8DepthwiseRowsScratchBytes(Q: i32, M: i32, KH: i32, KW: i32): usize {
  const pixels = wordRows(KH) * G * max(KW, FOUR_COLUMNS);
  return 16 + <usize>Q + (<usize>pixels << 2) + (M > 1 ? <usize>(KH * KW * Q) : 0);
}

/**
 * A depthwise convolution with bias and rounding, for the output pixels `[begin,end)`.
 *
 * `x [N,H,W,C]` uint8 up to 127, `w [KH / G][KW][Q][G]` (rows by words of G, zeros behind the last) int8 with G = 4 or int16
 * with G = 2 (`i8GroupSize`), `bias [Q]` int32, `multipliers [Q]` float32, `out [end - begin,Q]` uint8; C and Q are
 * multiples of 16, channel q reads channel floor(q / M). The definition, p = (n * OH + oh) * OW + ow, pixels outside of the
 * picture count 0:
 *
 *     sum = bias[q] + sum over kh, kw: x[n, oh * strideH + kh - padTop, ow * strideW + kw - padLeft, q / M] * w[kh,kw,q]
 *     out[p - begin,q] = clamp(round(float32(float32(sum) * multipliers[q])), 0, 127)
 */
export function i8DepthwiseRows(
  x: usize, w: usize, bias: usize, multipliers: usize, out: usize, scratch: usize, begin: i32, end: i32,
  H: i32, W: i32, C: i32, OH: i32, OW: i32, Q: i32, M: i32,
  KH: i32, KW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const zeros = scratch + 16;
  const list = zeros + Q;
  const copies = list + (<usize>(wordRows(KH) * G * max(KW, FOUR_COLUMNS)) << 2);
  memory.fill(zeros, 0, Q);
  v128.store(scratch, i16x8.splat(1));
  const isFast = KW == 3 && strideW == 1 && M == 1;
  for (let p = begin; p < end;) {
    const row = p / OW;
    const n = row / OH;
    const top = (row - n * OH) * strideH - padTop;
    const ow = p - row * OW;
    const image = x + <usize>(n * H * W) * <usize>C;
    const count = isFast && min(OW - ow, end - p) >= FOUR ? FOUR : 1;
    const columns = count == FOUR ? FOUR_COLUMNS : KW;
    pointToPixels(list, image, zeros, top, ow * strideW - padLeft, columns, H, W, C, KH);
    if (count == FOUR) {
      fourPixels(scratch, list, w, bias, multipliers, out, Q, wordRows(KH));
    } else {
      if (M > 1) repeatChannels(list, zeros, copies, wordRows(KH) * KW * G, Q, M);
      onePixel(scratch, list, w, bias, multipliers, out, Q, wordRows(KH) * KW);
    }
    out += <usize>(count * Q);
    p += count;
  }
}

/** Words that a window's column takes. */
function wordRows(KH: i32): i32 {
  return (KH + G - 1) / G;
}

/** Writes pointers to pixels, `[KH / G][columns][G]`, to zeros outside of the picture and below the window. */
function pointToPixels(
  list: usize, image: usize, zeros: usize, top: i32, left: i32, columns: i32, H: i32, W: i32, C: i32, KH: i32,
): void {
  const first = max(0, -left);
  const end = min(columns, W - left);
  for (let kh = 0; kh < wordRows(KH) * G; kh++) {
    const ih = top + kh;
    const isInside = kh < KH && <u32>ih < <u32>H;
    let pixel = image + <usize>((ih * W + left + first) * C);
    let to = list + <usize>(kh / G * columns) * WORD_BYTES + (<usize>(kh % G) << 2);
    for (let column = 0; column < columns; column++, to += WORD_BYTES) {
      const inRow = isInside && column >= first && column < end;
      store<usize>(to, inRow ? pixel : zeros);
      if (inRow) pixel += C;
    }
  }
}

/** Copies the pixels that are pointed to, each channel M times, and points to the copies. */
function repeatChannels(list: usize, zeros: usize, to: usize, pixels: i32, Q: i32, M: i32): void {
  for (let i = 0; i < pixels; i++, list += 4) {
    let from = load<usize>(list);
    if (from == zeros) continue;
    store<usize>(list, to);
    for (let q = 0, m = 0; q < Q; q++, to++) {
      store<u8>(to, load<u8>(from));
      m += 1;
      if (m == M) {
        m = 0;
        from += 1;
      }
    }
  }
}

function onePixel(
  onesAt: usize, list: usize, w: usize, bias: usize, multipliers: usize, out: usize, Q: i32, words: i32,
): void {
  const ones = v128.load(onesAt);
  const end = list + <usize>words * WORD_BYTES;
  const wordBytes = <usize>Q << 2;
  for (let q: usize = 0; q < <usize>Q; q += 16, w += 64, bias += 64, multipliers += 64) {
    let s0 = v128.load(bias), s1 = v128.load(bias, 16), s2 = v128.load(bias, 32), s3 = v128.load(bias, 48);
    let weights = w;
    for (let at = list; at < end; at += WORD_BYTES, weights += wordBytes) {
      const a = v128.load(load<usize>(at) + q);
      const b = v128.load(load<usize>(at, 4) + q);
      const c = G == 4 ? v128.load(load<usize>(at, 8) + q) : a;
      const d = G == 4 ? v128.load(load<usize>(at, 12) + q) : b;
      const ab = interleaveLow(a, b);
      const cd = interleaveLow(c, d);
      s0 = addWords(s0, lowWords(ab, cd), weights, ones);
      s1 = addWords(s1, highWords(ab, cd), weights + 16, ones);
      const abHigh = interleaveHigh(a, b);
      const cdHigh = interleaveHigh(c, d);
      s2 = addWords(s2, lowWords(abHigh, cdHigh), weights + 32, ones);
      s3 = addWords(s3, highWords(abHigh, cdHigh), weights + 48, ones);
    }
    const l0 = toLevels(s0, v128.load(multipliers));
    const l1 = toLevels(s1, v128.load(multipliers, 16));
    const l2 = toLevels(s2, v128.load(multipliers, 32));
    const l3 = toLevels(s3, v128.load(multipliers, 48));
    v128.store(out + q, narrow(l0, l1, l2, l3));
  }
}

/** Four neighbours, 8 channels at a time, of windows three columns wide: the words of a column serve up to three of them. */
function fourPixels(
  onesAt: usize, list: usize, w: usize, bias: usize, multipliers: usize, out: usize, Q: i32, rows: i32,
): void {
  const ones = v128.load(onesAt);
  const wordBytes = <usize>Q << 2;
  const end = list + <usize>(rows * FOUR_COLUMNS) * WORD_BYTES;
  for (let q: usize = 0; q < <usize>Q; q += 8, w += 32, bias += 32, multipliers += 32) {
    let a0 = v128.load(bias), a1 = v128.load(bias, 16);
    let b0 = a0, b1 = a1, c0 = a0, c1 = a1, d0 = a0, d1 = a1;
    let w0 = w;
    for (let at = list; at < end; at += FOUR_COLUMNS * WORD_BYTES, w0 += 3 * wordBytes) {
      const w1 = w0 + wordBytes;
      const w2 = w1 + wordBytes;
      let ab = upperPair(at, 0, q), cd = lowerPair(at, 0, q);
      let low = lowWords(ab, cd), high = highWords(ab, cd);
      a0 = addWords(a0, low, w0, ones);
      a1 = addWords(a1, high, w0 + 16, ones);

      ab = upperPair(at, 1, q), cd = lowerPair(at, 1, q);
      low = lowWords(ab, cd), high = highWords(ab, cd);
      a0 = addWords(a0, low, w1, ones);
      a1 = addWords(a1, high, w1 + 16, ones);
      b0 = addWords(b0, low, w0, ones);
      b1 = addWords(b1, high, w0 + 16, ones);

      ab = upperPair(at, 2, q), cd = lowerPair(at, 2, q);
      low = lowWords(ab, cd), high = highWords(ab, cd);
      a0 = addWords(a0, low, w2, ones);
      a1 = addWords(a1, high, w2 + 16, ones);
      b0 = addWords(b0, low, w1, ones);
      b1 = addWords(b1, high, w1 + 16, ones);
      c0 = addWords(c0, low, w0, ones);
      c1 = addWords(c1, high, w0 + 16, ones);

      ab = upperPair(at, 3, q), cd = lowerPair(at, 3, q);
      low = lowWords(ab, cd), high = highWords(ab, cd);
      b0 = addWords(b0, low, w2, ones);
      b1 = addWords(b1, high, w2 + 16, ones);
      c0 = addWords(c0, low, w1, ones);
      c1 = addWords(c1, high, w1 + 16, ones);
      d0 = addWords(d0, low, w0, ones);
      d1 = addWords(d1, high, w0 + 16, ones);

      ab = upperPair(at, 4, q), cd = lowerPair(at, 4, q);
      low = lowWords(ab, cd), high = highWords(ab, cd);
      c0 = addWords(c0, low, w2, ones);
      c1 = addWords(c1, high, w2 + 16, ones);
      d0 = addWords(d0, low, w1, ones);
      d1 = addWords(d1, high, w1 + 16, ones);

      ab = upperPair(at, 5, q), cd = lowerPair(at, 5, q);
      low = lowWords(ab, cd), high = highWords(ab, cd);
      d0 = addWords(d0, low, w2, ones);
      d1 = addWords(d1, high, w2 + 16, ones);
    }
    const m0 = v128.load(multipliers);
    const m1 = v128.load(multipliers, 16);
    const ab = narrow(toLevels(a0, m0), toLevels(a1, m1), toLevels(b0, m0), toLevels(b1, m1));
    const cd = narrow(toLevels(c0, m0), toLevels(c1, m1), toLevels(d0, m0), toLevels(d1, m1));
    const to = out + q;
    v128.store64_lane(to, ab, 0);
    v128.store64_lane(to + Q, ab, 1);
    v128.store64_lane(to + 2 * Q, cd, 0);
    v128.store64_lane(to + 3 * Q, cd, 1);
  }
}

/** 8 channels of a column's first two pixels, in turn. */
// @ts-ignore: decorator
@inline
function upperPair(list: usize, column: usize, q: usize): v128 {
  const a = load<usize>(list + column * WORD_BYTES);
  const b = load<usize>(list + column * WORD_BYTES, 4);
  return interleaveLow(v128.load64_zero(a + q), v128.load64_zero(b + q));
}

/** Of the next two, where a word has them. */
// @ts-ignore: decorator
@inline
function lowerPair(list: usize, column: usize, q: usize): v128 {
  if (G == 2) return i32x4.splat(0);
  const a = load<usize>(list + column * WORD_BYTES, 8);
  const b = load<usize>(list + column * WORD_BYTES, 12);
  return interleaveLow(v128.load64_zero(a + q), v128.load64_zero(b + q));
}

// @ts-ignore: decorator
@inline
function interleaveLow(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function interleaveHigh(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Words of channels 0 to 3 from pairs of 8 channels. */
// @ts-ignore: decorator
@inline
function lowWords(upper: v128, lower: v128): v128 {
  return G == 4 ? v128.shuffle<i16>(upper, lower, 0, 8, 1, 9, 2, 10, 3, 11) : i16x8.extend_low_i8x16_u(upper);
}

/** Of channels 4 to 7. */
// @ts-ignore: decorator
@inline
function highWords(upper: v128, lower: v128): v128 {
  return G == 4 ? v128.shuffle<i16>(upper, lower, 4, 12, 5, 13, 6, 14, 7, 15) : i16x8.extend_high_i8x16_u(upper);
}

/** Faster than the dot product that adds where the processor has none, and near it where it has. */
// @ts-ignore: decorator
@inline
function addWords(sum: v128, words: v128, weights: usize, ones: v128): v128 {
  const w = v128.load(weights);
  if (!ASC_FEATURE_RELAXED_SIMD) return i32x4.add(sum, i32x4.dot_i16x8_s(words, w));
  return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(w, words), ones));
}
