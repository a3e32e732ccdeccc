/**
 * The patches `[KH,KW]` of pixels under the output pixels `[begin,end)`, one a row of `rowBytes`; zeros outside of the
 * picture and behind the patch.
 *
 * `x [N,H,W]` of pixels of `pixelBytes`, a multiple of 8. The definition, p = (n * OH + oh) * OW + ow:
 *
 *     out[p - begin][kh][kw] = x[n, oh * strideH + kh - padTop, ow * strideW + kw - padLeft]
 */
export function copyPatches(
  x: usize, out: usize, begin: i32, end: i32, pixelBytes: usize, rowBytes: usize,
  H: i32, W: i32, OH: i32, OW: i32, KH: i32, KW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const tapRowBytes = <usize>KW * pixelBytes;
  for (let p = begin; p < end; p++, out += rowBytes) {
    const row = p / OW;
    const n = row / OH;
    const top = (row - n * OH) * strideH - padTop;
    const left = (p - row * OW) * strideW - padLeft;
    const first = min(KW, max(0, -left));
    const before = <usize>first * pixelBytes;
    const inside = <usize>max(0, min(KW, W - left) - first) * pixelBytes;
    let to = out;
    for (let kh = 0; kh < KH; kh++, to += tapRowBytes) {
      const ih = top + kh;
      if (<u32>ih >= <u32>H) {
        fillZeros(to, tapRowBytes);
        continue;
      }
      fillZeros(to, before);
      copyWords(x + <usize>((n * H + ih) * W + left + first) * pixelBytes, to + before, inside);
      fillZeros(to + before + inside, tapRowBytes - before - inside);
    }
    fillZeros(to, out + rowBytes - to);
  }
}

// Loops, because memory.copy and memory.fill are calls, and these are a few words long.
function copyWords(from: usize, to: usize, bytes: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(to + at, v128.load(from + at));
  if (at < bytes) store<u64>(to + at, load<u64>(from + at));
}

function fillZeros(to: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 8) store<u64>(to + at, 0);
}
