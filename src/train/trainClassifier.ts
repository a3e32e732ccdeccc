import { getBackend } from '@tensorflow/tfjs-core';
import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { backendReady } from '../backend';
import type { ImageDataset } from '../data/imageDataset';
import { check, checkOptions } from '../errors';
import { outputKindOf } from '../graph/outputKind';
import type { InputRange } from '../inputRange';
import { checkModel } from '../model/checkModel';
import { setModelMetadata } from '../model/metadata';
import { type CachedTraining, cacheFrozen } from './cacheFrozen';
import { checkModelFitsDataset } from './checkModelFitsDataset';
import {
  checkCheckpointFolder,
  claimCheckpointFolder,
  openCheckpoint,
  restoreCourse,
  restoreWeights,
} from './checkpoint';
import { checkResumed, type ResumedCheckpoint, type ResumedFrom } from './checkpointRecord';
import { createTrainer, type TrainingData } from './createTrainer';
import { createObserver } from './observers';
import { type PreparedTrainingData, prepareTrainingData } from './prepareTrainingData';
import { runCourse } from './runCourse';
import type { TrainingEngineInfo } from './trainer';
import { newCourseState, type TrainingCourse } from './trainingCourse';
import { TRAINING_OPTIONS, type TrainClassifierOptions } from './trainingOptions';
import type { TrainingEpoch } from './trainingRecords';
import { resolveTrainingSettings, type TrainingSettings } from './trainingSettings';
import { readWeights, writeWeight } from './weightValues';

/** What {@link trainClassifier} resolves to. */
export interface TrainClassifierResult extends TrainingEngineInfo {
  /** One record an epoch. */
  history: TrainingEpoch[];
  /** Batches trained on. */
  steps: number;
  /** Of training, validation and pauses aside. */
  seconds: number;
  /** What the run was seeded with. */
  seed: number;
  /** The tfjs backend that the model lives on. */
  backend: string;
  /** Whether early stopping ended it. */
  stoppedEarly: boolean;
  /** The best epoch by `monitor`, from 1; 0 where it was finite in none. */
  bestEpoch: number;
  /** Where it went on from; undefined where it began anew. */
  resumedFrom: ResumedFrom | undefined;
  /** Up to which layer outputs were computed once and kept; undefined where all layers ran in every epoch. */
  cachedUpTo: string | undefined;
}

/** Weights of models in training: two calls at once would undo each other's weights and settings. */
const training = new WeakSet<LayerVariable>();

/**
 * Trains a classifier on pictures with categorical cross-entropy, in the library's own kernels where they can express
 * the model, else through tfjs on the active backend.
 *
 * The model is any `tf.LayersModel` from pictures `[N,H,W,C]` to classes `[N,K]`, ending in a softmax or in logits; it
 * need not be compiled, and a compile state that it has is left alone. Frozen batch norm layers (`trainable = false`)
 * run in inference mode and keep their moving averages, as in Keras; plain `model.fit` of tfjs ignores that. The model
 * holds the trained weights after each epoch and at the end, also where a signal or an error ends the training; a call that
 * is refused, or ended while it is set up, leaves it as it was. Through tfjs on the `wasm` backend the gradient kernels that
 * tfjs lacks are registered first.
 *
 * A loss that is not finite ends the training with an error; the model then holds the weights of the last finite loss.
 *
 * @throws {MobilenetError} `invalid-argument` for options out of range, a model that does not fit the dataset, or a
 * checkpoint that does not fit them
 * @throws {MobilenetError} `invalid-data` for a checkpoint that is damaged or none of this library's
 * @throws {MobilenetError} `file-system` where a report or checkpoint cannot be written or read
 * @throws {MobilenetError} `engine-failed` where `engine: 'fused'` is asked for and cannot be, or a worker dies
 * @throws {MobilenetError} `non-finite` where the loss or a weight became NaN or infinite; names epoch and step
 * @example
 * ```ts
 * const { train, test } = await loadCifar10();
 * const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25 });
 * const { history } = await trainClassifier(model, train, { epochs: 5, validation: test, seed: 1 });
 * console.table(history);
 * ```
 */
