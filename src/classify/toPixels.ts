import { resizePicture } from '../data/resizePicture';
import type { FeatureSize } from '../graph/stage';
import type { ClassifierImage } from './classifierImage';
import type { Preprocessing } from './preprocessing';
import { readImage } from './readImage';

/** Options for {@link toPixels}. */
export interface ToPixelsOptions {
  /** The public function that was called. */
  where: string;
  signal?: AbortSignal | undefined;
}

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
  { fit, cropFraction }: Preprocessing,
  { where, signal }: ToPixelsOptions,
): Promise<Uint8Array | Float32Array> {
  const picture = await readImage(image, { where, channels: size.channels, signal });
  const { data } = await resizePicture(picture, size, { fit, cropFraction, signal });
  return data;
}
