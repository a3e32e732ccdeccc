import { check, checkInteger, checkOptions, quoted } from '../../errors';
import type { PictureShape } from './pictureShape';

/**
 * Random changes of training pictures, on their bytes. They are made in the order of this list; what is left out is not
 * done.
 */
export interface Augmentation {
  /** Turns about the centre by up to so many degrees either way; bilinear, the border reflected. In [0, 180]. */
  rotation?: number | undefined;
  /**
   * A window of the picture's own size at a random place of the picture padded by `padding` pixels on each side; as
   * usual on CIFAR-10 (He et al. 2016, section 4.2) with 4. @default fill 'zero'
   */
  crop?: { readonly padding: number; readonly fill?: 'zero' | 'reflect' | undefined } | undefined;
  /**
   * Left and right change places: `'random'` by a fair coin for each picture and epoch; `'alternating'` by a coin for
   * each picture, then in every other epoch, so that two epochs see both (Jordan 2024, "94% on CIFAR-10 in 3.29 seconds
   * on a single GPU", section 3.6).
   */
  flip?: 'random' | 'alternating' | undefined;
  /** x in [0, 1]: pixels times a factor from 1 - x to 1 + x, uniform; this and the next two as torchvision's ColorJitter. */
  brightness?: number | undefined;
  /** Likewise, the distance from the picture's mean grey. */
  contrast?: number | undefined;
  /** Likewise, the distance of a pixel of red, green and blue from its own grey. */
  saturation?: number | undefined;
  /**
   * A square of `size` pixels a side, its centre anywhere on the picture, is filled with one byte for each channel
   * (DeVries and Taylor 2017). @default fill the mean of each channel of the picture
   */
  cutout?: { readonly size: number; readonly fill?: readonly number[] | undefined } | undefined;
}

const AUGMENTATION = {
  rotation: 'any',
  crop: 'any',
  flip: 'any',
  brightness: 'any',
  contrast: 'any',
  saturation: 'any',
  cutout: 'any',
} as const;

/** Throws `invalid-argument` unless an augmentation can be made of pictures of this shape. */
export function checkAugmentation(where: string, augmentation: Augmentation, shape: PictureShape): void {
  checkOptions(where, augmentation, AUGMENTATION, 'augmentation');
  const { rotation, crop, flip, brightness, contrast, saturation, cutout } = augmentation;
  checkWithin(where, 'rotation', rotation, 180);
  if (crop !== undefined) checkCrop(where, crop, shape);
  check(flip === undefined || flip === 'random' || flip === 'alternating', {
    where,
    expected: "flip to be 'random' or 'alternating'",
    received: flip,
  });
  checkWithin(where, 'brightness', brightness, 1);
  checkWithin(where, 'contrast', contrast, 1);
  checkWithin(where, 'saturation', saturation, 1);
  check(saturation === undefined || shape.channels === 3, {
    where,
    expected: 'saturation only with pictures of 3 channels: red, green, blue',
    received: `${shape.channels} channels`,
    remedy: 'Leave saturation out.',
  });
  if (cutout !== undefined) checkCutout(where, cutout, shape);
}

function checkCrop(where: string, crop: NonNullable<Augmentation['crop']>, { height, width }: PictureShape): void {
  checkOptions(where, crop, { padding: 'any', fill: 'any' }, 'crop');
  const { padding, fill = 'zero' } = crop;
  checkInteger(where, 'crop.padding', padding, 0);
  check(fill === 'zero' || fill === 'reflect', {
    where,
    expected: "crop.fill to be 'zero' or 'reflect'",
    received: fill,
  });
  check(fill === 'zero' || padding < Math.min(height, width), {
    where,
    expected: `crop.padding below ${Math.min(height, width)} where it is reflected, as pictures are ${height} x ${width}`,
    received: padding,
    remedy: "Pad less, or with fill: 'zero'.",
  });
}

function checkCutout(where: string, cutout: NonNullable<Augmentation['cutout']>, { channels }: PictureShape): void {
  checkOptions(where, cutout, { size: 'any', fill: 'any' }, 'cutout');
  const { size, fill } = cutout;
  checkInteger(where, 'cutout.size', size, 0);
  const isByte = (value: number) => Number.isInteger(value) && value >= 0 && value <= 255;
  check(fill === undefined || (Array.isArray(fill) && fill.length === channels && fill.every(isByte)), {
    where,
    expected: `cutout.fill to be ${channels} integers from 0 to 255, one for each channel`,
    received: fill,
  });
}

function checkWithin(where: string, name: string, value: number | undefined, limit: number): void {
  const isWithin = value === undefined || (typeof value === 'number' && value >= 0 && value <= limit);
  check(isWithin, { where, expected: `${name} to be a number from 0 to ${limit}`, received: quoted(value) });
}
