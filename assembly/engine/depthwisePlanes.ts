// How the depthwise kernels keep pictures in scratch: a plane `[H][strideW][columns][images][8]` for each panel of 8
// channels. A row is split by column modulo stride, and images lie innermost, several where rows are short. So what a
// tap reads for a row of outputs is one dense run of lanes, whatever the stride and the size; a lane is a column of an
// image. Columns have zeros left and right, for the padding. Rows have none: taps above or below are left out.
import { clamp, multiplyAdd } from '../simd';

/** Channels of a unit of work, a cache line of them. */
export const BLOCK: i32 = 16;

/** Bytes of a lane. */
export const LANE: usize = 32;

/** Sum, second sum and shift of a panel's values. */
export const RECORD_BYTES: usize = 96;

// Panels of input channels that are worked on together: many, so that memory is read in long pieces (8 are a sixth
// faster than 2, a cache line), but no more than have this many pixels in all, which stay in the L2 cache.
const MAX_PANELS: i32 = 8;
const MAX_PIXELS: i32 = 8192;

// Lanes of a row, where pictures are small: with 8 the cost of starting a row shows, with 32 nothing is gained.
const LANES: i32 = 16;

// More than a tile reads or writes past the end of a row.
const TILE_BYTES: usize = 512;

/**
 * The shapes of one call, the letters as in the kernels, and where its parts stand in scratch; a record at its start.
 *
 * There are `panels * M` panels of output channels at the most, that many planes, rows of results and so on.
 */
// @ts-ignore: decorator
@unmanaged
export class Planes {
  N: i32; H: i32; W: i32; C: i32; OH: i32; OW: i32; Q: i32; M: i32; KH: i32; strideH: i32; strideW: i32; padTop: i32;
  /** The columns of the filter that meet the picture, KW of filterWidth from firstTap on; padLeft is as they see it. */
  KW: i32; filterWidth: i32; firstTap: i32; padLeft: i32;
  /** Images side by side; panels of input channels that are worked on together. */
  images: i32; panels: i32;
  /** Columns for each residue modulo the stride; how many columns back its last tap reads. */
  columns: i32; reach: i32;
  /** Bytes of a column, and those of a row and a plane of the input and of the output's gradient. */
  columnBytes: usize; rowBytes: usize; planeBytes: usize; gradientRowBytes: usize; gradientPlaneBytes: usize;
  /** i32 offsets: `taps[kw]` from an output to its input; `backTaps[t]` from an input to its outputs. */
  taps: usize; backTaps: usize;
  /** `[panels][KH * KW][8]`. */
  weights: usize;
  /** `[panels]` records of `RECORD_BYTES`. */
  records: usize;
  /** A row for each panel of output channels, and one for each panel of input channels. */
  results: usize; inputRows: usize;
  /** The planes: of the activated input, spread over the output channels, and of dz. */
  inputs: usize; gradients: usize;
}

/** Bytes of scratch that the depthwise kernels need. */
export function f32DepthwiseScratchBytes(
  H: i32, W: i32, OH: i32, OW: i32, M: i32, KH: i32, KW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): usize {
  const reach = (KW - 1) / strideW;
  const columns = columnsOf(W, OW, reach, strideW, padLeft);
  const row = strideW * columns;
  const rows = M * (row * (H + 1) + (reach + columns) * OH) + row;
  const lanes = panelsOf(H, W, M) * (rows * imagesOf(OW) + M * (KH * KW + 3)) + KW;
  return offsetof<Planes>() + 32 + 2 * TILE_BYTES + <usize>lanes * LANE;
}

function panelsOf(H: i32, W: i32, M: i32): i32 {
  return max(2, min(MAX_PANELS, MAX_PIXELS / (H * W * M)) & ~1);
}

function imagesOf(OW: i32): i32 {
  return max(1, LANES / OW);
}

function columnsOf(W: i32, OW: i32, reach: i32, strideW: i32, padLeft: i32): i32 {
  return max(OW + reach, (W + padLeft + strideW - 1) / strideW);
}

