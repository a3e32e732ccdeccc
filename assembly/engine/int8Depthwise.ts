import { slideByOne, slideByTwo } from './int8DepthwiseThree';
import { addWords, G, highWords, interleaveHigh, interleaveLow, lowWords, wordRows } from './int8DepthwiseWords';
import { CONSTANTS_BYTES, narrow, onesOf, rounderOf, storeConstants, toLevels } from './int8Requantize';

/** Of the pointers to the pixels of a word. */
const WORD_BYTES: usize = <usize>G << 2;

/** Bytes of scratch that `i8DepthwiseRows` needs. */
export function i8DepthwiseRowsScratchBytes(Q: i32, M: i32, KH: i32, KW: i32): usize {
  const pixels = wordRows(KH) * KW * G;
  return CONSTANTS_BYTES + <usize>Q + (<usize>pixels << 2) + (M > 1 ? <usize>(pixels * Q) : 0);
}

/**
 * A depthwise convolution with bias and rounding, for the output pixels `[begin,end)`.
 *
 * `x [N,H,W,C]` uint8 up to 127, `w [KH / G][KW][Q][G]` (rows by words of G, zeros behind the last) int8 with G = 4 or
 * int16 with G = 2 (`i8GroupSize`), `bias [Q]` int32, `multipliers [Q]` float32, `out [end - begin,Q]` uint8; C and Q are
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
  const zeros = scratch + CONSTANTS_BYTES;
  const list = zeros + Q;
  const words = wordRows(KH) * KW;
  storeConstants(scratch);
  memory.fill(zeros, 0, Q);
  const isFast = KH == 3 && KW == 3 && strideW <= 2 && M == 1;
  for (let p = begin; p < end;) {
    const row = p / OW;
    const n = row / OH;
    const top = (row - n * OH) * strideH - padTop;
    const ow = p - row * OW;
    const left = ow * strideW - padLeft;
    const image = x + <usize>(n * H * W) * <usize>C;
    if (isFast) {
      const count = min(OW - ow, end - p);
      slide(scratch, image, zeros, top, left, H, W, w, bias, multipliers, out, Q, count, strideW);
      out += <usize>(count * Q);
      p += count;
      continue;
    }
    pointToPixels(list, image, zeros, top, left, H, W, C, KH, KW);
    if (M > 1) repeatChannels(list, zeros, list + <usize>words * WORD_BYTES, words * G, Q, M);
    onePixel(scratch, list, w, bias, multipliers, out, Q, words);
    out += Q;
    p += 1;
  }
}

/** A row of `count` pixels, under windows of 3 x 3. */
function slide(
  constants: usize, image: usize, zeros: usize, top: i32, left: i32, H: i32, W: i32,
  w: usize, bias: usize, multipliers: usize, out: usize, Q: i32, count: i32, strideW: i32,
): void {
  const step = <usize>Q;
  const rowBytes = <usize>W * step;
  const first = image + <usize>(top * W + left) * step;
  const has0 = <u32>top < <u32>H;
  const has1 = <u32>(top + 1) < <u32>H;
  const has2 = <u32>(top + 2) < <u32>H;
  const r0 = has0 ? first : zeros;
  const r1 = has1 ? first + rowBytes : zeros;
  const r2 = has2 ? first + 2 * rowBytes : zeros;
  const step0 = has0 ? step : 0;
  const step1 = has1 ? step : 0;
  const step2 = has2 ? step : 0;
  if (strideW == 1) {
    slideByOne(constants, r0, step0, r1, step1, r2, step2, left, W, w, bias, multipliers, out, Q, count);
  } else {
    slideByTwo(constants, r0, step0, r1, step1, r2, step2, left, W, w, bias, multipliers, out, Q, count);
  }
}

/** Writes pointers to the pixels under a window, `[KH / G][KW][G]`; to zeros outside of the picture and below KH. */
function pointToPixels(
  list: usize, image: usize, zeros: usize, top: i32, left: i32, H: i32, W: i32, C: i32, KH: i32, KW: i32,
): void {
  for (let kh = 0; kh < wordRows(KH) * G; kh++) {
    const ih = top + kh;
    const isRow = kh < KH && <u32>ih < <u32>H;
    let to = list + <usize>(kh / G * KW) * WORD_BYTES + (<usize>(kh % G) << 2);
    for (let iw = left; iw < left + KW; iw++, to += WORD_BYTES) {
      store<usize>(to, isRow && <u32>iw < <u32>W ? image + <usize>(ih * W + iw) * <usize>C : zeros);
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
  constants: usize, list: usize, w: usize, bias: usize, multipliers: usize, out: usize, Q: i32, words: i32,
): void {
  const ones = onesOf(constants);
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
      s0 = addWords(s0, lowWords(ab, cd), v128.load(weights), ones);
      s1 = addWords(s1, highWords(ab, cd), v128.load(weights, 16), ones);
      const abHigh = interleaveHigh(a, b);
      const cdHigh = interleaveHigh(c, d);
      s2 = addWords(s2, lowWords(abHigh, cdHigh), v128.load(weights, 32), ones);
      s3 = addWords(s3, highWords(abHigh, cdHigh), v128.load(weights, 48), ones);
    }
    const rounder = rounderOf(constants);
    const l0 = toLevels(s0, v128.load(multipliers), rounder);
    const l1 = toLevels(s1, v128.load(multipliers, 16), rounder);
    const l2 = toLevels(s2, v128.load(multipliers, 32), rounder);
    const l3 = toLevels(s3, v128.load(multipliers, 48), rounder);
    v128.store(out + q, narrow(l0, l1, l2, l3));
  }
}
