import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import type { WeightRef } from '../../src/graph/stage';
import { chain, graphOf } from './chains';

beforeAll(() => tf.setBackend('cpu'));

/** Two convolutions with batch norm, a dense layer. */
const model = () =>
  chain(
    [4, 4, 2],
    layers.conv2d({ filters: 3, kernelSize: 2, useBias: false, name: 'a' }),
    layers.batchNormalization({ name: 'a_bn' }),
    layers.depthwiseConv2d({ kernelSize: 2, name: 'b' }),
    layers.batchNormalization({ name: 'b_bn' }),
    layers.globalAveragePooling2d({}),
    layers.dense({ units: 2, name: 'c' }),
  );

/** The references of all stages by the name of the weight that stands at their index in `model.weights`. */
function trainability(model: LayersModel): Record<string, boolean> {
  const { stages, weights } = graphOf(model);
  expect(weights.map(({ name }) => name)).toEqual(model.weights.map(({ originalName }) => originalName));
  expect(weights.map(({ shape }) => shape)).toEqual(model.weights.map(({ shape }) => shape));
  const refs = stages.flatMap((stage): (WeightRef | undefined)[] => {
    const { gamma, beta, movingMean, movingVariance } = stage.batchNorm ?? {};
    return ['kernel' in stage ? stage.kernel : undefined, stage.bias, gamma, beta, movingMean, movingVariance];
  });
  const entries = refs.flatMap((ref) => (ref ? [[weights[ref.index]!.name, ref.trainable] as const] : []));
  expect(new Set(entries.map(([name]) => name)).size).toBe(weights.length);
  return Object.fromEntries(entries);
}

const namesOf = (trainable: Record<string, boolean>) => Object.keys(trainable).filter((name) => !trainable[name]);

test('nothing is frozen by default, moving averages not either', () => {
  expect(namesOf(trainability(model()))).toEqual([]);
});

test('frozen layers keep their weights, and a frozen batch norm its moving averages', () => {
  const frozen = model();
  frozen.getLayer('a').trainable = false;
  frozen.getLayer('b_bn').trainable = false;
  const expected = ['a/kernel', 'b_bn/gamma', 'b_bn/beta', 'b_bn/moving_mean', 'b_bn/moving_variance'];
  expect(namesOf(trainability(frozen))).toEqual(expected);
});

test('a layer can be made frozen', () => {
  const frozen = chain(
    [2, 2, 1],
    layers.conv2d({ filters: 3, kernelSize: 2, name: 'made', trainable: false }),
    layers.flatten(),
  );
  expect(namesOf(trainability(frozen))).toEqual(['made/kernel', 'made/bias']);
});

test('a layer that was frozen and is not any more trains again', () => {
  const thawed = model();
  thawed.getLayer('a').trainable = false;
  thawed.getLayer('a').trainable = true;
  expect(namesOf(trainability(thawed))).toEqual([]);
});

test('a frozen model is frozen whole', () => {
  const frozen = model();
  frozen.trainable = false;
  expect(namesOf(trainability(frozen))).toHaveLength(frozen.weights.length);
});

test('a frozen model inside of a functional or a sequential one freezes its layers only', () => {
  const head = () => [layers.flatten({ name: 'flat' }), layers.dense({ units: 2, name: 'head' })];
  const backbone = () => {
    const norm = layers.batchNormalization({ name: 'norm' });
    const inner = chain([3, 3, 2], layers.conv2d({ filters: 3, kernelSize: 2, name: 'conv' }), norm);
    inner.trainable = false;
    return inner;
  };
  const nested = [
    chain([3, 3, 2], layers.batchNormalization({ name: 'first' }), backbone(), ...head()),
    sequential({ layers: [backbone(), ...head()] }),
  ];
  for (const outer of nested) {
    const frozen = namesOf(trainability(outer));
    const expected = [
      'conv/kernel',
      'conv/bias',
      'norm/gamma',
      'norm/beta',
      'norm/moving_mean',
      'norm/moving_variance',
    ];
    expect(frozen).toEqual(expected);
  }
});