/** Lays the planes of a call out and fills them with zeros. */
export function layOut(
  scratch: usize, imagesPerUnit: i32, N: i32, H: i32, W: i32, C: i32, OH: i32, OW: i32, Q: i32, M: i32,
  KH: i32, KW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): Planes {
  const s = changetype<Planes>(scratch);
  s.N = N; s.H = H; s.W = W; s.C = C; s.OH = OH; s.OW = OW; s.Q = Q; s.M = M;
  s.KH = KH; s.strideH = strideH; s.strideW = strideW; s.padTop = padTop;
  s.filterWidth = KW;
  s.firstTap = min(KW, max(0, padLeft - (OW - 1) * strideW));
  s.KW = max(0, min(KW, W + padLeft) - s.firstTap);
  s.padLeft = padLeft - s.firstTap;
  s.images = min(imagesOf(OW), imagesPerUnit);
  s.panels = panelsOf(H, W, M);
  s.reach = max(0, s.KW - 1) / strideW;
  s.columns = columnsOf(W, OW, s.reach, strideW, s.padLeft);
  s.columnBytes = <usize>s.images * LANE;
  s.rowBytes = <usize>(strideW * s.columns) * s.columnBytes;
  s.planeBytes = <usize>H * s.rowBytes;
  s.gradientRowBytes = <usize>(s.reach + s.columns) * s.columnBytes;
  s.gradientPlaneBytes = <usize>OH * s.gradientRowBytes;
  const panels = <usize>(s.panels * M);
  s.taps = (scratch + offsetof<Planes>() + 15) & ~15;
  s.backTaps = s.taps + (<usize>KW << 2);
  s.weights = (s.backTaps + (<usize>KW << 2) + 15) & ~15;
  s.records = s.weights + panels * <usize>(KH * s.KW) * LANE;
  s.results = s.records + panels * RECORD_BYTES;
  s.inputRows = s.results + panels * s.rowBytes + TILE_BYTES;
  s.inputs = s.inputRows + <usize>s.panels * s.rowBytes;
  s.gradients = s.inputs + panels * s.planeBytes;
  for (let kw = 0; kw < s.KW; kw++) {
    store<i32>(s.taps + (<usize>kw << 2), ((kw % strideW) * s.columns + kw / strideW) * <i32>s.columnBytes);
    store<i32>(s.backTaps + (<usize>kw << 2), -kw * <i32>s.columnBytes);
  }
  clear(s);
  return s;
}

/** Zeros into all planes. */
export function clear(s: Planes): void {
  memory.fill(s.inputRows, 0, s.gradients + <usize>(s.panels * s.M) * s.gradientPlaneBytes - s.inputRows);
}

/** `[panels][KH * KW][8]` from `w [KH * filterWidth][Q]`, for the panels from channel q on. */
export function packWeights(s: Planes, w: usize, q: i32, panels: i32): void {
  const tapBytes = <usize>s.Q << 2;
  let to = s.weights;
  for (let panel = 0; panel < panels; panel++) {
    let row = w + <usize>s.firstTap * tapBytes + (<usize>(q + 8 * panel) << 2);
    for (let kh = 0; kh < s.KH; kh++, row += <usize>s.filterWidth * tapBytes) {
      let tap = row;
      for (let kw = 0; kw < s.KW; kw++, tap += tapBytes, to += LANE) {
        v128.store(to, v128.load(tap));
        v128.store(to, v128.load(tap, 16), 16);
      }
    }
  }
}

/**
 * Reads a word of each cache line of a row, of `panels` from a channel on; past the last row nothing.
 *
 * The loops that use the row take 32 bytes of a pixel after the other, and then compute for long, so that too few lines
 * would be on their way at a time. Measured: up to a fifth faster where tensors do not fit the L2 cache, 3 % slower
 * where they do.
 */
