import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { augmentBatch } from '../../src/data/augment';
import { batches } from '../../src/data/batches';
import type { ImageDataset } from '../../src/data/imageDataset';
import { mixBatch } from '../../src/data/mixImages';
import { lossTargets } from '../../src/train/lossTargets';
import { prepareBatches } from '../../src/train/prepareBatches';
import { prepareTrainingData } from '../../src/train/prepareTrainingData';
import { newCourseState, type TrainingCourse } from '../../src/train/trainingCourse';
import type { TrainClassifierOptions } from '../../src/train/trainingOptions';
import { resolveTrainingSettings } from '../../src/train/trainingSettings';
import { train } from './models';

beforeAll(async () => {
  await setBackend('cpu');
});

/** For pictures of any size. */
function openModel() {
  const model = tf.sequential();
  model.add(tf.layers.conv2d({ inputShape: [null, null, 2], filters: 4, kernelSize: 3 }));
  model.add(tf.layers.globalAveragePooling2d({}));
  model.add(tf.layers.dense({ units: 3, activation: 'softmax' }));
  return model;
}

/** A training of 50 pictures, in batches of 16, that has come to this place. */
async function courseAt(
  { epoch = 1, step = 0 },
  given: TrainClassifierOptions,
  dataset: ImageDataset = train,
): Promise<TrainingCourse> {
  const model = openModel();
  const options = { epochs: 2, batchSize: 16, seed: 5, ...given };
  const data = await prepareTrainingData(model, dataset, options);
  const settings = resolveTrainingSettings(model, dataset, options, data);
  model.dispose();
  return { dataset, settings, state: { ...newCourseState(), epoch, step } } as TrainingCourse;
}

describe('the batches of an epoch', () => {
  test.each([1, 2])('%i: order, changes and mixing go by the seed, the epoch and the step', async (epoch) => {
    const augment = { crop: { padding: 1 }, flip: 'random' } as const;
    const course = await courseAt({ epoch, step: 4 * (epoch - 1) }, { augment, mixup: 0.4 });
    let step = 4 * (epoch - 1);
    const prepared = prepareBatches(course);
    for await (const batch of batches(train, { batchSize: 16, shuffle: true, seed: 5, epoch })) {
      const changed = augmentBatch(batch, augment, { seed: 5, epoch });
      const mixed = mixBatch(changed, lossTargets(changed, course.settings.targets), { mixup: 0.4, seed: 5, step });
      const { value } = await prepared.next();
      expect(value).toEqual({ ...mixed.batch, targets: mixed.targets });
      step++;
    }
    expect((await prepared.next()).done).toBe(true);
  });

  test('are smaller until their share of the training is over, height and width each by its own', async () => {
    const wide = { ...train, height: 4, width: 9, images: undefined };
    const pictureScales = [{ until: 0.5, scale: 0.5 }];
    const course = await courseAt({}, { epochs: 1, pictureScales }, wide);
    const sizes: number[][] = [];
    for await (const { height, width } of prepareBatches(course)) {
      sizes.push([height, width]);
      course.state.step++;
    }
    expect(sizes).toEqual([
      [2, 5],
      [2, 5],
      [4, 9],
      [4, 9],
    ]);
  });
});

test('who stops in an epoch waits for the read that is under way, and does not hear of its failure', async () => {
  let open = 0;
  const slow: ImageDataset = {
    ...train,
    async read(indices) {
      open++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      open--;
      if (indices[0] !== 0) throw new Error('gone');
      return train.read(indices);
    },
  };
  const prepared = prepareBatches(await courseAt({}, { shuffle: false }, slow));
  await prepared.next();
  expect(open).toBe(1);
  await prepared.return(undefined);
  expect(open).toBe(0);
});
