import { getBackend } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { version } from '../../package.json';
import type { ImageDataset } from '../data/imageDataset';
import { check } from '../errors';
import type { Checkpoint } from '../io/checkpointFolder';
import type { TrainingEngineInfo } from './trainer';
import type { CourseState } from './trainingCourse';
import type { TrainingSettings } from './trainingSettings';
import { weightsInOrder } from './weightNames';

/** What wrote a checkpoint: another engine, module or version may round otherwise. */
export interface CheckpointWriter {
  version: string;
  engine: 'fused' | 'tfjs';
  module: string | undefined;
  backend: string;
}

/** What a checkpoint tells beside its tensors. */
export interface CheckpointRecord {
  writer: CheckpointWriter;
  seed: number;
  batchSize: number;
  accumulateSteps: number;
  optimizer: string;
  /** Whether it keeps an average of the weights. */
  average: boolean;
  pictures: number;
  classNames: readonly string[];
  /** Which weights are trained, as indices into `weights`; frozen ones are not. */
  trainable: readonly number[];
  /** Names of all weights, in the order of the layers. */
  weights: readonly string[];
  course: CourseState;
}

/** A checkpoint that a training goes on from. */
export interface ResumedCheckpoint {
  path: string;
  record: CheckpointRecord;
  tensors: Checkpoint['tensors'];
}

/** From where a training went on. */
export interface ResumedFrom {
  /** The checkpoint's folder. */
  path: string;
  /** Batches that it had behind it. */
  step: number;
  /** How its writer differs from what goes on, so that bits may differ too; undefined where it does not. */
  difference: string | undefined;
}

/** What is true of a training from its beginning to its end. */
export const identityOf = (
  settings: TrainingSettings,
  dataset: ImageDataset<Uint8Array | Float32Array>,
  model: LayersModel,
) => ({
  seed: settings.seed,
  batchSize: settings.batchSize,
  accumulateSteps: settings.accumulateSteps,
  optimizer: 'kind' in settings.optimizer ? settings.optimizer.kind : 'of tfjs',
  average: settings.emaDecay !== undefined,
  pictures: dataset.size,
  classNames: dataset.classNames,
  trainable: trainableIndices(model),
});

function trainableIndices(model: LayersModel): number[] {
  const trainable = new Set(model.trainableWeights);
  return weightsInOrder(model).flatMap((weight, i) => (trainable.has(weight) ? [i] : []));
}

/** Throws `invalid-argument` unless the training is the one that the checkpoint was written in. */
export function checkResumed(
  { path, record }: ResumedCheckpoint,
  settings: TrainingSettings,
  dataset: ImageDataset<Uint8Array | Float32Array>,
  model: LayersModel,
): void {
  const { trainable, ...named } = identityOf(settings, dataset, model);
  for (const [name, here] of Object.entries(named)) {
    const there = record[name as keyof CheckpointRecord];
    check(JSON.stringify(here) === JSON.stringify(there), {
      where: 'trainClassifier, resume',
      expected: `${name} ${JSON.stringify(there)}, as in '${path}'`,
      received: here,
      remedy: 'Go on with the options and the dataset that the training began with.',
    });
  }
  check(JSON.stringify(trainable) === JSON.stringify(record.trainable), {
    where: 'trainClassifier, resume',
    expected: `the ${record.trainable.length} weights to be trained that '${path}' has trained`,
    received: trainable.length === record.trainable.length ? 'others' : trainable.length,
    remedy: 'Freeze the layers that were frozen then, and no others; to train others, begin anew without resume.',
  });
}

export function writerOf({ engine, module }: TrainingEngineInfo): CheckpointWriter {
  return { version, engine, module, backend: getBackend() };
}

/** How what goes on differs from what wrote a checkpoint; undefined where it does not. */
export function differenceOf(there: CheckpointWriter, here: CheckpointWriter): string | undefined {
  const describe = ({ version, engine, module, backend }: CheckpointWriter) =>
    `version ${version}, ${engine === 'tfjs' ? `tfjs on ${backend}` : `the engine (${module})`}`;
  const [was, is] = [describe(there), describe(here)];
  return was === is ? undefined : `was written by ${was}, and goes on with ${is}`;
}
