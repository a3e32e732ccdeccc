import { fail } from '../errors';

/** Throws `invalid-data` for bytes that a decoder refuses. */
export function notAPicture(where: string, error: unknown): never {
  fail({
    code: 'invalid-data',
    where,
    expected: 'the whole file of a picture, JPEG or PNG',
    received: error instanceof Error ? error.message : String(error),
    remedy: 'Check that the file opens in a picture viewer; it may be damaged, cut off or of another kind.',
    cause: error,
  });
}
