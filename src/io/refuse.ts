import { fail } from '../errors';

/** Throws `invalid-data`: what came in as a model is none, or not a whole one. */
export function refuse(where: string, expected: string, received: unknown, remedy?: string, cause?: unknown): never {
  fail({ code: 'invalid-data', where, expected, received, ...(remedy !== undefined && { remedy }), cause });
}
