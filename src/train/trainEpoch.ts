import { batches } from '../data/batches';
import type { ImageBatch, ImageDataset } from '../data/imageDataset';
import { MobilenetError } from '../errors';
import { yieldToEventLoop } from '../platform/eventLoop';
import type { TrainingPosition } from './learningRate';
import type { StepResult, Trainer } from './trainer';
import type { TrainingEpoch, TrainingSettings } from './trainingOptions';

/** A training under way: what stays the same over it, and how far it has come. */
export interface TrainingCourse {
  readonly dataset: ImageDataset;
  readonly settings: TrainingSettings;
  readonly trainer: Trainer;
  /** Steps taken. */
  step: number;
  /** Spent in training, validation aside. */
  seconds: number;
}

/** What training alone can say of an epoch. */
type TrainedEpoch = Pick<TrainingEpoch, 'loss' | 'accuracy' | 'learningRate' | 'imagesPerSecond' | 'seconds'>;

/** Trains over the dataset once, or until the minutes run out. */
export async function trainEpoch(course: TrainingCourse, epoch: number): Promise<TrainedEpoch> {
  const { dataset, settings } = course;
  const { batchSize, shuffle, seed, signal, onBatch } = settings;
  const start = performance.now() - course.seconds * 1000;
  const secondsBefore = course.seconds;
  const batchesInEpoch = Math.ceil(dataset.size / batchSize);
  const sums = { images: 0, loss: 0, correct: 0 };
  let learningRate = Number.NaN;
  let batch = 0;

  for await (const pictures of batches(dataset, { batchSize, shuffle, seed, epoch })) {
    signal?.throwIfAborted();
    const result = await takeStep(course, pictures, { step: course.step, epoch, progress: progressOf(course) });
    const size = pictures.labels.length;
    batch += 1;
    course.step += 1;
    course.seconds = (performance.now() - start) / 1000;
    sums.images += size;
    sums.loss += result.loss * size;
    sums.correct += result.correct;
    learningRate = result.learningRate;
    const progress = progressOf(course);
    await onBatch?.({
      epoch,
      batch,
      batches: batchesInEpoch,
      step: course.step,
      loss: result.loss,
      accuracy: result.correct / size,
      learningRate,
      imagesPerSecond: sums.images / (course.seconds - secondsBefore),
      progress,
      secondsLeft: (course.seconds * (1 - progress)) / progress,
    });
    await yieldToEventLoop();
    if (course.seconds >= settings.maxMinutes * 60) break;
  }

  course.seconds = (performance.now() - start) / 1000;
  const seconds = course.seconds - secondsBefore;
  return {
    loss: sums.loss / sums.images,
    accuracy: sums.correct / sums.images,
    learningRate,
    imagesPerSecond: sums.images / seconds,
    seconds,
  };
}

async function takeStep(course: TrainingCourse, batch: ImageBatch, position: TrainingPosition): Promise<StepResult> {
  const result = await course.trainer.step(batch, position);
  if (!Number.isFinite(result.loss)) await diverged(course, position.epoch, `a loss of ${result.loss}`);
  // At every step: on wasm a ReLU6 turns NaN into a number, so that later losses need not show it.
  if (!(await course.trainer.weightsAreFinite())) await diverged(course, position.epoch, 'a weight that is not finite');
  return result;
}

async function diverged(course: TrainingCourse, epoch: number, what: string): Promise<never> {
  await course.trainer.restoreLastGood();
  throw new MobilenetError(
    'non-finite',
    `trainClassifier: expected finite numbers, received ${what} in epoch ${epoch}, step ${course.step + 1}. ` +
      'The model holds the weights of the last finite loss. Try a smaller learningRate.',
  );
}

/** Of the steps or of the minutes, whichever is further on; the one that is not limited counts as 0. */
function progressOf({ dataset, settings, step, seconds }: TrainingCourse): number {
  const steps = settings.epochs * Math.ceil(dataset.size / settings.batchSize);
  return Math.min(1, Math.max(step / steps, seconds / (settings.maxMinutes * 60)));
}
