import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { check, MobilenetError } from '../errors';
import { judgeEpochs } from './bestEpoch';
import { saveCheckpoint } from './checkpoint';
import { type ClassifierEvaluation, evaluatePredictions } from './evaluateClassifier';
import { trainEpoch } from './trainEpoch';
import type { WhichWeights } from './trainer';
import { isOver, noSums, type TrainingCourse } from './trainingCourse';
import type { TrainingObserver } from './trainingObserver';
import type { TrainingEpoch } from './trainingRecords';
import { readWeights, writeWeight } from './weightValues';

/** Who takes part in a course beside its trainer. */
export interface RunCourseOptions {
  /** The whole model. */
  model: LayersModel;
  /** Those that the trainer has, in its order: all, or those of the head on features that were kept. */
  weights: readonly LayerVariable[];
  observer: Required<TrainingObserver>;
}

/** Trains until the epochs, the minutes or the patience run out, and leaves the weights in the model. */
export async function runCourse(course: TrainingCourse, options: RunCourseOptions): Promise<void> {
  const { state, settings, trainer } = course;
  const { weights, observer } = options;
  const checkLearning = learningCheck(options.model);
  const save = saver(course, options, checkLearning);
  let isFinished = false;
  try {
    while (!state.finished) {
      await trainEpoch(course, {
        ready: async () => {
          // Gradients that wait for their update are in no checkpoint: it is made first.
          if (course.pending && settings.checkpoint) return;
          settings.signal?.throwIfAborted();
          await settings.control?.whenRunning(settings.signal);
        },
        async onBatch(batch) {
          try {
            await observer.onBatch(batch);
          } catch (error) {
            // A hook that the same signal stops, where gradients wait: `ready` ends the training after their update.
            const isAbort = settings.signal?.aborted && (error as Error | undefined)?.name === 'AbortError';
            if (!(isAbort && course.pending && settings.checkpoint)) throw error;
          }
          checkLearning();
          if (state.step % (settings.checkpoint?.everySteps ?? Number.POSITIVE_INFINITY) === 0) save.due();
          await save.ifDue();
        },
      });
      await trainer.updateModel(whichOf(course));
      const { record, evaluation } = await endEpoch(course, weights);
      await observer.onEpoch(record, evaluation);
      checkLearning();
      if (settings.checkpoint?.everySteps === undefined || state.finished) save.due();
      await save.ifDue();
    }
    await finish(course, weights);
    isFinished = true;
    await observer.onEnd();
  } catch (error) {
    // Whoever stops a training goes on later; where that cannot be, it is what there is to say.
    const reason =
      settings.signal?.aborted && !hasDiverged(error)
        ? await save.now().then(
            () => error,
            (failed) => failed,
          )
        : error;
    if (!isFinished) await giveUp(course, reason);
    // A signal may have been aborted with nothing, a hook have thrown it.
    await Promise.resolve(observer.onEnd(reason ?? 'Stopped.')).catch(() => {});
    throw reason;
  }
}

/** Throws where layers were frozen or unfrozen since, which would change the order of the model's weights and nothing else. */
function learningCheck(model: LayersModel): () => void {
  const before = model.trainableWeights;
  return () => {
    const now = model.trainableWeights;
    check(now.length === before.length && now.every((weight, i) => weight === before[i]), {
      where: 'trainClassifier',
      expected: 'the layers that learn to stay the same for as long as a training lasts',
      received: `${now.length} trainable weights in place of ${before.length}`,
      remedy: 'Let the training end, freeze or unfreeze layers, and call trainClassifier again.',
    });
  };
}

/** Writes checkpoints, between updates only. */
function saver(course: TrainingCourse, { model, weights }: RunCourseOptions, checkLearning: () => void) {
  const { checkpoint } = course.settings;
  let isDue = false;
  const now = async () => {
    isDue = false;
    if (!checkpoint || course.pending) return;
    checkLearning();
    await saveCheckpoint(checkpoint, course, model, weights);
  };
  return {
    now,
    due() {
      isDue = true;
    },
    ifDue: async () => {
      if (isDue && !course.pending) await now();
    },
  };
}

/** Validates, remembers, and decides whether there is another epoch. */
async function endEpoch(
  course: TrainingCourse,
  weights: readonly LayerVariable[],
): Promise<{ record: TrainingEpoch; evaluation: ClassifierEvaluation | undefined }> {
  const { state, settings } = course;
  const evaluation = await validate(course);
  const { sums } = state;
  const record: TrainingEpoch = {
    epoch: state.epoch,
    loss: sums.loss / sums.images,
    accuracy: sums.correct / sums.images,
    valLoss: evaluation?.loss,
    valAccuracy: evaluation?.accuracy,
    learningRate: sums.learningRate,
    imagesPerSecond: sums.images / sums.seconds,
    seconds: sums.seconds,
  };
  state.history.push(record);
  Object.assign(state, judgeEpochs(state.history, settings));
  if (settings.restoreBest && state.bestEpoch === state.epoch) course.bestWeights = await readWeights(weights);
  Object.assign(state, { epoch: state.epoch + 1, batch: 0, sums: noSums() });
  state.finished = isOver(course);
  return { record, evaluation };
}

/** What the training is for: the weights, or their average where one is kept. */
const whichOf = ({ settings }: TrainingCourse): WhichWeights =>
  settings.emaDecay === undefined ? 'current' : 'average';

async function validate(course: TrainingCourse) {
  const { trainer, validation, settings, outputKind, onFeatures } = course;
  if (!validation) return undefined;
  const { batchSize, signal } = settings;
  const which = whichOf(course);
  return evaluatePredictions((batch) => trainer.predict(batch, which), validation, {
    where: 'trainClassifier, validation',
    onFeatures,
    batchSize,
    outputKind,
    signal,
  });
}

/** The model gets what the training was for: the best weights, the averaged ones, or the last. */
async function finish(course: TrainingCourse, weights: readonly LayerVariable[]): Promise<void> {
  await course.trainer.updateModel(whichOf(course));
  for (const [i, values] of course.bestWeights?.entries() ?? []) writeWeight(weights[i]!, values);
}

/** What was learned so far is the user's; a trainer that died has nothing more to give. */
async function giveUp(course: TrainingCourse, error: unknown): Promise<void> {
  await course.trainer.updateModel(hasDiverged(error) ? 'current' : whichOf(course)).catch(() => {});
}

const hasDiverged = (error: unknown) => error instanceof MobilenetError && error.code === 'non-finite';
