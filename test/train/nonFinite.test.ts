import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { beforeEach, expect, test } from 'vitest';
import { mobilenetV1, syntheticCifar10, takeDataset, trainClassifier } from '../../src/index';
import { poison, tinyModel, train, weightsOf } from './models';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

test('ends with an error that names epoch and step; the weights are those of the last finite loss', async () => {
  const model = tinyModel();
  const before: number[][][] = [];
  const outcome = trainClassifier(model, train, {
    epochs: 3,
    batchSize: 10,
    // In the engine the model's own weights are not those in training.
    engine: 'tfjs',
    learningRate: ({ step }) => {
      before[step] = weightsOf(model);
      return 0.01;
    },
    onBatch: ({ step }) => {
      if (step === 7) poison(model);
    },
  });
  await expect(outcome).rejects.toMatchObject({ code: 'non-finite' });
  await expect(outcome).rejects.toThrow('a loss of NaN in epoch 2, step 8');
  // The loss of step 7, whose place in the list is 6, was the last finite one.
  expect(weightsOf(model)).toEqual(before[6]);
});

test('in the engine too: the weights are those of the last finite loss', async () => {
  const options = { batchSize: 10, optimizer: 'sgd', shuffle: false, engine: 'fused' } as const;
  const [broken, good] = [tinyModel(), tinyModel()];
  // The update of step 4 overflows, and it is told at once.
  const outcome = trainClassifier(broken, train, {
    ...options,
    learningRate: ({ step }) => (step < 3 ? 0.01 : 1e40),
  });
  await expect(outcome).rejects.toMatchObject({ code: 'non-finite' });
  await expect(outcome).rejects.toThrow('a weight that is not finite in epoch 1, step 4');
  await trainClassifier(good, takeDataset(train, 30), { ...options, learningRate: 0.01 });
  expect(weightsOf(broken)).toEqual(weightsOf(good));
});

test.each(['fused', 'tfjs'] as const)('%s: those, and not their average, where one is kept', async (engine) => {
  const options = { batchSize: 10, optimizer: 'sgd', shuffle: false, engine } as const;
  const [broken, good] = [tinyModel(), tinyModel()];
  const outcome = trainClassifier(broken, train, {
    ...options,
    emaDecay: 0.9,
    learningRate: ({ step }) => (step < 3 ? 0.01 : 1e40),
  });
  await expect(outcome).rejects.toMatchObject({ code: 'non-finite' });
  await trainClassifier(good, takeDataset(train, 30), { ...options, learningRate: 0.01 });
  expect(weightsOf(broken)).toEqual(weightsOf(good));
});

test('in the very first step leaves the moving averages alone', async () => {
  const model = tinyModel();
  poison(model);
  const before = weightsOf(model);
  await expect(trainClassifier(model, train)).rejects.toThrow('epoch 1, step 1');
  expect(weightsOf(model)).toEqual(before);
});

test('in the last step, where only a weight shows it', async () => {
  const model = tinyModel();
  const before = weightsOf(model);
  // The largest float times a gradient above 1 overflows.
  const outcome = trainClassifier(model, train, { batchSize: 50, optimizer: 'sgd', learningRate: 1e40 });
  await expect(outcome).rejects.toThrow(/a weight that is not finite in epoch 1, step 1/);
  expect(weightsOf(model)[0]).toEqual(before[0]);
});

test.each(['fused', 'tfjs'] as const)('%s: moving statistics that overflow, where no weight does', async (engine) => {
  const model = tinyModel();
  const [kernel] = model.layers[0]!.getWeights();
  // What it gives is finite, and its square is not.
  model.layers[0]!.setWeights([tf.mul(kernel!, 1e20)]);
  const before = weightsOf(model);
  const outcome = trainClassifier(model, train, { engine, batchSize: 50, optimizer: 'sgd', learningRate: 0 });
  await expect(outcome).rejects.toMatchObject({ code: 'non-finite' });
  expect(weightsOf(model)).toEqual(before);
});

for (const backend of ['cpu', 'wasm']) {
  for (const activation of ['softmax', 'linear'] as const) {
    test(`a NaN behind ${activation} on ${backend} is seen at once, though wasm's clip turns it into a number`, async () => {
      await tf.setBackend(backend);
      const model = tinyModel({ activation });
      poison(model);
      await expect(trainClassifier(model, train)).rejects.toThrow('a loss of NaN in epoch 1, step 1');
    });
  }
}

test("a NaN before a ReLU6, which wasm turns into a number, is seen in the weights' first step (seed 1)", async () => {
  await tf.setBackend('wasm');
  const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, seed: 1 });
  const before: number[][][] = [];
  const { train: pictures } = syntheticCifar10({ train: 40, test: 1, seed: 1 });
  const outcome = trainClassifier(model, pictures, {
    epochs: 3,
    batchSize: 10,
    optimizer: 'sgd',
    seed: 1,
    learningRate: ({ step }) => {
      before[step] = weightsOf(model);
      return 1e25;
    },
  });
  await expect(outcome).rejects.toMatchObject({ code: 'non-finite' });
  await expect(outcome).rejects.toThrow(`epoch 1, step ${before.length}.`);
  expect(weightsOf(model)).toEqual(before.at(-1));
  expect(weightsOf(model).flat().every(Number.isFinite)).toBe(true);
});
