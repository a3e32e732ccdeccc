import { batches } from '../data/batches';
import type { ImageDataset } from '../data/imageDataset';
import type { PixelArray } from './classifierImage';
import { joinPixels } from './joinPixels';
import type { Pixels } from './runner';

/** What tells how high the values of a graph's stages rise. */
export interface Observer {
  /** For each picture `[images,H,W,C]` the highest value that each of the S stages puts out, `[images,S]`. */
  observe(pixels: Uint8Array | Float32Array, images: number): Promise<Float32Array>;
}

const MAX_PICTURES = 512;
const BATCH = 32;
/** Of the pictures, how many stay whole. */
const SHARE = 0.99;

/**
 * The range of each stage's values, `[S]`: what the highest value is at most in 99 % of some 500 pictures.
 *
 * Not in all, because the resolution of every picture would suffer for the sake of an odd one.
 *
 * @param read gives a picture in the size of the model
 */
export async function calibrate(
  observer: Observer,
  dataset: ImageDataset,
  read: (picture: PixelArray) => Promise<Pixels>,
): Promise<number[]> {
  const maxima: number[][] = [];
  let pictures = 0;
  // Shuffled, for a dataset may be sorted by class.
  for await (const batch of batches(dataset, { batchSize: BATCH, shuffle: true })) {
    const { images: bytes, height, width, channels } = batch;
    const pictureBytes = height * width * channels;
    const reading: Promise<Pixels>[] = [];
    for (let start = 0; start < bytes.length; start += pictureBytes) {
      reading.push(read({ data: bytes.subarray(start, start + pictureBytes), width, height }));
    }
    const { data, images } = joinPixels(await Promise.all(reading));
    const highest = await observer.observe(data, images);
    const stages = highest.length / images;
    while (maxima.length < stages) maxima.push([]);
    highest.forEach((value, i) => {
      maxima[i % stages]!.push(value);
    });
    pictures += images;
    if (pictures >= MAX_PICTURES) break;
  }
  return maxima.map((values) => values.sort((a, b) => a - b)[Math.ceil(SHARE * pictures) - 1]!);
}
