import { platform } from '#platform';
import { resizePicture } from '../data/resizePicture';
import type { FeatureSize } from '../graph/stage';
import type { ClassifierImage } from './classifierImage';
import type { Preprocessing } from './preprocessing';
import { readImage } from './readImage';
import { Turns } from './turns';

/** Options for {@link toPixels}. */
export interface ToPixelsOptions {
  /** The public function that was called. */
  where: string;
  signal?: AbortSignal | undefined;
}

/** More than these do not decode at once: Node has four threads for it where it is not told otherwise. */
const MOST_DECODERS = 8;

let decodingTurns: Turns | undefined;

/**
 * Calls that wait hold no file open, and no bytes: thousands may be made at once, and an operating system lets a process open
 * a thousand files or fewer. Downloads, which may be slow, do not hold up files.
 */
const readingTurns = { file: new Turns(64), download: new Turns(64) };

/**
 * Any picture as the pixels `[H,W,C]` that a model reads, 0 to 255: floats where they came as floats, else bytes.
 * The result is a copy of its own. Gives the event loop its turn every 8 ms; pixels, tensors and files' bytes must stay
 * as they are until then.
 *
 * @throws as {@link readImage} does.
 */
export async function toPixels(
  image: ClassifierImage,
  size: FeatureSize,
  { fit, cropFraction, cropAfterResize, interpolation }: Preprocessing,
  { where, signal }: ToPixelsOptions,
): Promise<Uint8Array | Float32Array> {
  const turns: (() => void)[] = [];
  try {
    const picture = await readImage(image, {
      where,
      channels: size.channels,
      async beforeReading(from) {
        turns.push(await readingTurns[from].take());
      },
      async beforeDecoding() {
        turns.push(await takeDecodingTurn());
      },
      signal,
    });
    const { data } = await resizePicture(picture, size, { fit, cropFraction, cropAfterResize, interpolation, signal });
    return data;
  } finally {
    for (const endTurn of turns) endTurn();
  }
}

/**
 * Until it is over, a file's picture is there in its full size, 36 MB for 12 megapixels; so of all that are read ahead, by
 * all classifiers, only a few may be: one for each processor, and one that is resized meanwhile.
 */
function takeDecodingTurn(): Promise<() => void> {
  decodingTurns ??= new Turns(Math.min(platform.processors(), MOST_DECODERS) + 1);
  return decodingTurns.take();
}
