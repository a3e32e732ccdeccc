import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, expect, test } from 'vitest';
import {
  mobilenetV1,
  type OptimizerName,
  syntheticCifar10,
  type TrainClassifierOptions,
  toTfDataset,
  trainClassifier,
} from '../../src/index';
import { largestDifference, tinyModel, train, validation, weightsOf } from './models';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

const optimizers = {
  sgd: () => tf.train.sgd(0.01),
  momentum: () => tf.train.momentum(0.01, 0.9, true),
  adam: () => tf.train.adam(0.001, 0.9, 0.999, 1e-7),
  rmsprop: () => tf.train.rmsprop(0.001, 0.9, 0, 1e-7),
};
for (const [name, create] of Object.entries(optimizers)) {
  test(`${name}: losses and weights agree with model.fit within 1e-5 over three epochs`, async () => {
    const [ours, theirs] = [tinyModel(), tinyModel()];
    const { history } = await trainClassifier(ours, train, {
      epochs: 3,
      batchSize: 16,
      shuffle: false,
      optimizer: name as OptimizerName,
      validation,
    });
    theirs.compile({ optimizer: create(), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const fitted = await theirs.fitDataset(toTfDataset(train, { batchSize: 16 }) as never, {
      epochs: 3,
      verbose: 0,
      validationData: toTfDataset(validation, { batchSize: 16 }) as never,
    });
    history.forEach(({ loss, accuracy, valLoss, valAccuracy }, i) => {
      const expected = ['loss', 'acc', 'val_loss', 'val_acc'].map((key) => Number(fitted.history[key]![i]));
      [loss, accuracy, valLoss!, valAccuracy!].forEach((value, j) => {
        expect(Math.abs(value - expected[j]!)).toBeLessThan(1e-5);
      });
    });
    expect(largestDifference(weightsOf(ours), weightsOf(theirs))).toBeLessThan(1e-5);
  });
}

test('logits train as probabilities do: losses and weights within 1e-5', async () => {
  const [probabilities, logits] = [tinyModel(), tinyModel({ activation: 'linear' })];
  const options: TrainClassifierOptions = { epochs: 2, shuffle: false, batchSize: 16, validation };
  const a = await trainClassifier(probabilities, train, options);
  const b = await trainClassifier(logits, train, options);
  expect(Math.abs(a.history[1]!.loss - b.history[1]!.loss)).toBeLessThan(1e-5);
  expect(Math.abs(a.history[1]!.valLoss! - b.history[1]!.valLoss!)).toBeLessThan(1e-5);
  expect(largestDifference(weightsOf(probabilities), weightsOf(logits))).toBeLessThan(1e-5);
});

/** Losses and weights of a training on one backend. */
async function trainOn(backend: string, model: () => tfl.LayersModel, options: TrainClassifierOptions, set = train) {
  await tf.setBackend(backend);
  const made = model();
  const losses: number[] = [];
  await trainClassifier(made, set, { shuffle: false, onBatch: ({ loss }) => void losses.push(loss), ...options });
  return { losses, weights: weightsOf(made) };
}

test('wasm and cpu agree on losses and weights within 1e-5 over twelve steps', async () => {
  const options = { epochs: 3, batchSize: 16 };
  const [cpu, wasm] = [await trainOn('cpu', tinyModel, options), await trainOn('wasm', tinyModel, options)];
  expect(cpu.losses).toHaveLength(12);
  expect(largestDifference([cpu.losses], [wasm.losses])).toBeLessThan(1e-5);
  expect(largestDifference(cpu.weights, wasm.weights)).toBeLessThan(1e-5);
});

test('wasm and cpu agree on the first loss of MobileNetV1 within 1e-5', async () => {
  // The first only: through 27 batch norms one flipped bit of a pixel already changes the gradients by some percent.
  const set = syntheticCifar10({ train: 12, test: 1, seed: 4 }).train;
  const model = () => mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, dropout: 0, seed: 7 });
  const [cpu, wasm] = [await trainOn('cpu', model, {}, set), await trainOn('wasm', model, {}, set)];
  expect(largestDifference([cpu.losses], [wasm.losses])).toBeLessThan(1e-5);
});

test('the penalties of regularizers count, as in model.fit: weights within 1e-5, loss to 1e-5 of itself', async () => {
  const build = () => {
    const input = tfl.input({ shape: [6, 6, 2] });
    const kernelRegularizer = tfl.regularizers.l2({ l2: 0.5 });
    const dense = tfl.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: 'ones', kernelRegularizer });
    return tfl.model({ inputs: input, outputs: dense.apply(tfl.layers.flatten().apply(input)) as tfl.SymbolicTensor });
  };
  const [ours, theirs] = [build(), build()];
  const { history } = await trainClassifier(ours, train, { batchSize: 16, shuffle: false, optimizer: 'sgd' });
  theirs.compile({ optimizer: tf.train.sgd(0.01), loss: 'categoricalCrossentropy' });
  const fitted = await theirs.fitDataset(toTfDataset(train, { batchSize: 16 }) as never, { epochs: 1, verbose: 0 });
  expect(history[0]!.loss / Number(fitted.history.loss![0])).toBeCloseTo(1, 5);
  expect(history[0]!.loss).toBeGreaterThan(10);
  expect(largestDifference(weightsOf(ours), weightsOf(theirs))).toBeLessThan(1e-5);
});
