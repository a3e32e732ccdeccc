import { isInputRange } from '../inputRange';
import { isObject } from '../io/checkArtifacts';
import type { ModelMetadata } from '../model/metadata';

/** Where our files keep what their format has no place for. */
export const METADATA_KEY = 'mobilenet-v1-ts';

/** What a file says of the pictures and classes of its model. */
export type FileMetadata = Pick<
  ModelMetadata,
  'classNames' | 'inputRange' | 'fit' | 'cropFraction' | 'cropAfterResize' | 'interpolation'
>;

/** What of a model's metadata a file is to keep; an empty object marks a file as ours. */
export function writeMetadata(metadata: ModelMetadata): FileMetadata {
  const { classNames, inputRange, fit, cropFraction, cropAfterResize, interpolation } = metadata;
  return {
    ...(classNames && { classNames }),
    ...(inputRange && { inputRange }),
    ...(fit && { fit }),
    ...(cropFraction !== undefined && { cropFraction }),
    ...(cropAfterResize !== undefined && { cropAfterResize }),
    ...(interpolation && { interpolation }),
  };
}

/** What of a file's JSON is as we write it; anything else is left out. */
export function readMetadata(json: unknown): FileMetadata {
  if (!isObject(json)) return {};
  const { classNames, inputRange, fit, cropFraction, cropAfterResize, interpolation } = json;
  return {
    ...(isTexts(classNames) && { classNames }),
    ...(isInputRange(inputRange) && { inputRange }),
    ...((fit === 'crop' || fit === 'stretch') && { fit }),
    ...(isFraction(cropFraction) && { cropFraction }),
    ...(typeof cropAfterResize === 'boolean' && { cropAfterResize }),
    ...((interpolation === 'bilinear' || interpolation === 'bicubic') && { interpolation }),
  };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isFraction(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= 1;
}
