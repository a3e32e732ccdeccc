import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, expect, test } from 'vitest';
import { type TrainClassifierOptions, trainClassifier } from '../../src/index';
import { poison, tensors, tinyModel, train, validation } from './models';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

/** A compiled model with a frozen batch norm and dropout, and what must not change of it. */
function watched() {
  const model = tinyModel({ dropout: 0.5, activation: 'linear' });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['mse'] });
  model.layers[1]!.trainable = false;
  const dropout = model.layers[3] as tfl.layers.Layer & { seed?: number };
  const state = () => ({
    optimizer: model.optimizer,
    loss: model.loss,
    metrics: model.metrics,
    trainable: model.layers.map((layer) => layer.trainable),
    hasOwnCall: model.layers.map((layer) => Object.hasOwn(layer, 'call')),
    seed: dropout.seed,
  });
  return { model, state };
}

const endings: Record<string, (model: tfl.LayersModel) => TrainClassifierOptions> = {
  success: () => ({}),
  'a hook that throws': () => ({
    onBatch: () => {
      throw new Error('from the hook');
    },
  }),
  'an abort': () => ({ signal: AbortSignal.abort(new Error('stop')) }),
  divergence: (model) => {
    poison(model);
    return {};
  },
  'a layer that throws': (model) => {
    model.layers[4]!.call = () => {
      throw new Error('from the layer');
    };
    return {};
  },
  'a dataset that cannot be read': () => ({ validation: { ...validation, read: () => Promise.reject(new Error()) } }),
  'a rate that is none': () => ({ learningRate: ({ step }) => (step === 2 ? Number.NaN : 0.01) }),
};
const places = [
  { backend: 'cpu', engine: 'tfjs' },
  { backend: 'wasm', engine: 'tfjs' },
  { backend: 'cpu', engine: 'auto' },
] as const;
for (const { backend, engine } of places) {
  for (const [name, options] of Object.entries(endings)) {
    test(`after ${name} on ${backend}, engine '${engine}': compile state, flags, layers, and the number of tensors`, async () => {
      await tf.setBackend(backend);
      const { model, state } = watched();
      // The first training lets tfjs make what it keeps for good.
      await trainClassifier(tinyModel(), train);
      const settings = { batchSize: 16, validation, engine, ...options(model) };
      const before = state();
      const count = tensors();
      const outcome = trainClassifier(model, train, settings);
      if (name === 'success') await outcome;
      else await expect(outcome).rejects.toThrow();
      expect(state()).toEqual(before);
      expect(tensors()).toBe(count);
    });
  }
}

test("an optimizer of the caller's own is neither disposed nor changed", async () => {
  const model = tinyModel();
  const optimizer = tf.train.momentum(0.05, 0.9);
  const { history } = await trainClassifier(model, train, { optimizer, epochs: 2 });
  expect(history[0]!.learningRate).toBe(0.05);
  const other = await trainClassifier(model, train, { optimizer, learningRate: 0.01 });
  expect(other.history[0]!.learningRate).toBe(0.01);
  expect(optimizer).toMatchObject({ learningRate: 0.05 });
  optimizer.dispose();
});

test('an aborted training rejects with the reason, between two steps, and the model can go on', async () => {
  const model = tinyModel();
  const stop = new AbortController();
  const steps: number[] = [];
  const outcome = trainClassifier(model, train, {
    epochs: 5,
    batchSize: 10,
    signal: stop.signal,
    onBatch: ({ step }) => {
      steps.push(step);
      if (step === 7) stop.abort();
    },
  });
  await expect(outcome).rejects.toMatchObject({ name: 'AbortError' });
  expect(steps.at(-1)).toBe(7);
  await trainClassifier(model, train);
});

test("saved models hold tfjs's own layer classes only", async () => {
  const { model } = watched();
  await trainClassifier(model, train);
  const copy = await tfl.models.modelFromJSON({ modelTopology: model.toJSON(null, false) as never });
  expect(copy.layers.map((layer) => layer.getClassName())).toEqual(model.layers.map((layer) => layer.getClassName()));
});

for (const optimizer of ['sgd', 'momentum', 'adam', 'adamw', 'rmsprop'] as const) {
  test(`${optimizer} leaves no tensor, with a rate that changes`, async () => {
    const model = tinyModel();
    const count = tensors();
    const learningRate = ({ progress }: { progress: number }) => 0.01 * (1 - progress);
    await trainClassifier(model, train, { optimizer, learningRate, batchSize: 16, engine: 'tfjs' });
    expect(tensors()).toBe(count);
  });
}

test('a signal that has fired rejects with its own reason, also in the middle of the validation', async () => {
  const reason = { any: 'thing' };
  await expect(trainClassifier(tinyModel(), train, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const stop = new AbortController();
  const slow = {
    ...validation,
    read: (indices: ArrayLike<number>) => {
      stop.abort(reason);
      return validation.read(indices);
    },
  };
  await expect(trainClassifier(tinyModel(), train, { validation: slow, signal: stop.signal })).rejects.toBe(reason);
});

test('a frozen layer that the model reaches twice, and one with a call of its own', async () => {
  const backbone = tinyModel({ activation: 'linear' });
  const [convolution, norm] = backbone.layers as [tfl.layers.Layer, tfl.layers.Layer];
  norm.trainable = false;
  const input = tfl.input({ shape: [6, 6, 2] });
  const again = tfl.layers.flatten().apply(norm.apply(convolution.apply(input)));
  const both = tfl.layers.concatenate().apply([backbone.apply(input), again] as tfl.SymbolicTensor[]);
  const output = tfl.layers.dense({ units: 3, activation: 'softmax' }).apply(both) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: output });
  await trainClassifier(model, train);
  expect(Object.hasOwn(norm, 'call')).toBe(false);

  const call = norm.call.bind(norm);
  norm.call = call;
  await trainClassifier(model, train);
  expect(norm.call).toBe(call);
});
