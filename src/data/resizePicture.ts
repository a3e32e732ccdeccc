import { inSlices } from '../platform/eventLoop';
import { blend, type Interpolation, type ResizeAxis, resizeFilter } from './resizeFilter';

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
  /**
   * Whether all of it is resized, as far as the new size and the fraction need it, and the centre cut out then; else what
   * is cut out is resized. @default false
   */
  cropAfterResize?: boolean | undefined;
  /** @default 'bilinear' */
  interpolation?: Interpolation | undefined;
  signal?: AbortSignal | undefined;
}

/** Pixels of a picture, from `left`, `top`. */
export interface Window {
  left: number;
  top: number;
  width: number;
  height: number;
}

/**
 * A picture in another size, as a new one, the way it is done in evaluating on ImageNet: a bilinear or bicubic filter,
 * widened by the scale where the picture shrinks (antialiased). Gives the event loop its turn every 8 ms.
 *
 * The definition, along one axis of n pixels made m, with `s = n / m` and `f = max(s, 1)`; then along the other:
 * ```
 * y[o] = sum over i of w(o, i) * x[i] / sum over i of w(o, i), kept within 0 to 255
 * w(o, i) = c(abs(i + 0.5 - (o + 0.5) * s) / f)
 * bilinear: c(d) = max(0, 1 - d)
 * bicubic:  c(d) = 1.5 d^3 - 2.5 d^2 + 1 below 1, -0.5 d^3 + 2.5 d^2 - 4 d + 2 from there to 2, else 0
 * ```
 * Bytes are rounded after each axis, the horizontal one first, with weights in units of 2^-22: the very bytes of
 * `Image.resize(size, BILINEAR)` (or `BICUBIC`) of Pillow up to 12 (13 begins with the vertical axis where that shrinks
 * much more), within 1.01 of the bilinear definition and 1.15 of the bicubic one. Floats are within 1e-4 of it.
 *
 * @throws the signal's reason where it was aborted.
 */
export async function resizePicture(
  picture: Picture,
  size: Size,
  options: ResizePictureOptions = {},
): Promise<Picture> {
  const { data, channels } = picture;
  const { interpolation = 'bilinear', signal } = options;
  const { width, height } = size;
  const [x, y] = axesOf(picture, size, options);
  const isBytes = !(data instanceof Float32Array);
  const make = (length: number) => (isBytes ? new Uint8Array(length) : new Float32Array(length));
  const rowLength = width * channels;

  const columns = resizeFilter(interpolation, x, isBytes);
  const narrowed = make(y.length * rowLength);
  const narrow = (row: number) => {
    const from = ((y.start + row) * picture.width + x.start) * channels;
    const pixels = data.subarray(from, from + x.length * channels);
    const to = row * rowLength;
    if (x.length === x.size) narrowed.set(pixels.subarray(x.offset * channels, (x.offset + width) * channels), to);
    else blend(pixels, channels, columns, 0, width, narrowed, to);
  };
  await inSlices(y.length, narrow, signal);
  if (y.length === y.size) {
    return { width, height, data: narrowed.subarray(y.offset * rowLength, (y.offset + height) * rowLength), channels };
  }

  const rows = resizeFilter(interpolation, y, isBytes);
  const resized = make(height * rowLength);
  const lower = (row: number) => blend(narrowed, rowLength, rows, row, row + 1, resized, row * rowLength);
  await inSlices(height, lower, signal);
  return { width, height, data: resized, channels };
}

type Size = { readonly width: number; readonly height: number };

function axesOf(picture: Size, size: Size, options: ResizePictureOptions): [x: ResizeAxis, y: ResizeAxis] {
  if (options.cropAfterResize) return axesCroppedLast(picture, size, options);
  const { left, top, width, height } = windowOf(picture, size, options);
  return [
    { start: left, length: width, size: size.width, offset: 0, kept: size.width },
    { start: top, length: height, size: size.height, offset: 0, kept: size.height },
  ];
}

/** As torchvision's Resize and CenterCrop have it: the longer side rounded down, the offset to the even one. */
function axesCroppedLast(
  { width, height }: Size,
  size: Size,
  { fit = 'crop', cropFraction = 1 }: ResizePictureOptions,
): [x: ResizeAxis, y: ResizeAxis] {
  const whole = { width: Math.round(size.width / cropFraction), height: Math.round(size.height / cropFraction) };
  const across = width * whole.height;
  const down = height * whole.width;
  if (fit === 'crop' && across > down) whole.width = Math.floor(across / height);
  if (fit === 'crop' && across < down) whole.height = Math.floor(down / width);
  const axis = (length: number, resized: number, kept: number): ResizeAxis => {
    const margin = (resized - kept) / 2;
    const offset = Number.isInteger(margin) ? margin : 2 * Math.round(margin / 2);
    return { start: 0, length, size: resized, offset, kept };
  };
  return [axis(width, whole.width, size.width), axis(height, whole.height, size.height)];
}

/** The part of a picture that is resized where it is cut out first, in whole pixels; centred, half a pixel up and left where it cannot be. */
export function windowOf(
  { width, height }: Size,
  size: Size,
  { fit = 'crop', cropFraction = 1 }: ResizePictureOptions = {},
): Window {
  const scale = Math.min(width / size.width, height / size.height);
  const part = (whole: number, length: number) =>
    Math.max(1, Math.round(cropFraction * (fit === 'stretch' ? whole : length * scale)));
  const window = { width: part(width, size.width), height: part(height, size.height) };
  return { ...window, left: (width - window.width) >> 1, top: (height - window.height) >> 1 };
}
