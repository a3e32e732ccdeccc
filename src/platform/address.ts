import { platform } from '#platform';
import { fail } from '../errors';

/**
 * The absolute address that a place stands for, or undefined where it is a path. A browser takes every string for an
 * address, from the page's own on.
 *
 * @throws {MobilenetError} `invalid-argument`, in the name of `where`
 */
export function addressOf(where: string, place: string): string | undefined {
  if (platform.name === 'node' && !/^(https?|data|blob):/i.test(place)) return undefined;
  try {
    return new URL(place, globalThis.location?.href).href;
  } catch (cause) {
    fail({ code: 'invalid-argument', where, expected: 'a URL', received: place, cause });
  }
}
