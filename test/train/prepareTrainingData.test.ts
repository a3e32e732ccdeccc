import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { inMemoryDataset, trainClassifier } from '../../src/index';
import { prepareTrainingData } from '../../src/train/prepareTrainingData';
import { tinyModel, train } from './models';

beforeAll(async () => {
  await setBackend('cpu');
});

const upTo = (size: number) => Array.from({ length: size }, (_, i) => i);

test('sample weights stay with their pictures where some are held back', async () => {
  const sampleWeights = upTo(train.size);
  const { dataset, targets } = await prepareTrainingData(tinyModel(), train, {
    ...{ validationSplit: 0.3, seed: 1, sampleWeights },
  });
  expect(dataset.size).toBe(35);
  const { images } = await dataset.read(upTo(35));
  expect(images).toEqual(train.read(targets.sampleWeights!).images);
});

test.each([1, 2, 3])('of each class as large a part is held back (seed %i)', async (seed) => {
  const labels = Array.from({ length: 68 }, (_, i) => (i < 40 ? 0 : i < 60 ? 1 : 2));
  const images = new Uint8Array(68 * 72);
  const lopsided = inMemoryDataset({ images, labels, height: 6, width: 6, channels: 2, classNames: train.classNames });
  const { validation } = await prepareTrainingData(tinyModel(), lopsided, { validationSplit: 0.25, seed });
  const held = Array.from((await validation!.read(upTo(17))).labels);
  expect([0, 1, 2].map((label) => held.filter((one) => one === label).length)).toEqual([10, 5, 2]);
});

test('balanced classes are those of the pictures that are trained on', async () => {
  const labels = Array.from({ length: 42 }, (_, i) => (i < 20 ? 0 : i < 40 ? 1 : 2));
  const images = new Uint8Array(42 * 72);
  const rare = inMemoryDataset({ images, labels, height: 6, width: 6, channels: 2, classNames: train.classNames });
  const { dataset, targets } = await prepareTrainingData(tinyModel(), rare, {
    ...{ validationSplit: 0.1, classWeights: 'balanced', seed: 1 },
  });
  const trained = Array.from((await dataset.read(upTo(dataset.size))).labels);
  const counts = [0, 1, 2].map((label) => trained.filter((one) => one === label).length);
  expect(counts).toEqual([19, 18, 1]);
  expect(targets.classWeights!.map((weight, k) => weight * counts[k]!)).toEqual(
    Array(3).fill(expect.closeTo(38 / 3, 9)),
  );
});

test('which pictures are held back goes by the seed', async () => {
  const heldBy = async (seed: number) => {
    const { validation } = await prepareTrainingData(tinyModel(), train, { validationSplit: 0.3, seed });
    return (await validation!.read(upTo(15))).images;
  };
  expect(await heldBy(1)).toEqual(await heldBy(1));
  expect(await heldBy(1)).not.toEqual(await heldBy(2));
});

test('a split is a validation set: it can be monitored', async () => {
  const model = tinyModel();
  const { history, bestEpoch } = await trainClassifier(model, train, {
    ...{ validationSplit: 0.3, seed: 1, batchSize: 16, monitor: 'valAccuracy' },
  });
  expect(history[0]!.valAccuracy).toBeGreaterThanOrEqual(0);
  expect(bestEpoch).toBe(1);
  model.dispose();
});
