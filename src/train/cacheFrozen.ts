import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageDataset } from '../data/imageDataset';
import { splitFrozen } from '../graph/splitFrozen';
import { cacheFeatures, featuresFit } from './cacheFeatures';
import type { TrainingData } from './createTrainer';
import type { PreparedTrainingData } from './prepareTrainingData';
import type { TrainingSettings } from './trainingSettings';

/** The part of a model that learns, and what comes into it. */
export interface CachedTraining extends TrainingData {
  readonly head: LayersModel;
  /** The last layer whose outputs are kept. */
  readonly boundary: string;
  /** Gives the layers back to the model. */
  dispose(): void;
}

/**
 * Runs the pictures once through the layers below the lowest that learns. Undefined where there are no such layers,
 * pictures change from epoch to epoch, or what comes out of a dataset does not fit into a gigabyte.
 */
export async function cacheFrozen(
  model: LayersModel,
  { dataset, validation }: PreparedTrainingData,
  settings: TrainingSettings,
): Promise<CachedTraining | undefined> {
  const { cacheFeatures: isWanted = true, augment, mixup, cutmix, pictureSizes } = settings;
  const picturesChange =
    augment !== undefined || mixup !== undefined || cutmix !== undefined || pictureSizes.length > 0;
  const split = isWanted && !picturesChange ? splitFrozen(model) : undefined;
  if (!split) return undefined;
  const { features, head, boundary } = split;
  const { engine, threads, inputRange, batchSize, signal } = settings;
  const options = { engine, threads, inputRange, batchSize, signal };
  const fits = (pictures: ImageDataset | undefined) => pictures === undefined || featuresFit(features, pictures);
  if (!fits(dataset) || !fits(validation)) {
    split.dispose();
    return undefined;
  }
  try {
    const cached = await cacheFeatures(features, dataset, options);
    const validated = validation && (await cacheFeatures(features, validation, options));
    return { dataset: cached, validation: validated, head, boundary, dispose: split.dispose };
  } catch (error) {
    split.dispose();
    throw error;
  }
}
