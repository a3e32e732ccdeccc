// How the depthwise kernels keep pictures in scratch: a plane for each panel of 8 channels, `[H][strideW][columns][images][8]`.
// A row is split by column modulo stride, and images lie innermost, several where rows are short. So what a tap reads for
// a row of outputs is one dense run of lanes (a lane is a column of an image), whatever the stride and the size. Columns
// have zeros left and right, for the padding; rows have none: taps that lie above or below the picture are left out.
import { clamp, multiplyAdd } from '../simd';

/** Channels of a unit of work, a cache line of them. */
export const BLOCK: i32 = 16;

/** Panels of input channels that are worked on together, so that memory is read in long pieces. */
export const PANELS: i32 = 8;

// Lanes that a row should have, to keep the inner loops busy.
const LANES: i32 = 16;

// What a tile of 4 lanes may touch past the end of a row.
const TILE_BYTES: usize = 128;

/** Bytes of a lane. */
export const LANE: usize = 32;
/**
 * The shapes of one call, the letters as in the kernels, and where its parts stand in scratch; a record at its start.
 *
 * There are PANELS * M panels of output channels at the most, that many planes, rows of results and so on.
 */
// @ts-ignore: decorator
@unmanaged
export class Planes {
  N: i32; H: i32; W: i32; C: i32; OH: i32; OW: i32; Q: i32; M: i32; KH: i32; strideH: i32; strideW: i32; padTop: i32;
  /** The columns of the filter that meet the picture anywhere, KW of filterWidth from firstTap on; padLeft is theirs. */
  KW: i32; filterWidth: i32; firstTap: i32; padLeft: i32;
  /** Images side by side. */
  images: i32;
  /** Columns for each residue modulo the stride; how many columns back its last tap reads. */
  columns: i32; reach: i32;
  /** Bytes of a column, and those of a row and a plane of the input and of the output's gradient. */
  columnBytes: usize; rowBytes: usize; planeBytes: usize; gradientRowBytes: usize; gradientPlaneBytes: usize;
  /** i32 offsets: `taps[kw]` from an output to its input; `backTaps[t]` from an input to its outputs. */
  taps: usize; backTaps: usize;
  /** `[panels][KH * KW][8]`. */
  weights: usize; weightGradients: usize;
  /** `[panels]` records of `RECORD_BYTES`. */
  records: usize;
  /** A row for each panel of output channels, and one for each panel of input channels. */
  results: usize; inputRows: usize;
  inputs: usize; gradients: usize;
}

/** Sum, second sum and shift of a panel's values. */
export const RECORD_BYTES: usize = 96;

/** Bytes of scratch that the depthwise kernels need. */
export function f32DepthwiseScratchBytes(
  H: i32, W: i32, OH: i32, OW: i32, M: i32, KH: i32, KW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
): usize {
  const reach = (KW - 1) / strideW;
  const columns = columnsOf(W, OW, reach, strideW, padLeft);
  const panels = PANELS * M;
  const rows = panels * ((H + 1) * strideW * columns + OH * (reach + columns)) + PANELS * strideW * columns;
  const records = panels * (2 * KH * KW + 3) + KW;
  return offsetof<Planes>() + 32 + TILE_BYTES + <usize>(rows * imagesOf(OW) + records) * LANE;
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
  s.reach = max(0, s.KW - 1) / strideW;
  s.columns = columnsOf(W, OW, s.reach, strideW, s.padLeft);
  s.columnBytes = <usize>s.images * LANE;
  s.rowBytes = <usize>(strideW * s.columns) * s.columnBytes;
  s.planeBytes = <usize>H * s.rowBytes;
  s.gradientRowBytes = <usize>(s.reach + s.columns) * s.columnBytes;
  s.gradientPlaneBytes = <usize>OH * s.gradientRowBytes;
  const panels = <usize>(PANELS * M);
  const weightBytes = panels * <usize>(KH * s.KW) * LANE;
  s.taps = (scratch + offsetof<Planes>() + 15) & ~15;
  s.backTaps = s.taps + (<usize>KW << 2);
  s.weights = (s.backTaps + (<usize>KW << 2) + 15) & ~15;
  s.weightGradients = s.weights + weightBytes;
  s.records = s.weightGradients + weightBytes;
  s.results = s.records + panels * RECORD_BYTES;
  s.inputRows = s.results + panels * s.rowBytes;
  s.inputs = s.inputRows + <usize>PANELS * s.rowBytes;
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
  memory.fill(s.inputRows, 0, s.gradients + <usize>(PANELS * s.M) * s.gradientPlaneBytes - s.inputRows);
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
 * Asks for the cache lines of a row, `panels` from a channel on, of images `[height,width,channels]`; no row, no lines.
 *
 * The loops that use them take 32 bytes of a pixel and go on to the next, and then compute for long: too few lines would
 * be on their way at a time. Measured: twice as fast where a tensor does not fit the L2 cache.
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

/**
 * `to[lane] = sum over row, column: from[row * rowStep + taps[column] + lane] * w[row * wRow + column * wColumn]`.
 *
 * Whole tiles of 4 lanes: what is behind `from` is read, and what is behind `to` overwritten, up to 3 lanes far.
 */
export function convolveLanes(
  from: usize, rowStep: usize, taps: usize, w: usize, wRow: usize, wColumn: usize, rows: i32, columns: i32,
  to: usize, lanes: i32,
): void {
  const end = taps + (<usize>columns << 2);
  for (; lanes > 0; lanes -= 4, from += 128, to += 128) {
    let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    let row = from;
    let wAt = w;
    for (let i = rows; i > 0; i--, row += rowStep, wAt += wRow) {
      let tap = wAt;
      for (let column = taps; column < end; column += 4, tap += wColumn) {
        const at = row + load<i32>(column);
        const w0 = v128.load(tap);
        const w1 = v128.load(tap, 16);
        s00 = multiplyAdd(v128.load(at), w0, s00);
        s01 = multiplyAdd(v128.load(at, 16), w1, s01);
        s10 = multiplyAdd(v128.load(at, 32), w0, s10);
        s11 = multiplyAdd(v128.load(at, 48), w1, s11);
        s20 = multiplyAdd(v128.load(at, 64), w0, s20);
        s21 = multiplyAdd(v128.load(at, 80), w1, s21);
        s30 = multiplyAdd(v128.load(at, 96), w0, s30);
        s31 = multiplyAdd(v128.load(at, 112), w1, s31);
      }
    }
    v128.store(to, s00);
    v128.store(to, s01, 16);
    v128.store(to, s10, 32);
    v128.store(to, s11, 48);
    v128.store(to, s20, 64);
    v128.store(to, s21, 80);
    v128.store(to, s30, 96);
    v128.store(to, s31, 112);
  }
}
