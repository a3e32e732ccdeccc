import { clamp, multiplyAdd } from '../simd';

/**
 * The activated patch `[KH,KW,C]` under output pixel `p`, zeros outside of the picture: `clamp(scale * x + offset, low,
 * high)`, or x as it is without `scale` (0). C is a multiple of 4.
 */
export function activatePatch(
  x: usize, scale: usize, offset: usize, low: f32, high: f32, to: usize, p: i32,
  H: i32, W: i32, C: i32, OH: i32, OW: i32, KH: i32, KW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): void {
  const pixelBytes = <usize>C << 2;
  const row = p / OW;
  const n = row / OH;
  const top = (row - n * OH) * strideH - padTop;
  const left = (p - row * OW) * strideW - padLeft;
  const first = max(0, -left);
  const end = min(KW, W - left);
  const before = <usize>first * pixelBytes;
  const inside = <usize>max(0, end - first) * pixelBytes;
  const rowBytes = <usize>KW * pixelBytes;
  for (let kh = 0; kh < KH; kh++, to += rowBytes) {
    const ih = top + kh;
    if (<u32>ih >= <u32>H || inside == 0) {
      fillZeros(to, rowBytes);
      continue;
    }
    const from = x + <usize>((n * H + ih) * W + left + first) * pixelBytes;
    fillZeros(to, before);
    if (scale == 0) copyVectors(from, to + before, inside);
    else activatePixels(from, scale, offset, low, high, to + before, inside, pixelBytes);
    fillZeros(to + before + inside, rowBytes - before - inside);
  }
}

function activatePixels(
  from: usize, scale: usize, offset: usize, low: f32, high: f32, to: usize, bytes: usize, pixelBytes: usize,
): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  for (let pixel: usize = 0; pixel < bytes; pixel += pixelBytes) {
    for (let c: usize = 0; c < pixelBytes; c += 16) {
      const y = multiplyAdd(v128.load(from + pixel + c), v128.load(scale + c), v128.load(offset + c));
      v128.store(to + pixel + c, clamp(y, lows, highs));
    }
  }
}

// Loops, because memory.copy and memory.fill are calls, and these are a few vectors long.
function copyVectors(from: usize, to: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, v128.load(from + at));
}

function fillZeros(to: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, f32x4.splat(0));
}
