import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { registerWasmTrainingKernels } from '../../src/kernels/registerWasmTrainingKernels';
import { randomValues } from './harness';

const [steps, batchSize, size, classes] = [20, 8, 12, 3] as const;
const { layers } = tfl;

beforeAll(registerWasmTrainingKernels);

/** The net of tensorflow/tfjs issue 8474, smaller. */
function convNet() {
  return tfl.sequential({
    layers: [
      layers.conv2d({ inputShape: [size, size, 3], kernelSize: 5, filters: 6, activation: 'relu', padding: 'same' }),
      layers.maxPooling2d({ poolSize: 2, strides: 2 }),
      layers.conv2d({ kernelSize: 3, filters: 9, strides: 2, activation: 'relu' }),
      layers.flatten(),
      layers.dense({ units: classes, activation: 'softmax' }),
    ],
  });
}

function separableNet() {
  return tfl.sequential({
    layers: [
      layers.conv2d({ inputShape: [size, size, 3], kernelSize: 3, filters: 6, strides: 2, padding: 'same' }),
      layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', activation: 'relu6' as 'relu' }),
      layers.batchNormalization(),
      layers.separableConv2d({ kernelSize: 3, filters: 10, depthMultiplier: 1, activation: 'relu' }),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: classes, activation: 'softmax' }),
    ],
  });
}

/** Trains a few steps from fixed weights on fixed data, through nothing but tfjs. */
async function train(backend: 'cpu' | 'wasm', build: () => tfl.LayersModel) {
  await tf.setBackend(backend);
  const model = build();
  model.setWeights(
    model.getWeights().map((initial, i) => {
      // Kernels have a rank of at least 2; biases and batch norm's vectors start from constants anyway.
      return initial.rank > 1 ? tf.mul(tf.tensor(randomValues(initial.shape, i), initial.shape), 0.3) : initial;
    }),
  );
  model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'categoricalCrossentropy' });
  const pictures = steps * batchSize;
  const x = tf.tensor4d(randomValues([pictures, size, size, 3], 1), [pictures, size, size, 3]);
  const labels = randomValues([pictures], 2).map((value) => Math.floor(((value + 1) / 2) * classes));
  const y = tf.oneHot(tf.tensor1d(labels, 'int32'), classes);
  const losses: number[] = [];
  await model.fit(x, y, {
    ...{ batchSize, epochs: 1, shuffle: false, verbose: 0, yieldEvery: 'never' },
    callbacks: { onBatchEnd: async (_, logs) => void losses.push(logs!.loss!) },
  });
  const weights = model.getWeights().map((weight) => weight.dataSync<'float32'>().slice());
  model.dispose();
  tf.dispose([x, y]);
  return { losses, weights };
}

test.each([
  ['a conv net with pooling', convNet],
  ['a net of depthwise and separable convolutions', separableNet],
])('model.fit of %s: 20 steps on wasm as on cpu, losses and weights within 1e-5', async (_, build) => {
  const wasm = await train('wasm', build);
  const cpu = await train('cpu', build);
  expect(cpu.losses).toHaveLength(steps);
  expect(largestDifference(wasm.losses, cpu.losses)).toBeLessThan(1e-5);
  wasm.weights.forEach((weights, i) => {
    expect(largestDifference(weights, cpu.weights[i]!), `weight ${i}`).toBeLessThan(1e-5);
  });
});

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}
