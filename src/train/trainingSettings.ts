import type { Optimizer } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { platform } from '#platform';
import { type Augmentation, checkAugmentation } from '../data/augment';
import { checkBatchesOptions } from '../data/batches';
import type { ImageDataset } from '../data/imageDataset';
import { checkEngine, type EngineChoice } from '../engine/engineChoice';
import type { OptimizerSettings, WeightRole } from '../engine/optimizer';
import { check, checkInteger, checkOptions, quoted } from '../errors';
import { checkInputRange, type InputRange } from '../inputRange';
import { getModelMetadata } from '../model/metadata';
import type { LearningRate } from './learningRate';
import type { TargetSettings } from './lossTargets';
import { resolveOptimizer } from './optimizers';
import type { PictureScale, TrainClassifierOptions } from './trainingOptions';
import { MONITORS, type Monitor } from './trainingRecords';

const WHERE = 'trainClassifier';
const ROLES: readonly WeightRole[] = ['kernel', 'depthwise', 'bias', 'batchNorm'];

/** Options with every default filled in. */
export interface TrainingSettings
  extends Omit<
    TrainClassifierOptions,
    'optimizer' | 'validation' | 'validationSplit' | 'classWeights' | 'sampleWeights' | 'pictureScales'
  > {
  readonly epochs: number;
  readonly maxMinutes: number;
  readonly batchSize: number;
  /** Undefined leaves a tfjs optimizer of the user's own its rate. */
  readonly learningRate: LearningRate | undefined;
  readonly optimizer: OptimizerSettings | Optimizer;
  readonly weightDecayOn: readonly WeightRole[];
  readonly accumulateSteps: number;
  readonly targets: TargetSettings;
  /** Sizes of the pictures up to shares of the training, rising; after the last one they are as they are. */
  readonly pictureSizes: readonly { until: number; height: number; width: number }[];
  readonly inputRange: InputRange;
  readonly engine: EngineChoice;
  readonly shuffle: boolean | number;
  readonly seed: number;
  readonly monitor: Monitor;
}

/** Fills in the defaults and refuses what cannot be; `targets` are resolved with the data. */
export function resolveTrainingSettings(
  model: LayersModel,
  dataset: ImageDataset,
  options: TrainClassifierOptions & { seed: number },
  { hasValidation, targets }: { hasValidation: boolean; targets: TargetSettings },
): TrainingSettings {
  // Pictures and their weights are the data's: a report writes settings down, and these are megabytes.
  const isSetting = ([name, value]: [string, unknown]) =>
    value !== undefined && name !== 'validation' && name !== 'sampleWeights';
  const given = Object.fromEntries(Object.entries(options).filter(isSetting));
  const settings: TrainingSettings = {
    epochs: options.maxMinutes === undefined ? 1 : Number.POSITIVE_INFINITY,
    maxMinutes: Number.POSITIVE_INFINITY,
    batchSize: 128,
    inputRange: getModelMetadata(model).inputRange ?? [0, 1],
    weightDecayOn: ['kernel'],
    accumulateSteps: 1,
    engine: 'auto',
    shuffle: true,
    monitor: hasValidation ? 'valLoss' : 'loss',
    ...(given as TrainClassifierOptions & { seed: number }),
    ...resolveUpdates(options),
    augment: isEmpty(options.augment) ? undefined : options.augment,
    targets,
    pictureSizes: resolvePictureSizes(dataset, options.pictureScales ?? []),
  };
  checkBudget(settings);
  checkUpdates(settings);
  checkData(settings, model, dataset);
  checkControl(settings, hasValidation);
  return settings;
}

/** Whether it asks for nothing, as one that replaces a recipe's may. */
function isEmpty(augment: Augmentation | undefined): boolean {
  return augment === undefined || Object.values(augment).every((value) => value === undefined);
}

function resolveUpdates({ optimizer = 'adam', learningRate, weightDecay }: TrainClassifierOptions) {
  if (isTfjsOptimizer(optimizer)) {
    check(weightDecay === undefined, {
      where: WHERE,
      expected: 'weightDecay only with an optimizer of this library',
      received: 'a tfjs optimizer',
      remedy: "Name one, for instance optimizer: 'adamw'.",
    });
    return { optimizer, learningRate };
  }
  const { settings, learningRate: usual } = resolveOptimizer(optimizer, weightDecay);
  return { optimizer: settings, learningRate: learningRate ?? usual };
}

/** Whether it steps by itself: one that tfjs made. */
export function isTfjsOptimizer(optimizer: unknown): optimizer is Optimizer {
  return typeof (optimizer as Optimizer | undefined)?.applyGradients === 'function';
}

function checkBudget({ epochs, maxMinutes, engine, threads }: TrainingSettings): void {
  if (epochs !== Number.POSITIVE_INFINITY) checkInteger(WHERE, 'epochs', epochs, 1);
  check(epochs !== Number.POSITIVE_INFINITY || maxMinutes !== Number.POSITIVE_INFINITY, {
    where: WHERE,
    expected: 'epochs or maxMinutes to be finite',
    received: `epochs ${epochs}, maxMinutes ${maxMinutes}`,
  });
  check(maxMinutes > 0, { where: WHERE, expected: 'maxMinutes to be above 0', received: maxMinutes });
  checkEngine(WHERE, engine, threads);
}

