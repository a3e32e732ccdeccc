import { fail } from '../errors';

/** Of what a file holds in the place of something else; a hostile one may hold megabytes. */
const LONGEST = 1000;

/** Throws `invalid-data`: what came in as a model is none, or not a whole one. */
export function refuse(where: string, expected: string, received: unknown, remedy?: string, cause?: unknown): never {
  const brief = shorten(received);
  fail({ code: 'invalid-data', where, expected, received: brief, ...(remedy !== undefined && { remedy }), cause });
}

function shorten(value: unknown): unknown {
  const text = typeof value === 'object' && value !== null ? toJson(value) : value;
  return typeof text === 'string' && text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

/** Lists in lists in lists are more than the stack can take; objects of a handler may go in a circle. */
function toJson(value: object): string {
  try {
    return JSON.stringify(value);
  } catch {
    return Array.isArray(value) ? 'a list that has no end' : 'an object that has no end';
  }
}
