// Rows of pixels as the depthwise kernels like them: their Q = C * multiplier channels rounded up to whole vectors (Q4),
// so that no loop has a scalar tail, and a margin of zeros for the padding, so that no loop tests for the border of the
// picture. Vectors of 4 channels are `pixelBytes` apart from pixel to pixel and `vectorBytes` from channel to channel:
// `[pixels][Q4 / 4][4]`, as NHWC has it, or `[Q4 / 4][pixels][4]`, one dense stream per vector.

/** `channels` rounded up to whole vectors of 4. */
export function padChannels(channels: i32): i32 {
  return (channels + 3) & ~3;
}

/** Rows or columns that a filter of `size` taps covers, the gaps of its dilation included. */
export function reach(size: i32, dilation: i32): i32 {
  return (size - 1) * dilation + 1;
}

/** Columns of a padded row: all that OW outputs read. */
export function paddedWidth(OW: i32, KW: i32, strideW: i32, dilationW: i32): i32 {
  return (OW - 1) * strideW + reach(KW, dilationW);
}

/** Bytes of scratch for a ring of padded rows, one row of dy and one value per tap. */
export function depthwiseScratchBytes(
  C: i32, OW: i32, multiplier: i32, KH: i32, KW: i32, strideW: i32, dilationH: i32, dilationW: i32,
): usize {
  const pixels = reach(KH, dilationH) * paddedWidth(OW, KW, strideW, dilationW) + OW + KH * KW;
  return <usize>pixels * <usize>padChannels(C * multiplier) * 4;
}

/** Spreads `row [pixels,C]` into vectors, each channel `multiplier` times over, and zeros past the last channel. */
export function packRow(
  row: usize, to: usize, pixels: i32, C: i32, multiplier: i32, pixelBytes: usize, vectorBytes: usize,
): void {
  const Q = C * multiplier;
  const Q4 = padChannels(Q);
  const rowBytes = <usize>C << 2;
  if (multiplier == 1 && pixelBytes == rowBytes) {
    memory.copy(to, row, <usize>pixels * rowBytes);
    return;
  }
  for (let q = 0; q < Q4; q += 4, to += vectorBytes) {
    if (multiplier == 1 && q + 4 <= Q) {
      let from = row + (<usize>q << 2);
      let at = to;
      for (let pixel = 0; pixel < pixels; pixel++, from += rowBytes, at += pixelBytes) v128.store(at, v128.load(from));
    } else {
      for (let lane = 0; lane < 4; lane++) {
        const isZero = q + lane >= Q;
        let from = row + (<usize>((q + lane) / multiplier) << 2);
        let at = to + (<usize>lane << 2);
        for (let pixel = 0; pixel < pixels; pixel++, from += rowBytes, at += pixelBytes) {
          store<f32>(at, isZero ? 0 : load<f32>(from));
        }
      }
    }
  }
}

/** The way back: `row [pixels,C]` from vectors, adding up each channel's `multiplier` shares. */
export function unpackRow(
  from: usize, row: usize, pixels: i32, C: i32, multiplier: i32, pixelBytes: usize, vectorBytes: usize,
): void {
  const Q = C * multiplier;
  const rowBytes = <usize>C << 2;
  if (multiplier == 1 && pixelBytes == rowBytes) {
    memory.copy(row, from, <usize>pixels * rowBytes);
    return;
  }
  for (let q = 0; q < Q; q++) {
    const c = q / multiplier;
    const isFirst = c * multiplier == q;
    let at = from + <usize>(q >> 2) * vectorBytes + (<usize>(q & 3) << 2);
    let to = row + (<usize>c << 2);
    for (let pixel = 0; pixel < pixels; pixel++, at += pixelBytes, to += rowBytes) {
      store<f32>(to, isFirst ? load<f32>(at) : load<f32>(to) + load<f32>(at));
    }
  }
}
