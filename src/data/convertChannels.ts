import { fail } from '../errors';
import { inSlices } from '../platform/eventLoop';
import type { Picture } from './resizePicture';

/** Rec. 601 luma in units of 2^-16, as Pillow has it. */
const LUMA = { red: 19595, green: 38470, blue: 7471, unit: 65536 };

/**
 * A picture with the number of channels that the model reads: alpha is left out, grey is repeated, colours become luma
 * `0.299 R + 0.587 G + 0.114 B`; any other number has to be the model's.
 *
 * @throws {MobilenetError} `invalid-argument` where it is not.
 */
export async function convertChannels(
  picture: Picture,
  channels: number,
  where: string,
  signal?: AbortSignal,
): Promise<Picture> {
  const { data, width, height } = picture;
  if (picture.channels === channels) return picture;
  const convert = conversion(picture.channels, channels);
  if (convert === undefined) {
    fail({
      code: 'invalid-argument',
      where,
      expected: `a picture of ${channels} channels, which the model reads`,
      received: `${picture.channels} channels`,
      remedy:
        channels === 1 || channels === 3
          ? 'Grey (1), RGB (3) and RGBA (4) are converted; leave out other channels.'
          : 'Only for models of 1 or 3 channels are pictures converted.',
    });
  }
  const isBytes = !(data instanceof Float32Array);
  const length = width * height * channels;
  const converted = isBytes ? new Uint8Array(length) : new Float32Array(length);
  const row = (y: number) => convert(data, picture.channels, converted, y * width, (y + 1) * width);
  await inSlices(height, row, signal);
  return { data: converted, width, height, channels };
}

type Values = Uint8Array | Float32Array;

/** Writes the pixels `begin` to `end` of y from those of x, which has `channels`. */
type Conversion = (x: Values, channels: number, y: Values, begin: number, end: number) => void;

/** Undefined where there is none. */
function conversion(from: number, to: number): Conversion | undefined {
  if (to === 1 && (from === 3 || from === 4)) return toGrey;
  if (to === 3 && (from === 1 || from === 4)) return toRgb;
  return undefined;
}

function toGrey(x: Values, channels: number, y: Values, begin: number, end: number): void {
  const half = y instanceof Float32Array ? 0 : 0.5;
  for (let p = begin; p < end; p++) {
    const at = p * channels;
    // A byte array rounds down by itself.
    y[p] = (LUMA.red * x[at]! + LUMA.green * x[at + 1]! + LUMA.blue * x[at + 2]!) / LUMA.unit + half;
  }
}

function toRgb(x: Values, channels: number, y: Values, begin: number, end: number): void {
  const [green, blue] = channels === 1 ? [0, 0] : [1, 2];
  for (let p = begin; p < end; p++) {
    const at = p * channels;
    y[p * 3] = x[at]!;
    y[p * 3 + 1] = x[at + green]!;
    y[p * 3 + 2] = x[at + blue]!;
  }
}
