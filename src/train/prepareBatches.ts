import { augmentBatch } from '../data/augment';
import { batches } from '../data/batches';
import type { ImageBatch } from '../data/imageDataset';
import { checkBytes, checkLabels } from '../data/imageDataset';
import { mixBatch } from '../data/mixImages';
import { resizeBatch } from '../data/resizeBatch';
import { lossTargets } from './lossTargets';
import type { TargetBatch } from './trainer';
import { progressOf, type TrainingCourse } from './trainingCourse';

type Batch = ImageBatch<Uint8Array | Float32Array>;

/**
 * The batches that are left of the course's epoch, ready for a step: read, augmented, mixed, resized.
 *
 * Reading and augmenting of the next batch begin before the one at hand is done, so that files are decoded meanwhile.
 */
export async function* prepareBatches(course: TrainingCourse): AsyncGenerator<TargetBatch, void, undefined> {
  const { dataset, settings, state } = course;
  const { batchSize, shuffle, seed } = settings;
  const { epoch, batch: firstBatch } = state;
  const source = batches(dataset, { batchSize, shuffle, seed, epoch, firstBatch });
  let step = state.step;
  const read = () => {
    const reading = source.next().then(({ done, value }) => (done ? undefined : augmented(course, value, step++)));
    // Whoever asks for it learns why it failed; it may be that nobody does.
    reading.catch(() => {});
    return reading;
  };
  let next = read();
  try {
    for (let batch = await next; batch; batch = await next) {
      const sized = resized(course, batch);
      next = read();
      yield sized;
    }
  } finally {
    // Whoever stops in an epoch may close what is read from, or read other pictures of it.
    await next.catch(() => {});
  }
}

function augmented({ settings, state, onFeatures }: TrainingCourse, batch: Batch, step: number): TargetBatch {
  const { augment, mixup, cutmix, seed, targets } = settings;
  if (!onFeatures) checkBytes('trainClassifier', batch.images);
  // The kernels trust what they are given.
  checkLabels('trainClassifier', batch.labels, batch.classes, batch.indices);
  const changed = augment ? augmentBatch(bytesOf(batch), augment, { seed, epoch: state.epoch }) : batch;
  const wanted = lossTargets(changed, targets);
  if (mixup === undefined && cutmix === undefined) return { ...changed, targets: wanted };
  const { batch: mixed, targets: mixedTargets } = mixBatch(bytesOf(changed), wanted, { mixup, cutmix, seed, step });
  return { ...mixed, targets: mixedTargets };
}

/** Options refuse to change pictures that were turned into features. */
const bytesOf = (batch: Batch) => batch as ImageBatch;

/** The size that the schedule of sizes asks for now. */
function resized(course: TrainingCourse, batch: TargetBatch): TargetBatch {
  const { pictureSizes } = course.settings;
  const progress = progressOf(course);
  const now = pictureSizes.find(({ until }) => progress < until);
  if (now === undefined) return batch;
  return { ...batch, ...resizeBatch(bytesOf(batch), now) };
}
