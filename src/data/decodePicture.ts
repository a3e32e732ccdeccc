import { platform } from '#platform';
import type { Picture } from './resizePicture';
import { checkWholeFile } from './wholeFile';

/**
 * The picture in the bytes of a file, in its own size, RGB or RGBA, upright.
 *
 * @param where names the file in errors
 * @throws {MobilenetError} `invalid-data` where it is no picture, or not a whole one; `missing-backend` where nothing
 * decodes it.
 */
export async function decodePicture(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<Picture> {
  checkWholeFile(bytes, where);
  return platform.decodeImage(bytes, where);
}
