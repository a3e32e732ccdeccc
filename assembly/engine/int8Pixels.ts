// Into the integers of a quantised graph, and out of them. Values, images and pixels `[begin,end)` are the caller's share.

/**
 * Pictures as 16-bit integers, their channels padded.
 *
 * `pixels [P,channels]` uint8, or float32 where `isFloat`, `out [P,C]` int16, C a multiple of 4 and at least `channels`;
 * reads 4 bytes past the last pixel. The definition, in float64, of two equally near integers the even one:
 *
 *     out[p,c] = c < channels ? clamp(round(pixels[p,c] * factor + shift), -32768, 32767) : 0
 */
export function i16FromPixels(
  pixels: usize, out: usize, begin: i32, end: i32, channels: i32, C: i32, factor: f64, shift: f64, isFloat: bool,
): void {
  const rowBytes = <usize>C << 1;
  const to = out + <usize>begin * rowBytes;
  const first = <usize>begin * <usize>channels;
  const count = end - begin;
  if (isFloat) {
    fromFloats(pixels + (first << 2), to, count, channels, C, factor, shift);
    return;
  }
  for (let c = 0; c < C; c += 4) {
    fromBytes(pixels + first + <usize>c, to + (<usize>c << 1), count, channels, c, rowBytes, factor, shift);
  }
}

/** Channels c to c + 3 of bytes. */
function fromBytes(
  from: usize, to: usize, count: i32, channels: i32, c: i32, rowBytes: usize, factor: f64, shift: f64,
): void {
  const isChannel = i32x4.lt_s(i32x4.add(i32x4.splat(c), i32x4(0, 1, 2, 3)), i32x4.splat(channels));
  const factors = f64x2.splat(factor);
  const shifts = f64x2.splat(shift);
  // Adding 1.5 * 2^52 rounds, and leaves the integer in the low bits.
  const round = f64x2.splat(6755399441055744);
  for (; count > 0; count--, from += channels, to += rowBytes) {
    const bytes = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from)));
    const low = f64x2.convert_low_i32x4_s(bytes);
    const high = f64x2.convert_low_i32x4_s(v128.shuffle<i64>(bytes, bytes, 1, 0));
    const integers = v128.shuffle<i32>(
      f64x2.add(f64x2.add(f64x2.mul(low, factors), shifts), round),
      f64x2.add(f64x2.add(f64x2.mul(high, factors), shifts), round),
      0, 2, 4, 6,
    );
    const values = v128.and(integers, isChannel);
    v128.store64_lane(to, i16x8.narrow_i32x4_s(values, values), 0);
  }
}

function fromFloats(from: usize, to: usize, count: i32, channels: i32, C: i32, factor: f64, shift: f64): void {
  for (; count > 0; count--, from += <usize>channels << 2, to += <usize>C << 1) {
    for (let c = 0; c < C; c++) {
      let value: f64 = 0;
      if (c < channels) value = nearest(<f64>load<f32>(from + (<usize>c << 2)) * factor + shift);
      store<i16>(to + (<usize>c << 1), <i16>(<i32>min<f64>(max<f64>(value, -32768), 32767)));
    }
  }
}

/**
 * The mean of each channel: `out[n,c] = float32(float32(sum of x[n,p,c] over the pixels p) * factor)`.
 *
 * `x [N,pixels,C]` uint8, `out [N,C]` float32, C a multiple of 16; images `[begin,end)`.
 */
export function i8GlobalAverage(
  x: usize, out: usize, factor: f32, pixels: i32, C: i32, begin: i32, end: i32,
): void {
  const factors = f32x4.splat(factor);
  const imageBytes = <usize>pixels * <usize>C;
  for (let image = <usize>begin; image < <usize>end; image++) {
    const to = out + (image * <usize>C << 2);
    for (let c: usize = 0; c < <usize>C; c += 16) {
      let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
      const first = x + image * imageBytes + c;
      for (let at = first; at < first + imageBytes; at += <usize>C) {
        const bytes = v128.load(at);
        const low = i16x8.extend_low_i8x16_u(bytes);
        const high = i16x8.extend_high_i8x16_u(bytes);
        s0 = i32x4.add(s0, i32x4.extend_low_i16x8_u(low));
        s1 = i32x4.add(s1, i32x4.extend_high_i16x8_u(low));
        s2 = i32x4.add(s2, i32x4.extend_low_i16x8_u(high));
        s3 = i32x4.add(s3, i32x4.extend_high_i16x8_u(high));
      }
      storeScaled(to + (c << 2), s0, s1, s2, s3, factors);
    }
  }
}

/** `out[i] = float32(x[i] * scale)` for begin <= i < end, multiples of 16; x uint8. */
export function f32FromU8(x: usize, out: usize, scale: f32, begin: i32, end: i32): void {
  const scales = f32x4.splat(scale);
  for (let i = <usize>begin; i < <usize>end; i += 16) {
    const bytes = v128.load(x + i);
    const low = i16x8.extend_low_i8x16_u(bytes);
    const high = i16x8.extend_high_i8x16_u(bytes);
    storeScaled(
      out + (i << 2), i32x4.extend_low_i16x8_u(low), i32x4.extend_high_i16x8_u(low),
      i32x4.extend_low_i16x8_u(high), i32x4.extend_high_i16x8_u(high), scales,
    );
  }
}

// @ts-ignore: decorator
@inline
function storeScaled(to: usize, s0: v128, s1: v128, s2: v128, s3: v128, scales: v128): void {
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(s0), scales));
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(s1), scales), 16);
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(s2), scales), 32);
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(s3), scales), 48);
}
