import { type Interpolation, interpolations } from '../data/resizeFilter';
import { check, checkOptions } from '../errors';
import { checkInputRange, type InputRange } from '../inputRange';

/** How a picture becomes what the model reads. */
export interface Preprocessing {
  /**
   * What is kept of a picture whose shape is not the model's: `'crop'` the largest centred window that has the model's
   * aspect ratio, `'stretch'` all of it, squeezed along one side.
   * @default the one that the model's metadata names, else 'crop'
   */
  fit?: 'crop' | 'stretch' | undefined;
  /**
   * How much of that is kept along each side, in the centre; above 0, up to 1. Published ImageNet accuracies of
   * MobileNet are measured at 0.875.
   * @default the one that the model's metadata names, else 1
   */
  cropFraction?: number | undefined;
  /**
   * Whether the picture is resized before its centre is cut out, as torchvision and timm do it; else after that, as TF-slim
   * does. Pixels then lie up to one aside.
   * @default the one that the model's metadata names, else false
   */
  cropAfterResize?: boolean | undefined;
  /**
   * The filter that resizes, both with antialiasing: PyTorch's models are mostly evaluated with `'bicubic'`.
   * @default the one that the model's metadata names, else 'bilinear'
   */
  interpolation?: Interpolation | undefined;
  /**
   * What 0 to 255 is mapped to: one range, or one for each channel, as `meanStdRange` makes them.
   * @default the one that the model's metadata names, else [0, 1]
   */
  inputRange?: InputRange | undefined;
}

const PREPROCESSING = {
  fit: 'any',
  cropFraction: 'number',
  cropAfterResize: 'any',
  interpolation: 'any',
  inputRange: 'any',
} as const;

/** Throws `invalid-argument` where an option is out of its range, or does not fit `channels`. */
export function checkPreprocessing(where: string, preprocessing: Preprocessing, channels?: number): void {
  checkOptions(where, preprocessing, PREPROCESSING, 'preprocessing');
  const { fit, cropFraction, cropAfterResize, interpolation, inputRange } = preprocessing;
  check(fit === undefined || fit === 'crop' || fit === 'stretch', {
    where,
    expected: "preprocessing.fit to be 'crop' or 'stretch'",
    received: fit,
  });
  check(cropFraction === undefined || (cropFraction > 0 && cropFraction <= 1), {
    where,
    expected: 'preprocessing.cropFraction to be above 0 and at most 1',
    received: cropFraction,
  });
  check(cropAfterResize === undefined || typeof cropAfterResize === 'boolean', {
    where,
    expected: 'preprocessing.cropAfterResize to be true or false',
    received: cropAfterResize,
  });
  check(interpolation === undefined || interpolations.includes(interpolation), {
    where,
    expected: "preprocessing.interpolation to be 'bilinear' or 'bicubic'",
    received: interpolation,
  });
  if (inputRange !== undefined) checkInputRange(where, inputRange, channels);
}
