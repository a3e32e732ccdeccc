import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { check, fail } from '../errors';
import {
  checkWritable,
  isCheckpointOf,
  listCheckpoints,
  readCheckpoint,
  removeCheckpointsAfter,
  removeOldCheckpoints,
  writeCheckpoint,
} from '../io/checkpointFolder';
import type { Float32Values } from '../io/safetensors';
import { judgeEpochs } from './bestEpoch';
import {
  type CheckpointRecord,
  differenceOf,
  identityOf,
  type ResumedCheckpoint,
  type ResumedFrom,
  writerOf,
} from './checkpointRecord';
import { isOver, type TrainingCourse } from './trainingCourse';
import type { CheckpointOptions } from './trainingOptions';
import type { TrainingEpoch } from './trainingRecords';
import { weightNames, weightsInOrder } from './weightNames';
import { readValues, writeWeight } from './weightValues';

/** Throws `invalid-argument` where a folder holds checkpoints of another training. */
export async function checkCheckpointFolder(
  { dir }: CheckpointOptions,
  resumed: ResumedCheckpoint | undefined,
): Promise<void> {
  if (resumed && isCheckpointOf(dir, resumed.path)) return;
  const [newest] = await listCheckpoints(dir);
  check(newest === undefined, {
    where: 'trainClassifier, checkpoint',
    expected: 'a folder without checkpoints of another training',
    received: newest?.path,
    remedy: `Go on from them with resume: '${dir}', or choose another folder.`,
  });
}

/** Makes room for a training's checkpoints: its folder holds none that it has gone back behind. */
export async function claimCheckpointFolder(
  { dir, keep }: CheckpointOptions,
  resumed: ResumedCheckpoint | undefined,
): Promise<void> {
  await checkWritable(dir);
  if (resumed) await removeCheckpointsAfter(dir, resumed.path);
  // A training that was killed before it could do so, and that was at its end, writes no further one.
  await removeOldCheckpoints(dir, keep);
}

/** Writes where a training stands; the model is whole, while the weights are those of its trainer, in its order. */
export async function saveCheckpoint(
  { dir, keep }: CheckpointOptions,
  course: TrainingCourse,
  model: LayersModel,
  trained: readonly LayerVariable[],
): Promise<void> {
  const { settings, state, dataset, trainer, bestWeights } = course;
  const current = await trainer.readState();
  const names = weightNames(model);
  const tensors = new Map<string, Float32Values>();
  const put = (prefix: string, weight: LayerVariable, data: Float32Array | undefined) => {
    if (data) tensors.set(`${prefix}/${names.get(weight)}`, { shape: weight.shape as number[], data });
  };
  for (const weight of names.keys()) {
    if (!trained.includes(weight)) put('weights', weight, await readValues(weight.read()));
  }
  for (const [i, weight] of trained.entries()) {
    put('weights', weight, current.weights[i]);
    for (const [slot, values] of Object.entries(current.slots)) put(`optimizer/${slot}`, weight, values[i]);
    put('average', weight, current.average?.[i]);
    put('best', weight, bestWeights?.[i]);
  }
  const record: CheckpointRecord = {
    writer: writerOf(trainer.info),
    ...identityOf(settings, dataset, model),
    weights: [...names.values()],
    course: state,
  };
  await writeCheckpoint(dir, { step: state.step, tensors, record }, { keep });
}

/** Reads a checkpoint, which must be one of this model. */
export async function openCheckpoint(path: string, model: LayersModel): Promise<ResumedCheckpoint> {
  const { path: place, record: read, tensors } = await readCheckpoint(path);
  const record = read as CheckpointRecord;
  const isOurs = record?.course && record.writer && Array.isArray(record.weights) && Array.isArray(record.trainable);
  if (!isOurs) {
    fail({ code: 'invalid-data', where: place, expected: 'a checkpoint of trainClassifier', received: 'another' });
  }
  const resumed = { path: place, record, tensors };
  const find = finder(resumed, model);
  for (const weight of weightsInOrder(model)) find('weights', weight);
  return resumed;
}

/** Gives a model the weights of its checkpoint. */
export function restoreWeights(resumed: ResumedCheckpoint, model: LayersModel): void {
  const find = finder(resumed, model);
  for (const weight of weightsInOrder(model)) writeWeight(weight, find('weights', weight));
}

