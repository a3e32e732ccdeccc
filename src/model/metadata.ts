import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { InputRange } from '../inputRange';
import { checkModel } from './checkModel';

/** What a model should know about its pictures and classes; travels with it in tfjs's user metadata. */
export interface ModelMetadata {
  classNames?: readonly string[] | undefined;
  /** What bytes 0 to 255 are mapped to before they enter the model: one range, or one for each channel. */
  inputRange?: InputRange | undefined;
  /** `[H,W,C]` of a picture. */
  inputShape?: readonly [height: number, width: number, channels: number] | undefined;
  /** What is kept of a picture whose shape is another: its largest centred window of that shape, or all of it, stretched. */
  fit?: 'crop' | 'stretch' | undefined;
  /** How much of a picture is kept along each side, in the centre, before it is resized; above 0, up to 1. */
  cropFraction?: number | undefined;
  /** Whether a picture is resized before its centre is cut out, and not after that. */
  cropAfterResize?: boolean | undefined;
  /** The filter that resizes pictures for this model. */
  interpolation?: 'bilinear' | 'bicubic' | undefined;
}

/**
 * The metadata of a model; `{}` where it has none. Class names that are no list of texts, as other programs may have
 * written them, are left out.
 *
 * @example
 * ```ts
 * const { classNames, inputRange } = getModelMetadata(await loadModel('my-model'));
 * ```
 */
export function getModelMetadata(model: LayersModel): ModelMetadata {
  checkModel('getModelMetadata', model);
  const { classNames, ...others } = (model.getUserDefinedMetadata() ?? {}) as ModelMetadata;
  return isTexts(classNames) ? { ...others, classNames } : others;
}

/** Adds to the metadata of a model; entries that are not named here or undefined, the user's own among them, stay. */
export function setModelMetadata(model: LayersModel, metadata: ModelMetadata): void {
  checkModel('setModelMetadata', model);
  const known = Object.entries(metadata).filter(([, value]) => value !== undefined);
  model.setUserDefinedMetadata({ ...model.getUserDefinedMetadata(), ...Object.fromEntries(known) });
}

/** Whether it is a list of texts, without holes. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && [...value].every((text) => typeof text === 'string');
}
