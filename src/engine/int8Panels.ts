/** The shape of a convolution's kernel, and what it is padded to with zeros. */
export interface PanelSizes {
  /** KH * KW. */
  readonly taps: number;
  /** Of the input, C. */
  readonly channels: number;
  readonly paddedChannels: number;
  /** Values of a row, at least taps * paddedChannels. */
  readonly depth: number;
  /** Output channels, F. */
  readonly columns: number;
  readonly paddedColumns: number;
}

/** As wide as the kernels' tiles. */
const PANEL_COLUMNS = 8;

/**
 * Packs a convolution's kernel `[taps,C,F]` as the integer products read it, `[F / 8][depth / group][8][group]`.
 *
 * @param group 4 for the relaxed dot product of bytes, 2 for that of 16-bit integers
 */
export function packInt8Panels(kernel: Int8Array, sizes: PanelSizes, group: number): Int8Array | Int16Array {
  const { taps, channels, paddedChannels, depth, columns, paddedColumns } = sizes;
  const packed = new (group === 4 ? Int8Array : Int16Array)(depth * paddedColumns);
  let from = 0;
  for (let tap = 0; tap < taps; tap++) {
    for (let c = 0; c < channels; c++) {
      const row = tap * paddedChannels + c;
      const word = Math.floor(row / group) * PANEL_COLUMNS * group + (row % group);
      for (let f = 0; f < columns; f++) {
        const panel = Math.floor(f / PANEL_COLUMNS) * PANEL_COLUMNS * depth;
        packed[panel + word + (f % PANEL_COLUMNS) * group] = kernel[from++]!;
      }
    }
  }
  return packed;
}

/** The shape of a depthwise kernel, and the channels that it is padded to with zeros. */
export interface TapSizes {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  /** Of the output, Q. */
  readonly channels: number;
  readonly paddedChannels: number;
}

/**
 * Packs a depthwise kernel `[KH,KW,Q]` as the integer kernels read it, in words of `group` rows of a column, with zeros
 * below the last row: `[KH / group][KW][Q][group]`.
 *
 * @param group as above
 */
export function packInt8Taps(kernel: Int8Array, sizes: TapSizes, group: number): Int8Array | Int16Array {
  const { kernelHeight, kernelWidth, channels, paddedChannels } = sizes;
  const wordRows = Math.ceil(kernelHeight / group);
  const packed = new (group === 4 ? Int8Array : Int16Array)(wordRows * kernelWidth * paddedChannels * group);
  let from = 0;
  for (let kh = 0; kh < kernelHeight; kh++) {
    for (let kw = 0; kw < kernelWidth; kw++) {
      const word = (Math.floor(kh / group) * kernelWidth + kw) * paddedChannels;
      for (let q = 0; q < channels; q++) packed[(word + q) * group + (kh % group)] = kernel[from++]!;
    }
  }
  return packed;
}