export async function trainClassifier(
  model: LayersModel,
  dataset: ImageDataset,
  options: TrainClassifierOptions = {},
): Promise<TrainClassifierResult> {
  checkModel('trainClassifier', model);
  checkOptions('trainClassifier', options, TRAINING_OPTIONS);
  checkModelFitsDataset('trainClassifier', model, dataset);
  check(options.resume !== '', { where: 'trainClassifier', expected: 'resume to be a folder', received: "''" });
  const { weights } = model;
  check(!weights.some((weight) => training.has(weight)), {
    where: 'trainClassifier',
    expected: 'a model that no other call is training',
    received: `'${model.name}', which is in training or shares layers with one that is`,
    remedy: 'Wait for that call to end, or stop it through its signal.',
  });
  options.signal?.throwIfAborted();
  for (const weight of weights) training.add(weight);
  try {
    await backendReady('trainClassifier');
    const resumed = options.resume === undefined ? undefined : await openCheckpoint(options.resume, model);
    const seed = options.seed ?? resumed?.record.seed ?? Math.floor(Math.random() * 0x1_0000_0000);
    const data = await prepareTrainingData(model, dataset, { ...options, seed });
    const settings = resolveTrainingSettings(model, data.dataset, { ...options, seed }, data);
    return await run(model, data, settings, resumed);
  } finally {
    for (const weight of weights) training.delete(weight);
  }
}

async function run(
  model: LayersModel,
  data: PreparedTrainingData,
  settings: TrainingSettings,
  resumed: ResumedCheckpoint | undefined,
): Promise<TrainClassifierResult> {
  if (resumed) checkResumed(resumed, settings, data.dataset, model);
  if (settings.checkpoint) await checkCheckpointFolder(settings.checkpoint, resumed);
  const { weights } = model;
  const before = resumed && (await readWeights(weights));
  if (resumed) restoreWeights(resumed, model);
  let begun = false;
  const begin = async () => {
    if (settings.checkpoint) await claimCheckpointFolder(settings.checkpoint, resumed);
    begun = true;
  };
  let cached: CachedTraining | undefined;
  try {
    cached = await cacheFrozen(model, data, settings);
    const parts = { trained: cached?.head ?? model, ...(cached ?? data) };
    const result = await trainOn(model, parts, { data, settings, resumed, begin });
    return { ...result, cachedUpTo: cached?.boundary };
  } catch (error) {
    // A call that is refused leaves the model as it was.
    if (before && !begun) for (const [i, values] of before.entries()) writeWeight(weights[i]!, values);
    throw error;
  } finally {
    cached?.dispose();
  }
}

interface TrainOnOptions {
  data: PreparedTrainingData;
  settings: TrainingSettings;
  resumed: ResumedCheckpoint | undefined;
  /** Called when nothing is left that could be refused. */
  begin(): Promise<void>;
}

/** Trains all of a model, or its head on features that were kept. */
async function trainOn(
  model: LayersModel,
  { trained, dataset, validation }: TrainingData & { trained: LayersModel },
  { data, settings, resumed, begin }: TrainOnOptions,
): Promise<Omit<TrainClassifierResult, 'cachedUpTo'>> {
  const outputKind = outputKindOf('trainClassifier', model);
  // Features that were computed once are no bytes to be mapped.
  const onFeatures = trained !== model;
  const inputRange: InputRange = onFeatures ? [0, 1] : settings.inputRange;
  const trainer = await createTrainer(trained, { dataset, validation }, { ...settings, inputRange });
  try {
    const state = newCourseState();
    const course: TrainingCourse = {
      ...{ dataset, validation, settings, onFeatures, outputKind, trainer, state },
      bestWeights: undefined,
      pending: false,
    };
    const { weights } = trained;
    const resumedFrom = resumed && (await restoreCourse(resumed, course, model, weights));
    const observer = await createObserver(model, data, course);
    settings.signal?.throwIfAborted();
    await begin();
    describePictures(model, data.dataset, settings);
    await runCourse(course, { model, weights, observer });
    const { history, step, seconds, stoppedEarly, bestEpoch = 0 } = state;
    return {
      history,
      steps: step,
      seconds,
      seed: settings.seed,
      backend: getBackend(),
      stoppedEarly,
      bestEpoch,
      resumedFrom,
      ...trainer.info,
    };
  } finally {
    await trainer.dispose();
  }
}

/** What a classifier is to do with pictures, and what the classes are called, goes with the model. */
function describePictures(model: LayersModel, dataset: ImageDataset, { inputRange }: TrainingSettings): void {
  const { height, width, channels, classNames, resizing } = dataset;
  const inputShape = [height, width, channels] as const;
  setModelMetadata(model, { inputRange, inputShape, classNames: [...classNames], ...resizing });
}