/** Puts a trainer and its course where the checkpoint was written. */
export async function restoreCourse(
  resumed: ResumedCheckpoint,
  course: TrainingCourse,
  model: LayersModel,
  trained: readonly LayerVariable[],
): Promise<ResumedFrom> {
  const { path, record } = resumed;
  const { trainer, state, settings } = course;
  const find = finder(resumed, model);
  const list = (prefix: string) => trained.map((weight) => find(prefix, weight));
  const learns = new Set(model.trainableWeights);
  // Of frozen layers that were run once a checkpoint has the weights alone: they never change.
  const kept = (prefix: 'average' | 'best') =>
    trained.map((weight) => find(prefix, weight, learns.has(weight) ? prefix : 'weights'));
  const slots = Object.entries((await trainer.readState()).slots).map(([slot, values]) => {
    const found = values.map((value, i) => value && find(`optimizer/${slot}`, trained[i]!));
    return [slot, found] as const;
  });
  await trainer.writeState({
    weights: list('weights'),
    slots: Object.fromEntries(slots),
    updates: record.course.updates,
    average: settings.emaDecay === undefined ? undefined : kept('average'),
  });
  Object.assign(state, record.course, { history: record.course.history.map(fromJson) });
  // By the present options, which may ask for more patience, or monitor something else.
  Object.assign(state, judgeEpochs(state.history, settings));
  state.finished = state.batch === 0 && isOver(course);
  course.bestWeights = bestWeights(course, resumed, kept);
  const difference = differenceOf(record.writer, writerOf(trainer.info));
  if (difference) console.warn(`trainClassifier: '${path}' ${difference}; the last bits may differ.`);
  return { path, step: state.step, difference };
}

/** Numbers that are not finite are null in JSON. */
const fromJson = (epoch: TrainingEpoch) =>
  Object.fromEntries(
    Object.entries(epoch).map(([name, value]) => [name, value ?? Number.NaN]),
  ) as unknown as TrainingEpoch;

/** The weights of the best epoch so far, where they are to be restored. */
function bestWeights(
  course: TrainingCourse,
  { path, record, tensors }: ResumedCheckpoint,
  kept: (prefix: 'average' | 'best') => Float32Array[],
): Float32Array[] | undefined {
  const { state, settings } = course;
  if (!settings.restoreBest || state.bestEpoch === undefined) return undefined;
  const isThere = [...tensors.keys()].some((name) => name.startsWith('best/'));
  check(isThere && record.course.bestEpoch === state.bestEpoch, {
    where: 'trainClassifier, resume',
    expected: `'${path}' to hold the weights of epoch ${state.bestEpoch}, the best by ${settings.monitor}, for restoreBest`,
    received: isThere ? `those of epoch ${record.course.bestEpoch}` : 'none',
    remedy: 'Go on with the restoreBest, monitor and minDelta that the training began with, or without restoreBest.',
  });
  return kept('best');
}

/**
 * Finds what a checkpoint has for a weight. Its name there may be another than here, as tfjs numbers layers that have no
 * name; so weights are told apart by the order of the layers.
 */
function finder({ path, record, tensors }: ResumedCheckpoint, model: LayersModel) {
  const where = 'trainClassifier, resume';
  const weights = weightsInOrder(model);
  const remedy = 'Build the model, and take the optimizer, that the training began with.';
  check(weights.length === record.weights.length, {
    where,
    expected: `a model of ${record.weights.length} weights, as '${path}' has it`,
    received: `one of ${weights.length}`,
    remedy,
  });
  return (prefix: string, weight: LayerVariable, otherwise = prefix): Float32Array => {
    const own = record.weights[weights.indexOf(weight)];
    const name = `${prefix}/${own}`;
    const found = tensors.get(name) ?? tensors.get(`${otherwise}/${own}`);
    check(found !== undefined && JSON.stringify(found.shape) === JSON.stringify(weight.shape), {
      where,
      expected: `'${path}' to hold ${name} [${weight.shape}], as this model and these options have it`,
      received: found ? `[${found.shape}]` : 'none',
      remedy,
    });
    return found.data;
  };
}
