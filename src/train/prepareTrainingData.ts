import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageDataset } from '../data/imageDataset';
import { labelsOf, splitIndices } from '../data/splitDataset';
import { subsetDataset } from '../data/subsetDataset';
import { check } from '../errors';
import { checkModelFitsDataset } from './checkModelFitsDataset';
import { resolveLossWeights, type TargetSettings } from './lossTargets';
import type { TrainClassifierOptions } from './trainingOptions';

const WHERE = 'trainClassifier';

/** What is trained on and validated with, and how the loss weighs it. */
export interface PreparedTrainingData {
  dataset: ImageDataset;
  validation: ImageDataset | undefined;
  hasValidation: boolean;
  targets: TargetSettings;
}

/** Holds back a validation split where one is asked for, and brings weights into order. */
export async function prepareTrainingData(
  model: LayersModel,
  dataset: ImageDataset,
  options: TrainClassifierOptions & { seed: number },
): Promise<PreparedTrainingData> {
  const { validation, validationSplit, classWeights, sampleWeights, labelSmoothing = 0, seed } = options;
  check(validation === undefined || validationSplit === undefined, {
    where: WHERE,
    expected: 'validation or validationSplit',
    received: 'both',
  });
  check(validationSplit === undefined || (validationSplit > 0 && validationSplit < 1), {
    where: WHERE,
    expected: 'validationSplit to be in (0, 1)',
    received: validationSplit,
    remedy: 'Leave it out to hold none back.',
  });
  if (validation) checkValidation(model, dataset, validation);
  const split =
    validationSplit === undefined ? undefined : await splitIndices(dataset, { fraction: validationSplit, seed });
  const trained = split ? subsetDataset(dataset, split.train) : dataset;
  const labels = classWeights === 'balanced' ? await labelsOf(trained) : undefined;
  const weights = resolveLossWeights(WHERE, dataset, { classWeights, sampleWeights }, labels);
  const targets = { labelSmoothing, ...weights };
  if (!split) return { dataset, validation, hasValidation: validation !== undefined, targets };
  const kept = weights.sampleWeights && Array.from(split.train, (i) => weights.sampleWeights![i]!);
  return {
    dataset: trained,
    validation: subsetDataset(dataset, split.validation),
    hasValidation: true,
    targets: { ...targets, sampleWeights: kept },
  };
}

/** Of the same classes in the same order, or what it tells means nothing. */
function checkValidation(model: LayersModel, { classNames }: ImageDataset, validation: ImageDataset): void {
  const where = `${WHERE}, validation`;
  checkModelFitsDataset(where, model, validation, 'Load it with the size and the classes of the training pictures.');
  const other = validation.classNames.findIndex((name, i) => name !== classNames[i]);
  // Where the training pictures have more or fewer classes, they are what the model does not fit.
  check(other === -1 || validation.classNames.length !== classNames.length, {
    where,
    expected: `class ${other} to be ${classNames[other]}, as in the training pictures`,
    received: validation.classNames[other],
    remedy: 'Load both with the same classNames.',
  });
}
