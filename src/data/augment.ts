import { check, checkInteger, checkOptions } from '../errors';
import { createRandom, type Random } from '../random';
import { adjustBrightness, adjustContrast, adjustSaturation } from './augment/adjustColours';
import { type Augmentation, checkAugmentation } from './augment/augmentation';
import { type CropAndFlipOptions, cropAndFlip } from './augment/cropAndFlip';
import { cutOut } from './augment/cutOut';
import type { PictureShape } from './augment/pictureShape';
import { rotatePicture } from './augment/rotatePicture';
import { checkBytes, type ImageBatch } from './imageDataset';
import { AUGMENT_STREAM } from './streams';

export { type Augmentation, checkAugmentation };

/** Options for {@link augmentBatch}. */
export interface AugmentBatchOptions {
  /** @default 0 */
  seed?: number | undefined;
  /** Each epoch changes a picture in a way of its own. @default 0 */
  epoch?: number | undefined;
}

/**
 * The pictures of a batch changed at random, as a new batch.
 *
 * A picture's change depends on the seed, the epoch and its index in the dataset alone (`batch.indices`; its place in
 * the batch where there are none), so any batch size and order gives the same bytes, on every platform.
 *
 * @throws {MobilenetError} `invalid-argument` where an option is unknown or out of range, or does not suit the pictures.
 * @example
 * ```ts
 * const augmentation = { crop: { padding: 4, fill: 'reflect' }, flip: 'alternating', cutout: { size: 8 } } as const;
 * for await (const batch of batches(syntheticCifar10().train, { shuffle: true, seed: 1, epoch: 1 })) {
 *   const augmented = augmentBatch(batch, augmentation, { seed: 1, epoch: 1 });
 *   console.log(augmented.images.length);
 * }
 * ```
 */
export function augmentBatch<Batch extends ImageBatch>(
  batch: Batch,
  augmentation: Augmentation,
  options: AugmentBatchOptions = {},
): Batch {
  const where = 'augmentBatch';
  checkOptions(where, options, { seed: 'any', epoch: 'any' });
  const { seed = 0, epoch = 0 } = options;
  checkAugmentation(where, augmentation, batch);
  check(Number.isSafeInteger(seed), { where, expected: 'seed to be an integer', received: seed });
  checkInteger(where, 'epoch', epoch, 0);
  checkBytes(where, batch.images);
  const length = batch.height * batch.width * batch.channels;
  const images = new Uint8Array(batch.images.length);
  const scratch = new Uint8Array(length);
  for (let i = 0; i < batch.labels.length; i++) {
    const [from, to] = [i * length, (i + 1) * length];
    const source = batch.images.subarray(from, to);
    const draw = { seed, epoch, index: batch.indices?.[i] ?? i };
    augmentPicture(source, batch, augmentation, draw, scratch, images.subarray(from, to));
  }
  return { ...batch, images };
}

/** All that a picture's random numbers depend on. */
interface Draw {
  seed: number;
  epoch: number;
  /** In the dataset. */
  index: number;
}

/** Every change is drawn where its turn comes, so that those further down the list leave it as it is. */
function augmentPicture(
  picture: Uint8Array,
  shape: PictureShape,
  { rotation, crop, flip, brightness, contrast, saturation, cutout }: Augmentation,
  draw: Draw,
  scratch: Uint8Array,
  target: Uint8Array,
): void {
  const { height, width, channels } = shape;
  const random = createRandom(draw.seed, AUGMENT_STREAM, draw.epoch, draw.index);
  if (rotation) rotatePicture(picture, shape, rotation * (2 * random.uniform() - 1), scratch);
  cropAndFlip(
    rotation ? scratch : picture,
    shape,
    { ...drawCrop(crop, random), flipped: drawFlip(flip, random, draw) },
    target,
  );

  const pixels = new Uint8ClampedArray(target.buffer, target.byteOffset, target.length);
  const factor = (spread: number) => 1 + spread * (2 * random.uniform() - 1);
  if (brightness) adjustBrightness(pixels, factor(brightness));
  if (contrast) adjustContrast(pixels, channels, factor(contrast));
  if (saturation) adjustSaturation(pixels, factor(saturation));

  if (cutout) {
    const { size, fill } = cutout;
    const [top, left] = [height, width].map((length) => random.integer(length) - (size >> 1)) as [number, number];
    cutOut(target, shape, { top, left, size, fill });
  }
}

function drawCrop(crop: Augmentation['crop'], random: Random): Omit<CropAndFlipOptions, 'flipped'> {
  const { padding = 0, fill = 'zero' } = crop ?? {};
  const shift = () => random.integer(2 * padding + 1) - padding;
  return padding === 0 ? { top: 0, left: 0, fill } : { top: shift(), left: shift(), fill };
}

function drawFlip(flip: Augmentation['flip'], random: Random, { seed, epoch, index }: Draw): boolean {
  if (flip === undefined) return false;
  if (flip === 'random') return random.uniform() < 0.5;
  const isFlippedFirst = createRandom(seed, AUGMENT_STREAM, index).uniform() < 0.5;
  return isFlippedFirst === (epoch % 2 === 1);
}
