import { calibrateRanges, picturesOf } from '../data/calibration';
import type { ImageDataset } from '../data/imageDataset';
import type { PixelArray } from './classifierImage';
import { joinPixels } from './joinPixels';
import type { Pixels } from './runner';

/** What tells how high the values of a graph's stages rise. */
export interface Observer {
  /** For each picture `[images,H,W,C]` the highest value that each of the S stages puts out, `[images,S]`. */
  observe(pixels: Uint8Array | Float32Array, images: number): Promise<Float32Array>;
}

const BATCH = 32;

/**
 * The range of each stage's values, `[S]`, as {@link calibrateRanges} has it.
 *
 * @param read gives a picture in the size of the model
 */
export function calibrate(
  observer: Observer,
  dataset: ImageDataset,
  read: (picture: PixelArray) => Promise<Pixels>,
): Promise<number[]> {
  return calibrateRanges(dataset, BATCH, async (batch) => {
    const pictures = picturesOf(batch).map(({ data, width, height }) => read({ data, width, height }));
    const { data, images } = joinPixels(await Promise.all(pictures));
    return observer.observe(data, images);
  });
}
