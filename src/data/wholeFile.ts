import { fail } from '../errors';

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const PNG_END = 0x49_45_4e_44; // 'IEND'

/**
 * Throws `invalid-data` for no bytes, and for a JPEG or PNG that lacks its end: browsers show what there is of it, and
 * grey below. Other kinds of files are for the decoder to judge.
 */
export function checkWholeFile(bytes: Uint8Array, where: string): void {
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
  const isPng = PNG_SIGNATURE.every((byte, i) => bytes[i] === byte);
  const isWhole = isJpeg ? hasJpegEnd(bytes) : isPng ? hasPngEnd(bytes) : bytes.length > 0;
  if (isWhole) return;
  fail({
    code: 'invalid-data',
    where,
    expected: 'the whole file of a picture, JPEG or PNG',
    received: bytes.length === 0 ? '0 bytes' : `${bytes.length} bytes of one, without its end`,
    remedy: 'Copy or download the file again.',
  });
}

/**
 * Whether there is an end-of-image marker, FF D9. Thumbnails have one too: segments are stepped over as a whole. In coded
 * data FF is followed by 00 or a restart marker, D0 to D7.
 */
function hasJpegEnd(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xff, 2); at >= 0; at = bytes.indexOf(0xff, at)) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xd9) return true;
    const isSegment = (marker >= 0xc0 && marker < 0xd0) || (marker > 0xd9 && marker < 0xff);
    at += isSegment ? 2 + ((bytes[at + 2]! << 8) | bytes[at + 3]!) : 1;
  }
  return false;
}

/** Whether the chunks, each with length, type, data and checksum, lead to the one called IEND. */
function hasPngEnd(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = PNG_SIGNATURE.length; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    if (view.getUint32(at + 4) === PNG_END) return true;
  }
  return false;
}
