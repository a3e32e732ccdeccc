import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { createRandom } from '../../src/random';
import { chain, graphOf, outline, randomizeWeights } from './chains';
import { interpret } from './interpret';

beforeAll(() => tf.setBackend('cpu'));

const conv = (filters: number, kernelSize: number | [number, number], more: object = {}) =>
  layers.conv2d({ filters, kernelSize, useBias: false, ...more });
const depthwise = (kernelSize: number | [number, number], more: object = {}) =>
  layers.depthwiseConv2d({ kernelSize, useBias: false, ...more });
const norm = (more: object = {}) => layers.batchNormalization({ epsilon: 0.01, ...more });
const relu = (maxValue?: number) => layers.reLU({ maxValue });
const activation = (name: 'relu' | 'relu6' | 'linear' | 'softmax') => layers.activation({ activation: name });
const pad = (padding: number | [[number, number], [number, number]]) => layers.zeroPadding2d({ padding } as object);
const pool = () => layers.globalAveragePooling2d({});
const dense = (units: number, more: object = {}) => layers.dense({ units, ...more });

/** What the title says, the model, and its stages in short. */
const models: [title: string, build: () => LayersModel, stages: string[]][] = [
  [
    'a convolution, batch norm, ReLU6, pooling, a dense layer with softmax',
    () => chain([7, 6, 3], conv(5, 3), norm(), relu(6), pool(), dense(4, { activation: 'softmax' })),
    ['conv norm 0,6', 'pool', 'conv bias'],
  ],
  [
    'convolutions with bias, and activations as arguments',
    () =>
      chain(
        [6, 7, 2],
        conv(5, 3, { useBias: true, activation: 'relu', padding: 'same' }),
        depthwise(3, { useBias: true, activation: 'relu6' }),
        conv(3, 1, { useBias: true, activation: 'linear' }),
        pool(),
      ),
    ['conv bias 0,Infinity', 'depthwise bias 0,6', 'conv bias', 'pool'],
  ],
  [
    'depthwise first, with three outputs for each input channel',
    () => chain([6, 5, 2], depthwise(3, { depthMultiplier: 3, padding: 'same' }), norm(), pool(), dense(3)),
    ['depthwise norm', 'pool', 'conv bias'],
  ],
  [
    'batch norm first, without scale or without center',
    () => chain([5, 5, 3], norm({ scale: false }), conv(4, 2), norm({ center: false }), pool(), dense(3)),
    ['depthwise norm', 'conv norm', 'pool', 'conv bias'],
  ],
  [
    'ReLU first, and batch norm behind it',
    () => chain([4, 4, 3], relu(), norm({ axis: 3 }), pool(), dense(2)),
    ['depthwise 0,Infinity', 'depthwise norm', 'pool', 'conv bias'],
  ],
  [
    'batch norm twice, and after an activation argument',
    () => chain([5, 5, 2], conv(4, 3, { activation: 'relu' }), norm(), norm(), relu(), pool()),
    ['conv 0,Infinity', 'depthwise norm', 'depthwise norm 0,Infinity', 'pool'],
  ],
  [
    'two clamps in a row',
    () => chain([5, 5, 2], conv(4, 3), relu(2), relu(6), conv(4, 1), relu(), relu(0.5), pool()),
    ['conv 0,2', 'conv 0,0.5', 'pool'],
  ],
  [
    'batch norm and ReLU after pooling',
    () => chain([4, 5, 3], pool(), norm(), relu(), dense(3)),
    ['pool', 'depthwise norm 0,Infinity', 'conv bias'],
  ],
  [
    'a flatten head over several pixels',
    () => chain([5, 4, 2], conv(3, 2), relu(), layers.flatten(), dense(6, { activation: 'relu' }), dense(3)),
    ['conv 0,Infinity', 'conv bias 0,Infinity', 'conv bias'],
  ],
  [
    'activation and dropout between a reshape and the dense layer',
    () =>
      chain(
        [3, 4, 2],
        conv(3, 2),
        layers.reshape({ targetShape: [-1] }),
        activation('relu6'),
        layers.dropout({ rate: 0.3 }),
        relu(1),
        layers.reshape({ targetShape: [18] }),
        dense(3),
      ),
    ['conv 0,6', 'dropout', 'depthwise 0,1', 'conv bias'],
  ],
  [
    'a reshape there and back, and 1x1 convolutions on what was reshaped to one pixel',
    () =>
      chain(
        [3, 3, 2],
        conv(4, 2),
        layers.reshape({ targetShape: [16] }),
        layers.reshape({ targetShape: [2, 2, 4] }),
        conv(3, 1),
        layers.reshape({ targetShape: [1, 1, 12] }),
        conv(5, 1, { useBias: true }),
        conv(2, 1, { padding: 'same' }),
        layers.flatten(),
      ),
    ['conv', 'conv', 'conv bias', 'conv'],
  ],
  [
    'batch norm on pixels in one row',
    () => chain([3, 4, 3], conv(2, 2), layers.reshape({ targetShape: [6, 2] }), norm(), layers.flatten(), dense(2)),
    ['conv norm', 'conv bias'],
  ],
  [
    'zero padding before every kind of convolution, several in a row, on values that batch norm has moved',
    () =>
      chain(
        [5, 6, 2],
        pad(1),
        conv(3, 3, { strides: 2 }),
        norm(),
        pad([
          [2, 0],
          [1, 3],
        ]),
        pad(1),
        depthwise(3),
        norm(),
        pad([
          [2, 0],
          [0, 3],
        ]),
        conv(2, 3, { padding: 'same', strides: 2 }),
        pool(),
      ),
    ['conv norm', 'depthwise norm', 'conv', 'pool'],
  ],
  [
    'zero padding of one pixel before a 1x1 convolution with bias',
    () => chain([1, 1, 3], norm(), pad(1), conv(2, 1, { useBias: true }), relu(), pool()),
    ['depthwise norm', 'conv bias 0,Infinity', 'pool'],
  ],
  [
    'a softmax of activated values',
    () => chain([3, 4, 2], pool(), relu(), dense(4, { activation: 'relu6' }), activation('softmax')),
    ['pool 0,Infinity', 'conv bias 0,6', 'depthwise'],
  ],
  [
    'a 5x3 kernel and unequal strides',
    () =>
      chain(
        [9, 8, 2],
        conv(3, [5, 3], { strides: [1, 2], padding: 'same' }),
        depthwise([1, 4], { strides: [2, 1], padding: 'same' }),
        conv(3, [2, 3], { strides: [3, 1] }),
        pool(),
      ),
    ['conv', 'depthwise', 'conv', 'pool'],
  ],
  [
    'a window larger than the picture',
    () => chain([2, 3, 2], conv(3, 5, { padding: 'same' }), depthwise(7, { strides: 2, padding: 'same' }), pool()),
    ['conv', 'depthwise', 'pool'],
  ],
  [
    'average pooling over the whole picture, and a softmax layer',
    () =>
      chain(
        [4, 3, 2],
        conv(3, 1),
        layers.averagePooling2d({ poolSize: [4, 3] }),
        conv(5, 1),
        layers.flatten(),
        layers.softmax(),
      ),
    ['conv', 'pool', 'conv'],
  ],
  [
    'layers that do nothing',
    () =>
      chain(
        [4, 4, 2],
        activation('linear'),
        conv(3, 2),
        pad(0),
        layers.dropout({ rate: 0 }),
        norm(),
        layers.dropout({ rate: 1 }),
        activation('linear'),
        relu(),
        pool(),
        dense(3),
        layers.activation({ activation: 'softmax' }),
        layers.reshape({ targetShape: [3] }),
      ),
    ['conv norm 0,Infinity', 'pool', 'conv bias'],
  ],
  [
    'nested models, the first of a sequential one among them',
    () => {
      const first = sequential({ layers: [conv(3, 2, { inputShape: [5, 5, 2] }), norm()] });
      const middle = sequential({ layers: [layers.reLU({ inputShape: [4, 4, 3] }), conv(4, 2)] });
      const inner = chain([3, 3, 4], relu(6), depthwise(2));
      return sequential({ layers: [first, sequential({ layers: [middle, norm()] }), inner, pool(), dense(3)] });
    },
    ['conv norm 0,Infinity', 'conv norm 0,6', 'depthwise', 'pool', 'conv bias'],
  ],
  [
    'a nested model whose height and width are open',
    () => chain([6, 5, 2], chain([null, null, 2], conv(3, 3, { padding: 'same', strides: 2 }), relu()), pool()),
    ['conv 0,Infinity', 'pool'],
  ],
];

