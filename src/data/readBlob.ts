import { fail } from '../errors';

/**
 * The bytes of a Blob or File.
 *
 * @param where names it in errors
 * @throws {MobilenetError} `file-system` where it cannot be read any more.
 */
export async function readBlob(blob: Blob, where: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (error) {
    fail({
      code: 'file-system',
      where,
      expected: 'a Blob that can be read',
      received: String(error),
      remedy: 'Choose the file again; it was changed or removed since.',
      cause: error,
    });
  }
}
