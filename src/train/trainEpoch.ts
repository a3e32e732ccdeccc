import { DROPOUT_STREAM } from '../data/streams';
import { MobilenetError } from '../errors';
import { yieldToEventLoop } from '../platform/eventLoop';
import { createRandom } from '../random';
import { learningRateAt } from './learningRate';
import { prepareBatches } from './prepareBatches';
import type { StepResult, StepSettings, TargetBatch } from './trainer';
import { batchesPerEpoch, isOutOfTime, positionOf, progressOf, type TrainingCourse } from './trainingCourse';
import type { TrainingBatch } from './trainingRecords';

/** What goes on between two batches. */
export interface TrainEpochHooks {
  /** Before a batch. */
  ready(): Promise<void>;
  onBatch(batch: TrainingBatch): Promise<void>;
}

/** Trains over what is left of the course's epoch, or until the minutes run out. */
export async function trainEpoch(course: TrainingCourse, hooks: TrainEpochHooks): Promise<void> {
  const { state } = course;
  // One that was interrupted after its last step.
  if (state.batch > 0 && !course.pending && isOutOfTime(course)) return;
  const batches = prepareBatches(course);
  try {
    await hooks.ready();
    let mark = performance.now();
    for await (const batch of batches) {
      const update = endsUpdate(course);
      const result = await takeStep(course, batch, update);
      const now = performance.now();
      count(course, batch.labels.length, result, update, (now - mark) / 1000);
      await hooks.onBatch(batchRecord(course, batch.labels.length, result));
      await yieldToEventLoop();
      const held = performance.now();
      await hooks.ready();
      // What hooks take counts as training, as it holds it up; a pause does not.
      state.seconds += (held - now) / 1000;
      state.sums.seconds += (held - now) / 1000;
      mark = performance.now();
      if (update && isOutOfTime(course)) break;
    }
  } finally {
    await batches.return(undefined);
  }
}

/** Whether the batch at hand completes an update: the last of its group, or of the epoch. */
function endsUpdate(course: TrainingCourse): boolean {
  const batch = course.state.batch + 1;
  return batch % course.settings.accumulateSteps === 0 || batch === batchesPerEpoch(course);
}

async function takeStep(course: TrainingCourse, batch: TargetBatch, update: boolean): Promise<StepResult> {
  const { trainer, state, settings } = course;
  const { learningRate, seed } = settings;
  const result = await trainer.step(batch, {
    learningRate: learningRate === undefined ? undefined : learningRateAt(learningRate, positionOf(course)),
    dropoutSeed: createRandom(seed, DROPOUT_STREAM, state.step).integer(0x1_0000_0000),
    share: batch.labels.length / picturesOfUpdate(course),
    update,
    averageDecay: averageDecay(course),
  });
  if (!Number.isFinite(result.loss)) await diverged(course, `a loss of ${result.loss}`);
  // At every step: on wasm a ReLU6 turns NaN into a number, so that later losses need not show it.
  if (!result.finite) await diverged(course, 'a weight that is not finite');
  return result;
}

/** How many pictures the update is made from that the batch at hand belongs to. */
function picturesOfUpdate({ dataset, settings, state }: TrainingCourse): number {
  const { accumulateSteps, batchSize } = settings;
  const first = Math.floor(state.batch / accumulateSteps) * accumulateSteps * batchSize;
  return Math.min(accumulateSteps * batchSize, dataset.size - first);
}

/** Smaller at first, so that the average does not remember the initial weights for long: as in TensorFlow's. */
function averageDecay({ settings: { emaDecay }, state: { updates } }: TrainingCourse): StepSettings['averageDecay'] {
  return emaDecay === undefined ? undefined : Math.min(emaDecay, (1 + updates) / (10 + updates));
}

function count(course: TrainingCourse, images: number, result: StepResult, update: boolean, seconds: number): void {
  const { state } = course;
  state.batch += 1;
  state.step += 1;
  if (update) state.updates += 1;
  course.pending = !update;
  state.seconds += seconds;
  const { sums } = state;
  sums.seconds += seconds;
  sums.images += images;
  sums.loss += result.loss * images;
  sums.correct += result.correct;
  sums.learningRate = result.learningRate;
}

function batchRecord(course: TrainingCourse, images: number, result: StepResult): TrainingBatch {
  const { epoch, batch, step, sums, seconds } = course.state;
  const progress = progressOf(course);
  return {
    epoch,
    batch,
    batches: batchesPerEpoch(course),
    step,
    loss: result.loss,
    accuracy: result.correct / images,
    learningRate: result.learningRate,
    imagesPerSecond: sums.images / sums.seconds,
    progress,
    secondsLeft: (seconds * (1 - progress)) / progress,
  };
}

async function diverged({ trainer, state }: TrainingCourse, what: string): Promise<never> {
  await trainer.restoreLastGood();
  throw new MobilenetError(
    'non-finite',
    `trainClassifier: expected finite numbers, received ${what} in epoch ${state.epoch}, step ${state.step + 1}. ` +
      'The model holds the weights of the last finite loss. Try a smaller learningRate.',
  );
}
