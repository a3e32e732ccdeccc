import type { ImageDataset } from '../data/imageDataset';
import { resizePicture } from '../data/resizePicture';
import type { LabelledPicture } from './trainingReport';

/** A page shows pictures no larger; its own size stays that of a photo. */
const LONGEST_SIDE = 128;

/**
 * Pictures of a dataset with their labels, as a report shows them: those larger than 128 pixels are made smaller.
 *
 * @throws {MobilenetError} `invalid-argument` where an index is not in the dataset
 * @example
 * ```ts
 * const { train } = syntheticCifar10({ train: 100, test: 10 });
 * const samples = await reportPictures(train, [0, 1, 2, 3, 4]);
 * console.log(samples.length); // 5
 * ```
 */
export async function reportPictures(dataset: ImageDataset, indices: ArrayLike<number>): Promise<LabelledPicture[]> {
  const { height, width, channels } = dataset;
  const { images, labels } = await dataset.read(indices);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(height, width));
  const size = { height: Math.max(1, Math.round(height * scale)), width: Math.max(1, Math.round(width * scale)) };
  const bytes = height * width * channels;
  const pictures = Array.from(labels, async (label, i) => {
    const picture = { data: images.slice(i * bytes, (i + 1) * bytes), height, width, channels };
    if (scale === 1) return { ...picture, label };
    const { data } = await resizePicture(picture, size, { fit: 'stretch' });
    return { data: data as Uint8Array, ...size, channels, label };
  });
  return Promise.all(pictures);
}
