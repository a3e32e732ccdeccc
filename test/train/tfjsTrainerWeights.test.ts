import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, expect, test } from 'vitest';
import type { WeightRole } from '../../src/engine/optimizer';
import { registerWasmTrainingKernels } from '../../src/kernels/registerWasmTrainingKernels';
import { createTfjsTrainer, type TfjsTrainerOptions } from '../../src/train/tfjsTrainer';
import { largestDifference, poison, tensors, tinyModel, weightsOf } from './models';
import { batchOf, range, step } from './trainers';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

const ADAM = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 } as const;

const trainerOf = (model: tfl.LayersModel, changes: Partial<TfjsTrainerOptions> = {}) =>
  createTfjsTrainer(model, { optimizer: ADAM, outputKind: 'probabilities', inputRange: [0, 1], ...changes });

for (const backend of ['cpu', 'wasm']) {
  test(`the average on ${backend} starts as the first weights and follows each update, moving statistics too`, async () => {
    await tf.setBackend(backend);
    if (backend === 'wasm') await registerWasmTrainingKernels();
    const model = tinyModel();
    const count = tensors();
    const trainer = trainerOf(model, { average: true });
    // In the order of model.weights, as the state is.
    const current = () => model.weights.map((weight) => [...weight.read().dataSync()]);
    const read = async () => (await trainer.readState()).average!.map((values) => [...values]);
    let expected = current();
    expect(await read()).toEqual(expected);
    for (const averageDecay of [0, 0.5, 0.9, undefined, 0.9]) {
      await trainer.step(batchOf(range(0, 6)), step({ averageDecay, update: false, share: 0.5 }));
      await trainer.step(batchOf(range(6, 6)), step({ averageDecay, share: 0.5 }));
      const weights = current();
      const d = averageDecay ?? 1;
      expected = expected.map((values, i) => values.map((value, j) => d * value + (1 - d) * weights[i]![j]!));
      expect(largestDifference(await read(), expected)).toBeLessThan(1e-6);
    }
    expect(expected.every((values, i) => Math.max(...values) !== Math.max(...current()[i]!))).toBe(true);
    await trainer.dispose();
    expect(tensors()).toBe(count);
  });
}

test('the average predicts as a model with these weights, and the training goes on as if it had not been asked', async () => {
  const [asked, plain] = [tinyModel(), tinyModel()];
  const [trainer, undisturbed] = [trainerOf(asked, { average: true }), trainerOf(plain, { average: true })];
  const batch = batchOf(range(0, 10));
  for (let i = 0; i < 3; i++) {
    await trainer.step(batch, step({ averageDecay: 0.7 }));
    await undisturbed.step(batch, step({ averageDecay: 0.7 }));
    const weights = weightsOf(asked);
    const [current, average] = [await trainer.predict(batch), await trainer.predict(batch, 'average')];
    expect(weightsOf(asked)).toEqual(weights);
    expect(average).not.toEqual(current);

    await trainer.updateModel('average');
    expect(await trainer.predict(batch, 'average')).toEqual(average);
    expect(await trainer.predict(batch)).toEqual(current);
    const images = tf.tensor4d(
      Float32Array.from(batch.images, (byte) => byte / 255),
      [10, 6, 6, 2],
    );
    const outputs = asked.predict(images) as tf.Tensor;
    expect(await outputs.data()).toEqual(average);
    tf.dispose([images, outputs]);
    expect(await trainer.readState()).toEqual(await undisturbed.readState());
  }
  await trainer.updateModel();
  expect(weightsOf(asked)).toEqual(weightsOf(plain));
  await trainer.updateModel('average');
  await trainer.dispose();
  await undisturbed.updateModel('average');
  await undisturbed.dispose();
  expect(weightsOf(asked)).toEqual(weightsOf(plain));
});

test('asking for an average where none is kept is an error', async () => {
  const trainer = trainerOf(tinyModel());
  await trainer.step(batchOf([0, 1]), step({ averageDecay: 0.5 }));
  for (const outcome of [trainer.predict(batchOf([0]), 'average'), trainer.updateModel('average')]) {
    await expect(outcome).rejects.toMatchObject({ code: 'invalid-argument' });
  }
  await trainer.dispose();
});

for (const backend of ['cpu', 'wasm']) {
  test(`a loss that is not finite on ${backend} makes no update; the last good weights come back`, async () => {
    await tf.setBackend(backend);
    if (backend === 'wasm') await registerWasmTrainingKernels();
    const model = tinyModel();
    const trainer = trainerOf(model);
    await trainer.step(batchOf(range(0, 8)), step());
    const lastGood = weightsOf(model);
    await trainer.step(batchOf(range(8, 8)), step());
    poison(model);
    const poisoned = weightsOf(model);
    const result = await trainer.step(batchOf(range(0, 8)), step());
    expect(result).toMatchObject({ loss: Number.NaN, correct: 0, finite: false });
    expect(weightsOf(model)).toEqual(poisoned);
    await trainer.restoreLastGood();
    expect(weightsOf(model)).toEqual(lastGood);
    await trainer.dispose();
  });
}

