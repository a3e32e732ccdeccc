import { fileURLToPath } from 'node:url';
import { InvalidArgumentError } from 'commander';

// Parsers of option values, for commander, which says which option it was.

/** Above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!(Number.isFinite(value) && value > 0)) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

/** A path, or the `file:` address of one. */
export function path(text: string): string {
  if (!/^file:/i.test(text)) return text;
  try {
    return fileURLToPath(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** At least 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value >= 1))
    throw new InvalidArgumentError('Expected an integer of at least 1.');
  return value;
}

/** At least 0. */
export function seed(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(Number.isSafeInteger(value) && value >= 0)) {
    throw new InvalidArgumentError('Expected an integer of at least 0.');
  }
  return value;
}

/** In [0, 1). */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1))
    throw new InvalidArgumentError('Expected a number from 0 to below 1.');
  return value;
}
