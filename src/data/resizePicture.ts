import { inSlices } from '../platform/eventLoop';

/** A picture of H x W pixels with C numbers each. */
export interface Picture {
  /** `[H,W,C]`, row-major: bytes, or floats from 0 to 255. */
  readonly data: Uint8Array | Float32Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Options for {@link resizePicture}. */
export interface ResizePictureOptions {
  /**
   * What of the picture is kept: the largest centred window that has the new size's aspect ratio, or all of it,
   * stretched. @default 'crop'
   */
  fit?: 'crop' | 'stretch' | undefined;
  /** How much of that, along each side, in the centre. @default 1 */
  cropFraction?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Pixels of a picture, from `left`, `top`. */
export interface Window {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Fixed point of Pillow's weights for bytes. */
const WEIGHT_UNIT = 2 ** 22;

/**
 * A picture in another size, as a new one, the way it is done in evaluating on ImageNet: a bilinear filter, widened by
 * the scale where the picture shrinks (antialiased). Gives the event loop its turn every 8 ms.
 *
 * The definition, along one axis of n pixels made m, with `s = n / m` and `f = max(s, 1)`; then along the other:
 * ```
 * y[o] = sum over i of w(o, i) * x[i] / sum over i of w(o, i)
 * w(o, i) = max(0, 1 - abs(i + 0.5 - (o + 0.5) * s) / f)
 * ```
 * Bytes are rounded after each axis, the horizontal one first, with weights in units of 2^-22: the very bytes of
 * `Image.resize(size, BILINEAR)` of Pillow up to 12 (13 begins with the vertical axis where that shrinks much more), within
 * 1.01 of the definition. Floats are within 1e-4 of it.
 *
 * @throws the signal's reason where it was aborted.
 */
export async function resizePicture(
  picture: Picture,
  size: { readonly width: number; readonly height: number },
  options: ResizePictureOptions = {},
): Promise<Picture> {
  const { data, channels } = picture;
  const window = windowOf(picture, size, options);
  const isBytes = !(data instanceof Float32Array);
  const make = (length: number) => (isBytes ? new Uint8Array(length) : new Float32Array(length));
  const rowLength = size.width * channels;

  const columns = triangleFilter(window.width, size.width, isBytes);
  const narrowed = make(window.height * rowLength);
  const narrow = (y: number) => {
    const from = ((window.top + y) * picture.width + window.left) * channels;
    const row = data.subarray(from, from + window.width * channels);
    if (window.width === size.width) narrowed.set(row, y * rowLength);
    else blend(row, channels, columns, 0, size.width, narrowed, y * rowLength);
  };
  await inSlices(window.height, narrow, options.signal);
  if (window.height === size.height) return { width: size.width, height: size.height, data: narrowed, channels };

  const rows = triangleFilter(window.height, size.height, isBytes);
  const resized = make(size.height * rowLength);
  const lower = (y: number) => blend(narrowed, rowLength, rows, y, y + 1, resized, y * rowLength);
  await inSlices(size.height, lower, options.signal);
  return { width: size.width, height: size.height, data: resized, channels };
}

/** The part of a picture that is resized, in whole pixels; centred, half a pixel up and left where it cannot be. */
export function windowOf(
  { width, height }: { readonly width: number; readonly height: number },
  size: { readonly width: number; readonly height: number },
  { fit = 'crop', cropFraction = 1 }: ResizePictureOptions = {},
): Window {
  const scale = Math.min(width / size.width, height / size.height);
  const part = (whole: number, length: number) =>
    Math.max(1, Math.round(cropFraction * (fit === 'stretch' ? whole : length * scale)));
  const window = { width: part(width, size.width), height: part(height, size.height) };
  return { ...window, left: (width - window.width) >> 1, top: (height - window.height) >> 1 };
}

/** What each place of an axis is made of: the first pixel, and the weights from there on; what is added for rounding. */
interface Filter {
  starts: Int32Array;
  weights: Float64Array[];
  bias: number;
}

function triangleFilter(length: number, size: number, isBytes: boolean): Filter {
  const scale = length / size;
  const reach = Math.max(scale, 1);
  const starts = new Int32Array(size);
  const weights: Float64Array[] = [];
  for (let o = 0; o < size; o++) {
    const centre = (o + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(length, Math.trunc(centre + reach + 0.5));
    const triangle = (_: unknown, k: number) => Math.max(0, 1 - Math.abs((start + k - centre + 0.5) / reach));
    const raw = Float64Array.from({ length: end - start }, triangle);
    const sum = raw.reduce((total, weight) => total + weight, 0);
    const round = (weight: number) => (isBytes ? Math.floor(weight * WEIGHT_UNIT + 0.5) / WEIGHT_UNIT : weight);
    starts[o] = start;
    weights.push(raw.map((weight) => round(weight / sum)));
  }
  // A byte array rounds down by itself.
  return { starts, weights, bias: isBytes ? 0.5 : 0 };
}

/** `y[o, i] = sum over k of weights[o][k] * x[starts[o] + k, i]`, o from `begin` to `end`, i below `inner`. */
function blend(
  x: Uint8Array | Float32Array,
  inner: number,
  { starts, weights, bias }: Filter,
  begin: number,
  end: number,
  y: Uint8Array | Float32Array,
  to: number,
): void {
  for (let o = begin; o < end; o++) {
    const w = weights[o]!;
    const first = starts[o]! * inner;
    for (let i = 0; i < inner; i++) {
      let sum = bias;
      for (let k = 0, from = first + i; k < w.length; k++, from += inner) sum += w[k]! * x[from]!;
      y[to++] = sum;
    }
  }
}