test('an update that overflows is told at once and does not enter the average', async () => {
  const model = tinyModel();
  const trainer = trainerOf(model, { optimizer: { kind: 'sgd', weightDecay: 0 }, average: true });
  await trainer.step(batchOf(range(0, 8)), step({ averageDecay: 0.5 }));
  const before = weightsOf(model);
  const { average } = await trainer.readState();
  const result = await trainer.step(batchOf(range(0, 8)), step({ learningRate: 1e40, averageDecay: 0.5 }));
  expect(result.loss).toBeLessThan(10);
  expect(result.finite).toBe(false);
  expect((await trainer.readState()).average).toEqual(average);
  await trainer.restoreLastGood();
  expect(weightsOf(model)).toEqual(before);
  await trainer.dispose();
});

test('before any finite loss the weights are left as they are', async () => {
  const model = tinyModel();
  const before = weightsOf(model);
  const trainer = trainerOf(model);
  await trainer.restoreLastGood();
  expect(weightsOf(model)).toEqual(before);
  await trainer.dispose();
});

/** All roles, and a PReLU and a layer norm, which have none; the last part is a model of its own. */
function modelOfAllRoles() {
  const head = tfl.sequential({
    layers: [
      tfl.layers.globalAveragePooling2d({ inputShape: [6, 6, 3], dataFormat: 'channelsLast' }),
      tfl.layers.layerNormalization(),
      tfl.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [6, 6, 2], filters: 2, kernelSize: 3, padding: 'same' }),
      tfl.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same' }),
      tfl.layers.batchNormalization(),
      tfl.layers.prelu(),
      tfl.layers.separableConv2d({ filters: 3, kernelSize: 3, padding: 'same' }),
      head,
    ],
  });
}
const roles: { on?: WeightRole[]; expected: string[] }[] = [
  { expected: ['Conv2D/kernel', 'SeparableConv2D/pointwise_kernel', 'Dense/kernel'] },
  { on: [], expected: [] },
  { on: ['depthwise'], expected: ['DepthwiseConv2D/depthwise_kernel', 'SeparableConv2D/depthwise_kernel'] },
  { on: ['bias'], expected: ['Conv2D/bias', 'DepthwiseConv2D/bias', 'SeparableConv2D/bias', 'Dense/bias'] },
  { on: ['batchNorm'], expected: ['BatchNormalization/gamma', 'BatchNormalization/beta'] },
];
for (const { on, expected } of roles) {
  test(`weight decay on ${on ? `[${on}]` : 'its default'} shrinks ${expected.join(', ') || 'nothing'}`, async () => {
    const model = modelOfAllRoles();
    const layersOf = (layer: { layers?: tfl.layers.Layer[] }): tfl.layers.Layer[] =>
      (layer.layers ?? []).flatMap((inner) => ('layers' in inner ? layersOf(inner as never) : [inner]));
    const weights = layersOf(model).flatMap((layer) =>
      layer.trainableWeights.map((weight) => ({
        name: `${layer.getClassName()}/${weight.originalName.split('/').at(-1)}`,
        read: () => [...weight.read().dataSync()],
        weight,
      })),
    );
    for (const { weight } of weights) tf.tidy(() => void weight.write(tf.ones(weight.shape as number[])));
    const trainer = trainerOf(model, { optimizer: { kind: 'sgd', weightDecay: 0.5 }, weightDecayOn: on });
    // Targets of 0 make all gradients 0.
    await trainer.step(batchOf([0, 1], new Float32Array(6)), step({ learningRate: 0.5 }));
    const shrunk = weights.filter(({ read }) => read().every((value) => value === 0.75));
    const kept = weights.filter(({ read }) => read().every((value) => value === 1));
    expect(shrunk.map(({ name }) => name)).toEqual(expected);
    expect(shrunk.length + kept.length).toBe(weights.length);
    await trainer.dispose();
  });
}

test('a frozen kernel does not decay', async () => {
  const model = tinyModel();
  model.layers[0]!.trainable = false;
  const before = model.layers[0]!.getWeights()[0]!.dataSync();
  const trainer = trainerOf(model, { optimizer: { kind: 'sgd', weightDecay: 0.5 } });
  await trainer.step(batchOf([0, 1]), step());
  expect(model.layers[0]!.getWeights()[0]!.dataSync()).toEqual(before);
  await trainer.dispose();
});
