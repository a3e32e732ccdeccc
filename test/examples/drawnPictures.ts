import { syntheticCifar10 } from 'mobilenet-v1-ts';
import sharp, { type Sharp } from 'sharp';

const SIDE = 32;
const { images, labels, classNames } = syntheticCifar10({ train: 100, test: 1 }).train;

/** The n-th picture of a class that the library draws. */
export function drawnPicture(className: string, n = 0): Sharp {
  const label = classNames.indexOf(className);
  const place = [...labels.keys()].filter((i) => labels[i] === label)[n]!;
  const bytes = SIDE * SIDE * 3;
  const pixels = images.subarray(place * bytes, (place + 1) * bytes);
  return sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } });
}

export const drawnJpeg = (className: string, n?: number) => drawnPicture(className, n).jpeg().toBuffer();
export const drawnPng = (className: string, n?: number) => drawnPicture(className, n).png().toBuffer();
