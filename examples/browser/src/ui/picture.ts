import type { SamplePicture } from '../protocol';
import { element } from './dom';

/** Bytes as a canvas: 1 channel is grey, of more the first three are red, green and blue. */
export function paintBytes({ data, width, height, channels }: SamplePicture): HTMLCanvasElement {
  const canvas = element('canvas', { width, height });
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let from = 0, to = 0; to < rgba.length; from += channels, to += 4) {
    for (let c = 0; c < 3; c++) rgba[to + c] = data[from + (channels < 3 ? 0 : c)]!;
  }
  canvas.getContext('2d')!.putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

/** The middle square of a picture file at `side` pixels; undefined where it cannot be decoded. */
export async function paintFile(file: Blob, side: number): Promise<HTMLCanvasElement | undefined> {
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  if (!bitmap) return undefined;
  const canvas = element('canvas', { width: side, height: side });
  const square = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - square) / 2, (bitmap.height - square) / 2];
  canvas.getContext('2d')!.drawImage(bitmap, left, top, square, square, 0, 0, side, side);
  bitmap.close();
  return canvas;
}
