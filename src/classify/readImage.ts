import { platform } from '#platform';
import { convertChannels } from '../data/convertChannels';
import { decodePicture } from '../data/decodePicture';
import { readBlob } from '../data/readBlob';
import type { Picture } from '../data/resizePicture';
import { check, fail } from '../errors';
import { downloadBytes } from '../platform/download';
import type { ClassifierImage, PixelArray } from './classifierImage';
import { elementPixels, isDrawable } from './elementPixels';
import { checkPixelRange } from './pixelRange';
import { isTensor, tensorPixels } from './tensorPixels';

/** Options for {@link readImage}. */
export interface ReadImageOptions {
  /** The public function that was called. */
  where: string;
  /** How many channels the model reads. */
  channels: number;
  /** Awaited before a file is read; its bytes are there until the picture is. */
  beforeReading?: (from: 'file' | 'download') => Promise<void>;
  /** Awaited before a file is decoded, when its bytes are there. */
  beforeDecoding?: () => Promise<void>;
  signal?: AbortSignal | undefined;
}

/**
 * Any picture, in its own size, with the number of channels that the model reads.
 *
 * Nothing that came in is changed or disposed of, and the result may share its memory. What changes from frame to frame
 * (canvas, video) is read before the call returns.
 *
 * @throws {MobilenetError} `invalid-argument`, `invalid-data`, `file-system`, `download-failed` or `missing-backend`;
 * the signal's reason where it was aborted.
 */
export async function readImage(image: ClassifierImage, options: ReadImageOptions): Promise<Picture> {
  const { where, channels, signal } = options;
  signal?.throwIfAborted();
  const picture = await readAny(image, options);
  signal?.throwIfAborted();
  return convertChannels(picture, channels, where, signal);
}

async function readAny(image: unknown, options: ReadImageOptions): Promise<Picture> {
  const { where, signal } = options;
  const kind = kindOf(image);
  if (isDrawable(kind)) return elementPixels(image as never, kind, where);
  switch (kind) {
    case 'String':
    case 'URL':
      return readPlace(String(image), options);
    case 'Blob':
    case 'File':
      await options.beforeReading?.('file');
      signal?.throwIfAborted();
      return decode(await readBlob(image as Blob, where), where, options);
    case 'ArrayBuffer':
    case 'Uint8Array':
      return decode(image as ArrayBuffer | Uint8Array<ArrayBuffer>, where, options);
  }
  if (typeof image === 'object' && image !== null) {
    if (isTensor(image)) return tensorPixels(image, where, signal);
    if ('data' in image && 'width' in image && 'height' in image) return pixelArray(image as PixelArray, where, signal);
  }
  fail({
    code: 'invalid-argument',
    where,
    expected: 'a picture',
    received: `a value of type ${kind}`,
    remedy: 'Pass a tensor, pixels { data, width, height }, an element of the page, or the bytes or place of a file.',
  });
}

/** The class's name, because Node lacks most of the classes, and frames of a page have each their own. */
const kindOf = (value: unknown) => Object.prototype.toString.call(value).slice('[object '.length, -1);

/** A path or a `file:` URL in Node, else an address that can be fetched; a browser takes paths for addresses of the page. */
async function readPlace(place: string, options: ReadImageOptions): Promise<Picture> {
  const { signal, beforeReading } = options;
  const isAddress = platform.name === 'browser' || /^(https?|data|blob):/i.test(place);
  await beforeReading?.(isAddress ? 'download' : 'file');
  signal?.throwIfAborted();
  const bytes = isAddress ? await downloadBytes(place, { signal }) : await platform.readFile(place);
  return decode(bytes, /^data:/i.test(place) ? 'data:' : place, options);
}

/** @param file names it in errors */
async function decode(
  content: ArrayBuffer | Uint8Array<ArrayBuffer>,
  file: string,
  { beforeDecoding, signal }: ReadImageOptions,
): Promise<Picture> {
  await beforeDecoding?.();
  signal?.throwIfAborted();
  return decodePicture(ArrayBuffer.isView(content) ? content : new Uint8Array(content), file);
}

async function pixelArray({ data, width, height }: PixelArray, where: string, signal?: AbortSignal): Promise<Picture> {
  const kind = kindOf(data);
  const isBytes = kind === 'Uint8Array' || kind === 'Uint8ClampedArray';
  check(isBytes || kind === 'Float32Array', {
    where,
    expected: 'pixels in a Uint8Array, Uint8ClampedArray or Float32Array',
    received: kind,
  });
  const isSize = (length: number) => Number.isInteger(length) && length > 0;
  check(isSize(width) && isSize(height), {
    where,
    expected: 'width and height to be integers of at least 1',
    received: `${width} x ${height}`,
  });
  const channels = data.length / (width * height);
  check(isSize(channels), {
    where,
    expected: `${width} x ${height} pixels of 1, 3 or 4 channels`,
    received: `${data.length} numbers`,
    remedy: 'Check that width and height are those of the data, and not swapped with those of another picture.',
  });
  // Arrays of this frame, whichever frame they came from.
  const { buffer, byteOffset, length } = data;
  const plain = isBytes ? new Uint8Array(buffer, byteOffset, length) : new Float32Array(buffer, byteOffset, length);
  if (plain instanceof Float32Array) await checkPixelRange(plain, where, signal);
  return { data: plain, width, height, channels };
}
