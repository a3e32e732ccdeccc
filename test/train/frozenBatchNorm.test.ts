import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import { toTfDataset, trainClassifier } from '../../src/index';
import { freeze } from '../../src/model/freeze';
import { largestDifference, tensors, tinyModel, train, weightsOf } from './models';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

const averages = (model: tfl.LayersModel) =>
  model.weights.filter(({ name }) => name.includes('moving_')).map((weight) => Array.from(weight.read().dataSync()));

test('keeps its moving averages bit by bit, where plain model.fit lets them drift', async () => {
  const model = tinyModel();
  model.layers[1]!.trainable = false;
  const before = averages(model);
  await trainClassifier(model, train, { epochs: 2 });
  expect(averages(model)).toEqual(before);

  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  await model.fitDataset(toTfDataset(train) as never, { epochs: 1, verbose: 0 });
  expect(averages(model)).not.toEqual(before);
});

test('normalises with the moving averages: the first loss is that of inference', async () => {
  const model = tinyModel();
  model.layers[1]!.trainable = false;
  const { history } = await trainClassifier(model, train, { batchSize: 50, learningRate: 0, validation: train });
  expect(history[0]!.loss).toBeCloseTo(history[0]!.valLoss!, 6);
});

test('inside a frozen nested model too, while the layers behind it learn', async () => {
  const backbone = tinyModel({ activation: 'linear' });
  const model = tfl.sequential({ layers: [backbone, tfl.layers.dense({ units: 3, activation: 'softmax' })] });
  backbone.trainable = false;
  const before = weightsOf(backbone);
  const head = model.layers[1]!.getWeights()[0]!.dataSync();
  await trainClassifier(model, train);
  expect(weightsOf(backbone)).toEqual(before);
  expect(model.layers[1]!.getWeights()[0]!.dataSync()).not.toEqual(head);
});

test.each(['tfjs', 'fused'] as const)('%s: behind a dropout in a frozen nested model, too', async (engine) => {
  const backbone = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [6, 6, 2], filters: 4, kernelSize: 3 }),
      tfl.layers.dropout({ rate: 0.2 }),
      tfl.layers.batchNormalization(),
      tfl.layers.flatten(),
    ],
  });
  const model = tfl.sequential({ layers: [backbone, tfl.layers.dense({ units: 3, activation: 'softmax' })] });
  backbone.trainable = false;
  const before = weightsOf(backbone);
  const { cachedUpTo } = await trainClassifier(model, train, { engine, seed: 1 });
  expect(weightsOf(backbone)).toEqual(before);
  expect(cachedUpTo).toBeUndefined();
});

test('of two, one frozen: only the other moves', async () => {
  const model = tfl.sequential({
    layers: [
      tfl.layers.batchNormalization({ inputShape: [6, 6, 2], trainable: false }),
      tfl.layers.conv2d({ filters: 4, kernelSize: 3 }),
      tfl.layers.batchNormalization(),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
  const valuesOf = (layer: number) => model.layers[layer]!.getWeights().map((weight) => Array.from(weight.dataSync()));
  const before = [valuesOf(0), valuesOf(2)];
  await trainClassifier(model, train);
  expect(valuesOf(0)).toEqual(before[0]);
  // gamma, beta, moving mean, moving variance
  valuesOf(2).forEach((values, i) => {
    expect(values).not.toEqual(before[1]![i]);
  });
});

describe.each(['tfjs', 'fused'] as const)('after freeze, in the engine %s', (engine) => {
  test('of all but the head: only the head moves', async () => {
    const model = tinyModel();
    freeze(model);
    const before = weightsOf(model);
    await trainClassifier(model, train, { engine, epochs: 2 });
    const moved = weightsOf(model).map((values, i) => values.some((value, j) => value !== before[i]![j]));
    expect(moved).toEqual([false, false, false, false, false, true, true]);
  });

  test('of batch norm only: it normalises with its averages, and what stands before it moves', async () => {
    const model = tinyModel();
    const norm = model.layers[1]!.name;
    freeze(model, { from: norm, until: norm });
    const before = weightsOf(model);
    await trainClassifier(model, train, { engine, epochs: 2 });
    const moved = weightsOf(model).map((values, i) => values.some((value, j) => value !== before[i]![j]));
    // kernel; gamma, beta, moving mean and variance; the head's kernel and bias
    expect(moved).toEqual([true, false, false, false, false, true, true]);
  });
});

describe.each([{ scale: false }, { center: false }, { scale: false, center: false }])(
  'a batch norm with %o',
  (parts) => {
    test.each([true, false])(
      'trainable: %s, trains through tfjs as in the engine, weights within 1e-5',
      async (trainable) => {
        const kernelInitializer = (seed: number) => tfl.initializers.glorotUniform({ seed });
        const build = () =>
          tfl.sequential({
            layers: [
              tfl.layers.conv2d({
                inputShape: [6, 6, 2],
                filters: 4,
                kernelSize: 3,
                kernelInitializer: kernelInitializer(1),
              }),
              tfl.layers.batchNormalization({ ...parts, trainable }),
              tfl.layers.reLU(),
              tfl.layers.flatten(),
              tfl.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: kernelInitializer(2) }),
            ],
          });
        const [fused, plain] = [build(), build()];
        const config = plain.layers[1]!.getConfig();
        const options = { epochs: 2, batchSize: 16, seed: 1, optimizer: 'momentum' as const, learningRate: 0.05 };
        await trainClassifier(fused, train, { ...options, engine: 'fused' });
        const count = tensors();
        await trainClassifier(plain, train, { ...options, engine: 'tfjs', validation: train });
        expect(tensors()).toBe(count);
        expect(largestDifference(weightsOf(plain), weightsOf(fused))).toBeLessThan(1e-5);
        expect(plain.layers[1]!.getConfig()).toEqual(config);
      },
    );
  },
);
