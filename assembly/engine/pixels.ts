/**
 * Pictures of bytes as float32, their channels padded.
 *
 * `bytes [P,channels]` uint8, `out [P,C]` float32, C a multiple of 4 and at least `channels`; reads C - channels bytes
 * past the last pixel. The definition, in float64 and rounded once, for begin <= p < end:
 *
 *     out[p,c] = c < channels ? bytes[p,c] * factor + shift : 0
 *
 * (In float32 the rounded factor alone would cost the last digits of every pixel.)
 */
export function f32FromBytes(
  bytes: usize, out: usize, begin: i32, end: i32, channels: i32, C: i32, factor: f64, shift: f64,
): void {
  const factors = f64x2.splat(factor);
  const shifts = f64x2.splat(shift);
  const rowBytes = <usize>C << 2;
  for (let c = 0; c < C; c += 4) {
    const isChannel = i32x4.lt_s(i32x4.add(i32x4.splat(c), i32x4(0, 1, 2, 3)), i32x4.splat(channels));
    let from = bytes + <usize>begin * <usize>channels + <usize>c;
    let to = out + <usize>begin * rowBytes + (<usize>c << 2);
    for (let p = begin; p < end; p++, from += channels, to += rowBytes) {
      const integers = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from)));
      const low = f64x2.convert_low_i32x4_s(integers);
      const high = f64x2.convert_low_i32x4_s(v128.shuffle<i64>(integers, integers, 1, 0));
      const values = v128.shuffle<i64>(
        f32x4.demote_f64x2_zero(f64x2.add(f64x2.mul(low, factors), shifts)),
        f32x4.demote_f64x2_zero(f64x2.add(f64x2.mul(high, factors), shifts)),
        0, 2,
      );
      v128.store(to, v128.and(values, isChannel));
    }
  }
}

/** The same of pictures that come as float32. */
export function f32FromFloats(
  floats: usize, out: usize, begin: i32, end: i32, channels: i32, C: i32, factor: f64, shift: f64,
): void {
  const rowBytes = <usize>C << 2;
  let from = floats + (<usize>(begin * channels) << 2);
  let to = out + <usize>begin * rowBytes;
  for (let p = begin; p < end; p++, from += <usize>channels << 2, to += rowBytes) {
    for (let c = 0; c < C; c++) {
      const at = <usize>c << 2;
      store<f32>(to + at, c < channels ? <f32>(<f64>load<f32>(from + at) * factor + shift) : 0);
    }
  }
}
