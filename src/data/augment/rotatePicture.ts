import type { PictureShape } from './pictureShape';
import { reflect } from './reflect';

/** Fixed point of sine and cosine, so that pixels are sums of integers. */
const ONE = 2 ** 16;

/** Units in a pixel of what places are counted in: half pixels, as the centre may lie between two. */
const PIXEL = 2 * ONE;
const AREA = PIXEL * PIXEL;

/**
 * Turns a picture about its centre, anticlockwise: bilinear between pixels, the border reflected.
 *
 * Exact for sine and cosine rounded to 2^-16: the place of a pixel within 0.0003 at 32 x 32. Sums of integers below 2^53,
 * rounded once, half up.
 */
export function rotatePicture(
  source: Uint8Array,
  { height, width, channels }: PictureShape,
  degrees: number,
  target: Uint8Array,
): void {
  const [sine, cosine] = sineAndCosine((degrees * Math.PI) / 180);
  const rowLength = width * channels;
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const right = 2 * x - (width - 1);
      const down = 2 * y - (height - 1);
      const fromX = cosine * right - sine * down + (width - 1) * ONE;
      const fromY = sine * right + cosine * down + (height - 1) * ONE;
      const column = Math.floor(fromX / PIXEL);
      const row = Math.floor(fromY / PIXEL);
      const weightX = fromX - column * PIXEL;
      const weightY = fromY - row * PIXEL;
      const x0 = reflect(column, width) * channels;
      const x1 = reflect(column + 1, width) * channels;
      const y0 = reflect(row, height) * rowLength;
      const y1 = reflect(row + 1, height) * rowLength;
      for (let c = 0; c < channels; c++) {
        const upper = (PIXEL - weightX) * source[y0 + x0 + c]! + weightX * source[y0 + x1 + c]!;
        const lower = (PIXEL - weightX) * source[y1 + x0 + c]! + weightX * source[y1 + x1 + c]!;
        target[to++] = Math.floor(((PIXEL - weightY) * upper + weightY * lower) / AREA + 0.5);
      }
    }
  }
}

/** In units of 2^-16, by their series, up to half a turn: the functions of `Math` differ between platforms. */
function sineAndCosine(radians: number): [sine: number, cosine: number] {
  let sine = 0;
  let cosine = 0;
  let term = 1;
  for (let k = 0; k < 32; k++) {
    const part = k % 4 < 2 ? term : -term;
    if (k % 2 === 0) cosine += part;
    else sine += part;
    term *= radians / (k + 1);
  }
  return [Math.round(sine * ONE), Math.round(cosine * ONE)];
}
