import type { PictureShape } from './pictureShape';

/** The square that is cut out. */
export interface CutOutOptions {
  /** Of its first row; it may lie partly above the picture. */
  top: number;
  /** Of its first column; it may lie partly left of the picture. */
  left: number;
  /** Its side, in pixels. */
  size: number;
  /** One byte for each channel. @default the mean of each channel of the picture, rounded */
  fill?: readonly number[] | undefined;
}

/** Fills a square of a picture, as far as it lies on it. */
export function cutOut(picture: Uint8Array, shape: PictureShape, { top, left, size, fill }: CutOutOptions): void {
  const { height, width, channels } = shape;
  const colour = fill ?? channelMeans(picture, channels);
  const [bottom, right] = [Math.min(top + size, height), Math.min(left + size, width)];
  for (let y = Math.max(top, 0); y < bottom; y++) {
    for (let x = Math.max(left, 0); x < right; x++) {
      const pixel = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) picture[pixel + c] = colour[c]!;
    }
  }
}

function channelMeans(picture: Uint8Array, channels: number): number[] {
  const sums = new Array<number>(channels).fill(0);
  for (let i = 0, c = 0; i < picture.length; i++, c = c + 1 === channels ? 0 : c + 1) sums[c]! += picture[i]!;
  return sums.map((sum) => Math.floor((sum * channels) / picture.length + 0.5));
}
