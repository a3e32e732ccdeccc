import { check } from '../errors';
import { batches } from './batches';
import { checkPictures, type ImageBatch, type ImageDataset } from './imageDataset';

// n = pictures of a batch, S = stages of a network.

const MAX_PICTURES = 512;
/** Of the pictures, how many stay whole. */
const SHARE = 0.99;

/**
 * The range of each stage's values, `[S]`: what the highest value is at most in 99 % of some 500 pictures.
 *
 * Not in all, because the resolution of every picture would suffer for the sake of an odd one.
 *
 * @param observe gives for each picture of a batch the highest value that each stage puts out, `[n,S]`
 */
export async function calibrateRanges(
  dataset: ImageDataset,
  batchSize: number,
  observe: (batch: ImageBatch) => Promise<ArrayLike<number>>,
): Promise<number[]> {
  const maxima: number[][] = [];
  let pictures = 0;
  // Shuffled, for a dataset may be sorted by class.
  for await (const batch of batches(dataset, { batchSize, shuffle: true })) {
    const highest = await observe(batch);
    const stages = highest.length / batch.labels.length;
    while (maxima.length < stages) maxima.push([]);
    for (let i = 0; i < highest.length; i++) maxima[i % stages]!.push(highest[i]!);
    pictures += batch.labels.length;
    if (pictures >= MAX_PICTURES) break;
  }
  return maxima.map((values) => values.sort((a, b) => a - b)[Math.ceil(SHARE * pictures) - 1]!);
}

/** Throws `invalid-argument` where there are pictures that nothing is calibrated by, or none in the dataset. */
export function checkCalibration(where: string, precision: string, calibration: ImageDataset | undefined): void {
  if (calibration === undefined) return;
  check(precision === 'int8', { where, expected: "no calibration without precision 'int8'", received: precision });
  checkPictures(`${where}, calibration`, calibration);
}

/** The pictures of a batch, one behind the other. */
export function picturesOf({ images, height, width, channels }: ImageBatch) {
  const bytes = height * width * channels;
  return Array.from({ length: images.length / bytes }, (_, i) => ({
    data: images.subarray(i * bytes, (i + 1) * bytes),
    width,
    height,
    channels,
  }));
}
