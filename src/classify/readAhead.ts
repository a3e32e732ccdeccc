import type { ClassifierImage } from './classifierImage';
import { joinPixels } from './joinPixels';
import type { Pixels } from './runner';

/** Enough pictures at a time to keep all threads busy, and few enough for their feature maps to fit into memory. */
const CHUNK = 32;

/**
 * Reads pictures in chunks, the first one at once, and each other while the caller works on the one before.
 *
 * @param read gives one picture
 * @returns what gives the next chunk; undefined after the last one
 */
export function readAhead(
  images: Iterable<ClassifierImage>,
  read: (image: ClassifierImage) => Promise<Pixels>,
): () => Promise<Pixels | undefined> {
  const iterator = images[Symbol.iterator]();
  const start = () => {
    const chunk = readChunk(iterator, read);
    // Whoever asks for it learns why it failed; it may be that nobody does.
    chunk.catch(() => {});
    return chunk;
  };
  let next = start();
  return async () => {
    const chunk = await next;
    if (chunk) next = start();
    return chunk;
  };
}

async function readChunk(
  iterator: Iterator<ClassifierImage>,
  read: (image: ClassifierImage) => Promise<Pixels>,
): Promise<Pixels | undefined> {
  const reading: Promise<Pixels>[] = [];
  while (reading.length < CHUNK) {
    const { done, value } = iterator.next();
    if (done) break;
    const pixels = read(value);
    // Where the iterator throws, nobody asks for them.
    pixels.catch(() => {});
    reading.push(pixels);
  }
  if (reading.length === 0) return undefined;
  try {
    return joinPixels(await Promise.all(reading));
  } catch (error) {
    // There will be no further chunk: a generator may have something to close.
    close(iterator);
    throw error;
  }
}

function close(iterator: Iterator<ClassifierImage>): void {
  try {
    iterator.return?.();
  } catch {
    // What went wrong before is what there is to say.
  }
}
