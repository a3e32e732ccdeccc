import { check, fail } from '../errors';
import type { DecodedImage } from './platform';

/**
 * What a browser can draw, at a size, as RGBA; read before this returns.
 *
 * A canvas keeps colours multiplied by alpha, so those of transparent pixels are inexact, and black where alpha is 0.
 *
 * @throws {MobilenetError} `invalid-argument` where the page may not read the pixels, or where there is no canvas;
 * `invalid-data` where the picture is larger than a canvas can be.
 */
export function drawnPixels(source: CanvasImageSource, width: number, height: number, where: string): DecodedImage {
  const context = makeContext(width, height);
  check(context !== null, { where, expected: 'a canvas to read pixels with', received: 'none' });
  checkCanvas(context, width, height, where);
  try {
    context.drawImage(source, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), width, height, channels: 4 };
  } catch (error) {
    fail({
      code: 'invalid-argument',
      where,
      expected: `a picture of ${width} x ${height} pixels that this page may read`,
      received: String(error),
      remedy:
        (error as Error).name === 'SecurityError'
          ? 'It comes from another site: set crossorigin="anonymous" on the <img> or <video>; the site must allow CORS.'
          : 'Check that it is loaded, not closed, and not larger than a canvas may be.',
      cause: error,
    });
  } finally {
    // Safari counts the memory of all canvases that are not collected yet.
    context.canvas.width = 0;
    context.canvas.height = 0;
  }
}

/** Beyond what a canvas may hold, Safari draws nothing, gives zeros for pixels, and throws nothing. */
function checkCanvas(context: Context, width: number, height: number, where: string): void {
  const [x, y] = [width - 1, height - 1];
  context.fillRect(x, y, 1, 1);
  const [, , , alpha] = context.getImageData(x, y, 1, 1).data;
  context.clearRect(x, y, 1, 1);
  if (alpha === 255) return;
  fail({
    code: 'invalid-data',
    where,
    expected: 'a picture that a canvas can hold here',
    received: `${width} x ${height} pixels`,
    remedy: 'Make it smaller first.',
  });
}

type Context = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

/** Null where there is no canvas, or none that large. */
function makeContext(width: number, height: number) {
  if (typeof OffscreenCanvas === 'undefined' && typeof document === 'undefined') return null;
  const canvas =
    typeof OffscreenCanvas === 'undefined'
      ? Object.assign(document.createElement('canvas'), { width, height })
      : new OffscreenCanvas(width, height);
  return canvas.getContext('2d', { willReadFrequently: true }) as Context | null;
}