let seed = 0;
for (const [title, build, stages] of models) {
  seed++;
  test(`${title}: the stages predict what tfjs does, within 1e-4 (seed ${seed})`, () => {
    const model = build();
    expect(outline(graphOf(model))).toEqual(stages);
    expectSamePredictions(model, 2, seed);
  });
}

for (const padding of ['same', 'keras', 'torch'] as const) {
  for (const stemStride of [1, 2]) {
    test(`mobilenetV1 with padding '${padding}', stem stride ${stemStride}: the same predictions within 1e-4 (seed 99)`, () => {
      const inputShape = [37, 34, 3] as const;
      const model = mobilenetV1({
        alpha: 0.05,
        classes: 5,
        depthMultiplier: 2,
        inputShape,
        padding,
        stemStride,
        classifierActivation: 'linear',
      });
      expectSamePredictions(model, 1, 99);
    });
  }
}

function expectSamePredictions(model: LayersModel, batch: number, seed: number): void {
  const random = createRandom(seed);
  const weights = randomizeWeights(model, random);
  const [, ...shape] = model.inputs[0]!.shape as number[];
  const size = tf.util.sizeFromShape(shape);
  const pictures = Float32Array.from({ length: batch * size }, () => 2 * random.normal());
  const expected = tf.tidy(() => (model.predict(tf.tensor(pictures, [batch, ...shape])) as tf.Tensor2D).arraySync());
  const graph = graphOf(model);
  for (let n = 0; n < batch; n++) {
    const actual = interpret(graph, weights, pictures.subarray(n * size, (n + 1) * size));
    const bound = 1e-4 * Math.max(1, ...actual.map(Math.abs));
    expect(actual).toHaveLength(expected[n]!.length);
    for (const [k, value] of actual.entries()) expect(Math.abs(value - expected[n]![k]!)).toBeLessThan(bound);
  }
}
