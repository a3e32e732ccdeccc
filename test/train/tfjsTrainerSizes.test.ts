import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, expect, test } from 'vitest';
import { createRandom } from '../../src/random';
import { createTfjsTrainer } from '../../src/train/tfjsTrainer';
import type { TargetBatch } from '../../src/train/trainer';
import { tensors, tinyModel, weightsOf } from './models';
import { batchOf, step } from './trainers';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

const ADAM = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 } as const;
const options = { optimizer: ADAM, outputKind: 'probabilities', inputRange: [0, 1] } as const;

/** A small MobileNet's layers, strides and reshapes included, for pictures of `size` x `size`. */
function mobileNet(size: number) {
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 6 });
  const depthwiseInitializer = kernelInitializer;
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({
        inputShape: [size, size, 2],
        filters: 4,
        kernelSize: 3,
        strides: 2,
        padding: 'same',
        kernelInitializer,
      }),
      tfl.layers.batchNormalization(),
      tfl.layers.reLU({ maxValue: 6 }),
      tfl.layers.zeroPadding2d({ padding: 1 }),
      tfl.layers.depthwiseConv2d({ kernelSize: 3, depthwiseInitializer }),
      tfl.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
      tfl.layers.reshape({ targetShape: [1, 1, 4] }),
      tfl.layers.dropout({ rate: 0.2 }),
      tfl.layers.conv2d({ filters: 3, kernelSize: 1, kernelInitializer }),
      tfl.layers.reshape({ targetShape: [3] }),
      tfl.layers.activation({ activation: 'softmax' }),
    ],
  });
}

const random = createRandom(8);
const pictures = (height: number, width: number): TargetBatch => ({
  ...batchOf([0, 1, 2, 3]),
  images: Uint8Array.from({ length: 4 * height * width * 2 }, () => random.integer(256)),
  height,
  width,
});

test('smaller and larger pictures are learned from as by a model that was built for them', async () => {
  const model = mobileNet(10);
  const trainer = createTfjsTrainer(model, options);
  for (const size of [10, 7, 4, 12, 7]) {
    const twin = mobileNet(size);
    twin.setWeights(model.getWeights());
    const own = createTfjsTrainer(twin, options);
    await own.writeState(await trainer.readState());
    const batch = pictures(size, size);
    expect(await trainer.step(batch, step())).toEqual(await own.step(batch, step()));
    expect(weightsOf(model)).toEqual(weightsOf(twin));
    expect(await trainer.predict(batch)).toEqual(await own.predict(batch));
    await own.dispose();
  }
  await trainer.dispose();
});

test('height and width may differ', async () => {
  const trainer = createTfjsTrainer(mobileNet(10), options);
  expect(await trainer.predict(pictures(5, 8))).toHaveLength(12);
  await trainer.dispose();
});

test('a model that flattens its features refuses another size, and nothing has changed', async () => {
  const model = tinyModel();
  const before = weightsOf(model);
  const count = tensors();
  const trainer = createTfjsTrainer(model, options);
  for (const outcome of [trainer.step(pictures(5, 5), step()), trainer.predict(pictures(5, 5))]) {
    await expect(outcome).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(outcome).rejects.toThrow(
      'expected pictures of 6 x 6 x 2, or a model that is convolutional up to a global pooling, received 5 x 5 x 2',
    );
  }
  expect(weightsOf(model)).toEqual(before);
  await trainer.step(pictures(6, 6), step());
  await trainer.dispose();
  expect(tensors()).toBe(count);
});

test('outputs that are no longer one row of classes are refused', async () => {
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [4, 4, 2], filters: 3, kernelSize: 4, activation: 'softmax' }),
      tfl.layers.flatten(),
    ],
  });
  const trainer = createTfjsTrainer(model, options);
  await expect(trainer.predict(pictures(6, 6))).rejects.toThrow('its output is [1,27]');
  await trainer.dispose();
});
