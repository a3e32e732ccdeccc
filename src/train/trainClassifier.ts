import { getBackend } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { backendReady } from '../backend';
import type { ImageDataset } from '../data/imageDataset';
import { check } from '../errors';
import { outputKindOf } from '../graph/outputKind';
import { setModelMetadata } from '../model/metadata';
import { createTrainer } from './createTrainer';
import { evaluatePredictions } from './evaluateClassifier';
import { trainEpoch } from './trainEpoch';
import type { TrainingEngineInfo } from './trainer';
import {
  resolveTrainingOptions,
  type TrainClassifierOptions,
  type TrainingEpoch,
  type TrainingSettings,
} from './trainingOptions';

/** What {@link trainClassifier} resolves to. */
export interface TrainClassifierResult extends TrainingEngineInfo {
  /** One record an epoch. */
  history: TrainingEpoch[];
  /** Optimizer steps taken. */
  steps: number;
  /** Of training, validation aside. */
  seconds: number;
  /** What the run was seeded with. */
  seed: number;
  /** The tfjs backend that the model lives on. */
  backend: string;
}

/** Models in training: two calls at once would undo each other's weights and settings. */
const training = new WeakSet<LayersModel>();

/**
 * Trains a classifier on pictures with categorical cross-entropy, in the library's own kernels where they can express
 * the model, else through tfjs on the active backend.
 *
 * The model is any `tf.LayersModel` from pictures `[N,H,W,C]` to classes `[N,K]`, ending in a softmax or in logits; it
 * need not be compiled, and a compile state that it has is left alone. Frozen batch norm layers (`trainable = false`)
 * run in inference mode and keep their moving averages, as in Keras; plain `model.fit` of tfjs ignores that. The model
 * holds the trained weights after each epoch and at the end, also where a signal or an error ends the training. Through
 * tfjs on the `wasm` backend the gradient kernels that tfjs lacks are registered first.
 *
 * A loss that is not finite ends the training with an error; the model then holds the weights of the last finite loss.
 *
 * @throws {MobilenetError} `invalid-argument` for options out of range or a model that does not fit the dataset
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
  const settings = resolveTrainingOptions(model, dataset, options);
  check(!training.has(model), {
    where: 'trainClassifier',
    expected: 'a model that no other call is training',
    received: `'${model.name}', which is in training`,
    remedy: 'Wait for that call to end, or stop it through its signal.',
  });
  training.add(model);
  try {
    await backendReady('trainClassifier');
    return await run(model, dataset, settings);
  } finally {
    training.delete(model);
  }
}

async function run(
  model: LayersModel,
  dataset: ImageDataset,
  settings: TrainingSettings,
): Promise<TrainClassifierResult> {
  const { inputRange, seed, validation, batchSize, signal } = settings;
  const outputKind = outputKindOf('trainClassifier', model);
  const trainer = await createTrainer(model, dataset, settings);
  const { height, width, channels, classNames } = dataset;
  setModelMetadata(model, { inputRange, inputShape: [height, width, channels], classNames: [...classNames] });
  const course = { dataset, settings, trainer, step: 0, seconds: 0 };
  const history: TrainingEpoch[] = [];
  try {
    for (let epoch = 1; epoch <= settings.epochs && course.seconds < settings.maxMinutes * 60; epoch++) {
      const trained = await trainEpoch(course, epoch);
      await trainer.updateModel();
      const validated =
        validation && (await evaluatePredictions(trainer.predict, validation, { batchSize, outputKind, signal }));
      const record = { epoch, ...trained, valLoss: validated?.loss, valAccuracy: validated?.accuracy };
      history.push(record);
      await settings.onEpoch?.(record);
    }
  } catch (error) {
    // What was learned so far is the user's; a trainer that died has nothing more to give.
    await trainer.updateModel().catch(() => {});
    throw error;
  } finally {
    await trainer.dispose();
  }
  return { history, steps: course.step, seconds: course.seconds, seed, backend: getBackend(), ...trainer.info };
}
