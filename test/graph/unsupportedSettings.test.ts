import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { constraints, layers, regularizers } from '@tensorflow/tfjs-layers';
import { beforeAll } from 'vitest';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { chain } from './chains';
import { conv, dense, flatten, head, name, pad, shape, testUnsupported } from './unsupportedCases';

beforeAll(() => tf.setBackend('cpu'));

const channelsFirst = { name, dataFormat: 'channelsFirst' } as const;
const l2 = regularizers.l2();

testUnsupported([
  [
    'it',
    'MaxPooling2D',
    'is of a class that has no fused stage',
    () => chain(shape, layers.maxPooling2d({ name }), ...head()),
  ],
  [
    'it',
    'LeakyReLU',
    'is of a class that has no fused stage',
    () => chain(shape, layers.leakyReLU({ name }), ...head()),
  ],
  [
    'global_max_pooling2d_1',
    'GlobalMaxPooling2D',
    'is of a class that has no fused stage',
    () => mobilenetV1({ alpha: 0.05, inputShape: [32, 32, 3], includeTop: false, pooling: 'max' }),
  ],
  ['it', 'Conv2D', 'sets kernelRegularizer', () => chain(shape, conv({ name, kernelRegularizer: l2 }), ...head())],
  ['it', 'Conv2D', 'sets biasRegularizer', () => chain(shape, conv({ name, biasRegularizer: l2 }), ...head())],
  [
    'it',
    'Dense',
    'sets activityRegularizer',
    () => {
      const layer = dense({ name });
      const built = chain(shape, flatten(), layer);
      // tfjs calls no layer that is made with one.
      layer.activityRegularizer = l2;
      return built;
    },
  ],
  [
    'it',
    'BatchNormalization',
    'sets gammaRegularizer',
    () => chain(shape, layers.batchNormalization({ name, gammaRegularizer: l2 }), ...head()),
  ],
  [
    'it',
    'DepthwiseConv2D',
    'sets depthwiseConstraint',
    () =>
      chain(
        shape,
        layers.depthwiseConv2d({ name, kernelSize: 2, depthwiseConstraint: constraints.maxNorm({}) }),
        ...head(),
      ),
  ],
  [
    'it',
    'AveragePooling2D',
    "has strides of 1 x 4 and the padding 'same'; only a mean over all pixels is known",
    () =>
      chain(
        shape,
        layers.averagePooling2d({ name, poolSize: 4, strides: [1, 4], padding: 'same' }),
        layers.globalAveragePooling2d({}),
        dense(),
      ),
  ],
  ['it', 'Conv2D', 'has a dilationRate of 2 x 1', () => chain(shape, conv({ name, dilationRate: [2, 1] }), ...head())],
  [
    'it',
    'DepthwiseConv2D',
    'has a dilationRate of 2 x 2',
    () => chain(shape, layers.depthwiseConv2d({ name, kernelSize: 2, dilationRate: 2 }), ...head()),
  ],
  ['it', 'Conv2D', "has the padding 'causal'", () => chain(shape, conv({ name, padding: 'causal' }), ...head())],
  ['it', 'Conv2D', "has the dataFormat 'channelsFirst'", () => chain(shape, conv(channelsFirst), ...head())],
  [
    'it',
    'DepthwiseConv2D',
    "has the dataFormat 'channelsFirst'",
    () => chain(shape, layers.depthwiseConv2d({ kernelSize: 2, ...channelsFirst }), ...head()),
  ],
  [
    'it',
    'ZeroPadding2D',
    "has the dataFormat 'channelsFirst'",
    () => chain(shape, pad(channelsFirst), conv(), ...head()),
  ],
  ['it', 'Flatten', "has the dataFormat 'channelsFirst'", () => chain(shape, flatten(channelsFirst), dense())],
  [
    'it',
    'GlobalAveragePooling2D',
    "has the dataFormat 'channelsFirst'",
    () => chain(shape, layers.globalAveragePooling2d(channelsFirst), dense()),
  ],
  [
    'it',
    'AveragePooling2D',
    "has the dataFormat 'channelsFirst'",
    () => chain(shape, layers.averagePooling2d({ poolSize: [4, 2], ...channelsFirst }), ...head()),
  ],
  [
    'it',
    'AveragePooling2D',
    'pools 4 x 2 pixels of [N,4,4,2]; only a mean over all of them is known',
    () => chain(shape, layers.averagePooling2d({ name, poolSize: [4, 2] }), ...head()),
  ],
  [
    'it',
    'BatchNormalization',
    'works along axis 1 of [N,4,4,2]; only the last one is known',
    () => chain(shape, layers.batchNormalization({ name, axis: 1 }), ...head()),
  ],
  [
    'it',
    'BatchNormalization',
    'normalises [N,32] (reshaped from [N,4,4,2]) value by value',
    () => chain(shape, flatten(), layers.batchNormalization({ name }), dense()),
  ],
  [
    'it',
    'ReLU',
    'has a maxValue of 0, which is not above 0',
    () => chain(shape, layers.reLU({ name, maxValue: 0 }), ...head()),
  ],
  [
    'it',
    'Dropout',
    'sets noiseShape',
    () => chain(shape, layers.dropout({ name, rate: 0.5, noiseShape: [1, 1, 1, 2] }), ...head()),
  ],
  [
    'it',
    'Activation',
    "has the activation 'tanh'; linear, relu, relu6 and softmax are known",
    () => chain(shape, conv(), layers.activation({ name, activation: 'tanh' }), ...head()),
  ],
  [
    'it',
    'Conv2D',
    "has the activation 'elu'; linear, relu, relu6 and softmax are known",
    () => chain(shape, conv({ name, activation: 'elu' }), ...head()),
  ],
  [
    'it',
    'Dense',
    "has the activation 'sigmoid'; linear, relu, relu6 and softmax are known",
    () => chain(shape, flatten(), dense({ name, activation: 'sigmoid' })),
  ],
]);
