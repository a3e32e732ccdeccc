import type { ClassifierImage } from './classifierImage';
import { joinPixels } from './joinPixels';
import type { Pixels } from './runner';

/** Enough pictures at a time to keep all threads busy, and few enough for their feature maps to fit into memory. */
const CHUNK = 32;

/** What {@link readAhead} returns. */
export interface Chunks {
  /** The next chunk; undefined after the last one. */
  next(): Promise<Pixels | undefined>;
  /** Tells the pictures' source, which may be a generator that has a file open, that no more are wanted. */
  close(): void;
}

/**
 * Reads pictures in chunks, the first one at once, and each other while the caller works on the one before.
 *
 * @param read gives one picture
 */
export function readAhead(
  images: Iterable<ClassifierImage>,
  read: (image: ClassifierImage) => Promise<Pixels>,
): Chunks {
  const iterator = iterate(images);
  const start = () => {
    const chunk = readChunk(iterator, read);
    // Whoever asks for it learns why it failed; it may be that nobody does.
    chunk.catch(() => {});
    return chunk;
  };
  let next = start();
  return {
    async next() {
      const chunk = await next;
      if (chunk) next = start();
      return chunk;
    },
    close: () => close(iterator),
  };
}

/** As a generator, which tells its source once that no more are wanted, and not at all where that has ended. */
function* iterate(images: Iterable<ClassifierImage>): Iterator<ClassifierImage> {
  yield* images;
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
