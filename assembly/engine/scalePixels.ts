// Pictures as the first layer reads them: each channel has a factor and a shift of its own, and channels are padded.
//
// `out [P,C]`, C a multiple of 4 and at least `channels`; `factors`, `shifts [C]` float64; pixels begin <= p < end.

/**
 * Pictures of bytes as float32.
 *
 * `bytes [P,channels]` uint8; reads C - channels bytes past the last pixel. The definition, in float64 and rounded once:
 *
 *     out[p,c] = c < channels ? bytes[p,c] * factors[c] + shifts[c] : 0
 *
 * (In float32 the rounded factor alone would cost the last digits of every pixel.)
 */
export function f32ScaleBytes(
  bytes: usize, out: usize, begin: i32, end: i32, channels: i32, C: i32, factors: usize, shifts: usize,
): void {
  const rowBytes = <usize>C << 2;
  for (let c = 0; c < C; c += 4) {
    const isChannel = i32x4.lt_s(i32x4.add(i32x4.splat(c), i32x4(0, 1, 2, 3)), i32x4.splat(channels));
    const at = <usize>c << 3;
    const lowFactors = v128.load(factors + at), highFactors = v128.load(factors + at, 16);
    const lowShifts = v128.load(shifts + at), highShifts = v128.load(shifts + at, 16);
    let from = bytes + <usize>begin * <usize>channels + <usize>c;
    let to = out + <usize>begin * rowBytes + (<usize>c << 2);
    for (let p = begin; p < end; p++, from += channels, to += rowBytes) {
      const integers = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from)));
      const low = f64x2.convert_low_i32x4_s(integers);
      const high = f64x2.convert_low_i32x4_s(v128.shuffle<i64>(integers, integers, 1, 0));
      const values = v128.shuffle<i64>(
        f32x4.demote_f64x2_zero(f64x2.add(f64x2.mul(low, lowFactors), lowShifts)),
        f32x4.demote_f64x2_zero(f64x2.add(f64x2.mul(high, highFactors), highShifts)),
        0, 2,
      );
      v128.store(to, v128.and(values, isChannel));
    }
  }
}

/** The same of pictures that come as float32, `floats [P,channels]`. */
export function f32ScaleFloats(
  floats: usize, out: usize, begin: i32, end: i32, channels: i32, C: i32, factors: usize, shifts: usize,
): void {
  const rowBytes = <usize>C << 2;
  let from = floats + (<usize>(begin * channels) << 2);
  let to = out + <usize>begin * rowBytes;
  for (let p = begin; p < end; p++, from += <usize>channels << 2, to += rowBytes) {
    for (let c = 0; c < C; c++) {
      const at = <usize>c << 2;
      let value: f64 = 0;
      if (c < channels) value = <f64>load<f32>(from + at) * load<f64>(factors + (at << 1)) + load<f64>(shifts + (at << 1));
      store<f32>(to + at, <f32>value);
    }
  }
}
