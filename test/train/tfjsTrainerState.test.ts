import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { expect, test } from 'vitest';
import type { OptimizerSettings } from '../../src/engine/optimizer';
import { registerWasmTrainingKernels } from '../../src/kernels/registerWasmTrainingKernels';
import { createTfjsTrainer, type TfjsTrainerOptions } from '../../src/train/tfjsTrainer';
import type { Trainer, TrainerState } from '../../src/train/trainer';
import { tensors, tinyModel, weightsOf } from './models';
import { batchOf, range, step } from './trainers';

const optimizers: OptimizerSettings[] = [
  { kind: 'sgd', weightDecay: 0.1 },
  { kind: 'momentum', momentum: 0.9, nesterov: true, weightDecay: 0.1 },
  { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.1 },
  { kind: 'rmsprop', decay: 0.9, momentum: 0.9, epsilon: 1e-3, weightDecay: 0.1 },
];
const ADAM = optimizers[2]!;

function trainerOf(seed: number, changes: Partial<TfjsTrainerOptions> = {}) {
  const model = tinyModel({ dropout: 0.5, seed });
  const options = { optimizer: ADAM, outputKind: 'probabilities', inputRange: [0, 1], average: true } as const;
  return { model, trainer: createTfjsTrainer(model, { ...options, ...changes }) };
}

async function train(trainer: Trainer, first: number, count: number) {
  for (const i of range(first, count)) {
    const shared = { dropoutSeed: i, learningRate: 0.02, averageDecay: 0.9, share: 0.5 };
    await trainer.step(batchOf(range(6 * i, 3)), step({ ...shared, update: false }));
    await trainer.step(batchOf(range(6 * i + 3, 3)), step(shared));
  }
}

for (const backend of ['cpu', 'wasm']) {
  for (const optimizer of optimizers) {
    test(`${optimizer.kind} on ${backend}: another trainer that is given the state goes on with the same bits`, async () => {
      await tf.setBackend(backend);
      if (backend === 'wasm') await registerWasmTrainingKernels();
      const [one, other] = [trainerOf(1, { optimizer, clipNorm: 0.5 }), trainerOf(2, { optimizer, clipNorm: 0.5 })];
      await train(one.trainer, 0, 3);
      const state = await one.trainer.readState();
      const copy = structuredClone(state);
      await train(other.trainer, 4, 1);
      await other.trainer.step(batchOf([0, 1]), step({ update: false }));
      await other.trainer.writeState(state);
      expect(await other.trainer.readState()).toEqual(copy);

      await train(one.trainer, 3, 3);
      await train(other.trainer, 3, 3);
      const [expected, received] = [await one.trainer.readState(), await other.trainer.readState()];
      expect(received).toEqual(expected);
      expect(expected.updates).toBe(6);
      // What was read before is a copy.
      expect(state).toEqual(copy);
      expect(expected.weights).not.toEqual(copy.weights);
      await one.trainer.dispose();
      await other.trainer.dispose();
    });
  }
}

test('is in the order of model.weights, with nothing for weights that are not trained', async () => {
  await tf.setBackend('cpu');
  const model = tinyModel();
  model.layers[0]!.trainable = false;
  const options = { optimizer: ADAM, outputKind: 'probabilities', inputRange: [0, 1] } as const;
  const trainer = createTfjsTrainer(model, options);
  await trainer.step(batchOf(range(0, 8)), step());
  const { weights, slots, average } = await trainer.readState();
  expect(average).toBeUndefined();
  expect(weights).toEqual(model.weights.map((weight) => weight.read().dataSync()));
  const trained = model.weights.map((weight) => model.trainableWeights.includes(weight));
  expect(trained.filter(Boolean)).toHaveLength(4);
  for (const name of ['m', 'v']) {
    expect(slots[name]!.map((slot) => slot?.length)).toEqual(
      weights.map((values, i) => (trained[i] ? values.length : undefined)),
    );
  }
  await trainer.dispose();
});

test('one that does not fit is refused, and nothing has changed', async () => {
  await tf.setBackend('cpu');
  const { model, trainer } = trainerOf(1);
  await train(trainer, 0, 1);
  const state = await trainer.readState();
  const before = weightsOf(model);
  const [first, ...rest] = state.weights.map((values) => values.map((value) => value + 1));
  const { m, v } = state.slots as { m: (typeof state.slots)[string]; v: (typeof state.slots)[string] };
  const wrong: [TrainerState, string][] = [
    [{ ...state, weights: rest }, 'weights'],
    [{ ...state, weights: [first!.subarray(1), ...rest] }, 'weights'],
    [{ ...state, weights: [first!, ...rest], slots: { velocity: m } }, "slot 'm'"],
    [{ ...state, weights: [first!, ...rest], slots: { m, v: [...v].reverse() } }, "slot 'v'"],
    [{ ...state, weights: [first!, ...rest], average: rest }, 'average'],
  ];
  const count = tensors();
  for (const [refused, what] of wrong) {
    await expect(trainer.writeState(refused)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(trainer.writeState(refused)).rejects.toThrow(`a state whose ${what} are`);
  }
  expect(weightsOf(model)).toEqual(before);
  expect(await trainer.readState()).toEqual(state);
  expect(tensors()).toBe(count);
  await trainer.dispose();
});

test('an average that the state does not have begins as a copy of its weights', async () => {
  await tf.setBackend('cpu');
  const { trainer } = trainerOf(1);
  await train(trainer, 0, 2);
  const state = await trainer.readState();
  expect(state.average).not.toEqual(state.weights);
  await trainer.writeState({ ...state, average: undefined });
  expect(await trainer.readState()).toEqual({ ...state, average: state.weights });
  await trainer.dispose();
});

test('reading and writing copy the numbers, and leave no tensor', async () => {
  await tf.setBackend('cpu');
  const { trainer } = trainerOf(1);
  await train(trainer, 0, 1);
  await trainer.writeState(await trainer.readState());
  const count = tensors();
  await train(trainer, 1, 1);
  const overwrite = ({ weights, slots, average }: TrainerState) => {
    for (const values of [...weights, ...Object.values(slots).flat(), ...average!]) values?.fill(9);
  };
  const state = await trainer.readState();
  const before = structuredClone(state);
  overwrite(state);
  expect(await trainer.readState()).toEqual(before);
  const written = structuredClone(before);
  await trainer.writeState(written);
  overwrite(written);
  expect(await trainer.readState()).toEqual(before);
  expect(tensors()).toBe(count);
  await trainer.dispose();
});