function checkUpdates(settings: TrainingSettings): void {
  const { learningRate, weightDecay, weightDecayOn, clipNorm, accumulateSteps, emaDecay } = settings;
  const rate = typeof learningRate === 'function' ? undefined : learningRate;
  checkNumber('learningRate', rate, (value) => value >= 0, 'a number of at least 0');
  checkNumber('weightDecay', weightDecay, (value) => value >= 0, 'a number of at least 0');
  const unknown = weightDecayOn.filter((role) => !ROLES.includes(role));
  check(unknown.length === 0, {
    where: WHERE,
    expected: `weightDecayOn to list ${ROLES.join(', ')}`,
    received: unknown,
  });
  checkNumber('clipNorm', clipNorm, (value) => value > 0, 'a number above 0');
  checkInteger(WHERE, 'accumulateSteps', accumulateSteps, 1);
  checkNumber('emaDecay', emaDecay, (value) => value >= 0 && value < 1, 'in [0, 1)');
}

function checkData(settings: TrainingSettings, model: LayersModel, dataset: ImageDataset): void {
  const { targets, mixup, cutmix, augment, inputRange } = settings;
  const { height, width, channels } = dataset;
  checkNumber('labelSmoothing', targets.labelSmoothing, (value) => value >= 0 && value < 1, 'in [0, 1)');
  checkNumber('mixup', mixup, (value) => value > 0, 'a number above 0');
  checkNumber('cutmix', cutmix, (value) => value > 0, 'a number above 0');
  checkBatchesOptions(WHERE, settings);
  checkInputRange(WHERE, inputRange, channels);
  if (augment) checkAugmentation(WHERE, augment, { height, width, channels });
  check(model.trainableWeights.length > 0, {
    where: WHERE,
    expected: 'a model with trainable weights',
    received: 'one whose layers are all frozen',
    remedy: 'Set layer.trainable = true on the layers that should learn.',
  });
}

function resolvePictureSizes({ height, width }: ImageDataset, scales: readonly PictureScale[]) {
  let before = 0;
  return scales.map((item) => {
    checkOptions(WHERE, item, { until: 'any', scale: 'any' }, 'each of pictureScales');
    const { until, scale } = item;
    checkNumber('until of pictureScales', until, (value) => value > before && value < 1, 'in (0, 1), rising');
    checkNumber('scale of pictureScales', scale, (value) => value > 0 && value <= 1, 'in (0, 1]');
    before = until;
    const scaled = (size: number) => Math.max(1, Math.round(scale * size));
    return { until, height: scaled(height), width: scaled(width) };
  });
}

function checkControl(
  { monitor, learningRate, earlyStopping, checkpoint, optimizer, reportDir, control }: TrainingSettings,
  hasValidation: boolean,
): void {
  checkMonitor('monitor', monitor, hasValidation);
  const watched = typeof learningRate === 'function' ? learningRate.monitor : undefined;
  if (watched !== undefined) checkMonitor('monitor of the learning rate', watched, hasValidation);
  if (earlyStopping) {
    checkOptions(WHERE, earlyStopping, { patience: 'any', minDelta: 'any' }, 'earlyStopping');
    const { patience = 1, minDelta } = earlyStopping;
    checkInteger(WHERE, 'patience', patience, 1);
    checkNumber('minDelta', minDelta, (value) => value >= 0, 'a number of at least 0');
  }
  check(control === undefined || typeof control.whenRunning === 'function', {
    where: WHERE,
    expected: 'control to be what createTrainingControl makes',
    received: control,
  });
  check(reportDir !== '', { where: WHERE, expected: 'reportDir to be a folder', received: reportDir });
  check(reportDir === undefined || platform.name === 'node', {
    where: WHERE,
    expected: 'reportDir in Node only, where there are folders',
    received: reportDir,
    remedy: 'In a browser trainingReportHtml makes the page.',
  });
  if (!checkpoint) return;
  checkOptions(WHERE, checkpoint, { dir: 'any', everySteps: 'any', keep: 'any' }, 'checkpoint');
  const { dir, everySteps = 1, keep = 1 } = checkpoint;
  check(typeof dir === 'string' && dir !== '', {
    where: WHERE,
    expected: 'checkpoint.dir to be a folder',
    received: dir,
  });
  checkInteger(WHERE, 'checkpoint.everySteps', everySteps, 1);
  checkInteger(WHERE, 'checkpoint.keep', keep, 1);
  check(!isTfjsOptimizer(optimizer), {
    where: WHERE,
    expected: 'an optimizer of this library, whose state a checkpoint can keep',
    received: 'a tfjs optimizer',
    remedy: "Name one, for instance optimizer: 'adam'.",
  });
}

function checkMonitor(name: string, monitor: Monitor, hasValidation: boolean): void {
  check(MONITORS.includes(monitor) && (hasValidation || !monitor.startsWith('val')), {
    where: WHERE,
    expected: `${name} to be ${hasValidation ? MONITORS.join(', ') : 'loss or accuracy, as there is no validation'}`,
    received: monitor,
  });
}

function checkNumber(
  name: string,
  value: number | undefined,
  inRange: (value: number) => boolean,
  range: string,
): void {
  if (value === undefined) return;
  const valid = typeof value === 'number' && Number.isFinite(value) && inRange(value);
  check(valid, { where: WHERE, expected: `${name} to be ${range}`, received: quoted(value) });
}