export function touchRow(
  tensor: usize, image: i32, images: i32, row: i32, height: i32, width: i32, channels: i32, channel: i32, panels: i32,
): void {
  if (row >= height) return;
  const pixelBytes = <usize>channels << 2;
  let from = tensor + <usize>((image * height + row) * width) * pixelBytes + (<usize>channel << 2);
  for (; images > 0; images--, from += <usize>(height * width) * pixelBytes) {
    for (let pixel = from, end = from + <usize>width * pixelBytes; pixel < end; pixel += pixelBytes) {
      for (let line = pixel, last = pixel + <usize>panels * LANE; line < last; line += 64) load<i32>(line);
    }
  }
}

/** Packs row `ih` of `images` images of x, activated, for the panels from channel c on. */
export function packInputRow(
  s: Planes, x: usize, scale: usize, offset: usize, low: f32, high: f32,
  image: i32, images: i32, ih: i32, c: i32, inputs: i32, outputs: i32,
): void {
  const pixelBytes = <usize>s.C << 2;
  const imageBytes = <usize>(s.H * s.W) * pixelBytes;
  const channel = <usize>c << 2;
  const row = x + <usize>((image * s.H + ih) * s.W) * pixelBytes + channel;
  const isSpread = s.M > 1;
  const to = isSpread ? s.inputRows : s.inputs + <usize>ih * s.rowBytes;
  const panelBytes = isSpread ? s.rowBytes : s.planeBytes;
  for (let residue = 0; residue < s.strideW; residue++) {
    const iw = firstColumn(s, residue);
    const column = <usize>(residue * s.columns + (iw + s.padLeft) / s.strideW) * s.columnBytes;
    const count = columnsFrom(s, iw);
    for (let panel: usize = 0; panel < <usize>inputs; panel++) {
      const at = panel * LANE;
      activateLanes(
        row + <usize>iw * pixelBytes + at, to + column + panel * panelBytes,
        count, <usize>s.strideW * pixelBytes, s.columnBytes, images, imageBytes, LANE,
        scale + channel + at, offset + channel + at, low, high,
      );
    }
  }
  if (isSpread) spreadChannels(s, s.inputs + <usize>ih * s.rowBytes, outputs);
}

/** The first column of the picture whose padded column is `residue` modulo the stride. */
export function firstColumn(s: Planes, residue: i32): i32 {
  const shift = (residue - s.padLeft) % s.strideW;
  return shift < 0 ? shift + s.strideW : shift;
}

/** How many columns of the picture there are from `iw` on, a stride apart. */
export function columnsFrom(s: Planes, iw: i32): i32 {
  return (s.W - iw + s.strideW - 1) / s.strideW;
}

/** `to = clamp(scale * from + offset, low, high)` on a grid of lanes. */
function activateLanes(
  from: usize, to: usize, outer: i32, outerFrom: usize, outerTo: usize, inner: i32, innerFrom: usize, innerTo: usize,
  scale: usize, offset: usize, low: f32, high: f32,
): void {
  if (outer > inner) {
    activateLanes(
      from, to, inner, innerFrom, innerTo, outer, outerFrom, outerTo, scale, offset, low, high,
    );
    return;
  }
  const scale0 = v128.load(scale);
  const scale1 = v128.load(scale, 16);
  const offset0 = v128.load(offset);
  const offset1 = v128.load(offset, 16);
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  for (; outer > 0; outer--, from += outerFrom, to += outerTo) {
    let source = from;
    let lane = to;
    for (let i = inner; i > 0; i--, source += innerFrom, lane += innerTo) {
      v128.store(lane, clamp(multiplyAdd(v128.load(source), scale0, offset0), lows, highs));
      v128.store(lane, clamp(multiplyAdd(v128.load(source, 16), scale1, offset1), lows, highs), 16);
    }
  }
}

/** Each channel of the input rows M times over, for `outputs` panels of output channels. */
function spreadChannels(s: Planes, to: usize, outputs: i32): void {
  for (let q = 0; q < 8 * outputs; q++) {
    const c = q / s.M;
    const from = s.inputRows + <usize>(c >> 3) * s.rowBytes + (<usize>(c & 7) << 2);
    const plane = to + <usize>(q >> 3) * s.planeBytes + (<usize>(q & 7) << 2);
    for (let at: usize = 0; at < s.rowBytes; at += LANE) store<f32>(plane + at, load<f32>(from + at));
  }
}
