import { platform } from '#platform';
import { check } from '../errors';

/**
 * The absolute address that a place stands for, or undefined where it is a path. A browser takes every string for an
 * address, from the page's own on.
 *
 * @throws {MobilenetError} `invalid-argument`, in the name of `where`
 */
export function addressOf(where: string, place: string): string | undefined {
  if (platform.name === 'node' && !/^(https?|data|blob):/i.test(place)) return undefined;
  const base = globalThis.location?.href;
  check(URL.canParse(place, base), { where, expected: 'a URL', received: place });
  return new URL(place, base).href;
}
