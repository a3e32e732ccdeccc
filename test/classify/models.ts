import * as tf from '@tensorflow/tfjs-core';
import { model as createModel, input, type LayersModel, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { InputRange } from '../../src/inputRange';
import { setModelMetadata } from '../../src/model/metadata';
import { createRandom } from '../../src/random';
import { bytesOf } from '../golden/generator';
import { chain, randomizeWeights } from '../graph/chains';
import { rangeOfPixel } from '../graph/integerReference';

export const CLASSES = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox'];

/** A MobileNet of one block for pictures 8 x 8 x 3 in [-1, 1], with random weights and moving averages. */
export function tinyNet({ activation = 'softmax', seed = 1, metadata = true, relu = 6 } = {}): LayersModel {
  const { conv2d, depthwiseConv2d, batchNormalization, reLU, globalAveragePooling2d, dropout, dense } = layers;
  const padding = 'same';
  const maxValue = relu;
  const model = chain(
    [8, 8, 3],
    conv2d({ name: 'conv1', filters: 8, kernelSize: 3, strides: 2, padding, useBias: false }),
    batchNormalization({ name: 'conv1_bn' }),
    reLU({ name: 'conv1_relu', maxValue }),
    depthwiseConv2d({ name: 'conv_dw_1', kernelSize: 3, padding, useBias: false }),
    batchNormalization({ name: 'conv_dw_1_bn' }),
    reLU({ name: 'conv_dw_1_relu', maxValue }),
    conv2d({ name: 'conv_pw_1', filters: 12, kernelSize: 1, useBias: false }),
    batchNormalization({ name: 'conv_pw_1_bn' }),
    reLU({ name: 'conv_pw_1_relu', maxValue }),
    globalAveragePooling2d({ name: 'global_average' }),
    dropout({ name: 'dropout', rate: 0.5 }),
    dense({ name: 'preds', units: CLASSES.length, activation: activation as 'softmax' }),
  );
  randomizeWeights(model, createRandom(seed));
  // Small scores, so that a softmax of them is not all 0 and 1.
  const preds = model.getLayer('preds');
  tf.tidy(() => preds.setWeights(preds.getWeights().map((weight) => tf.mul(weight, 0.2))));
  if (metadata) setModelMetadata(model, { classNames: CLASSES, inputRange: [-1, 1] });
  return model;
}

/** A model whose two branches meet, which is no chain. */
export function branching(): LayersModel {
  const picture = input({ shape: [8, 8, 3] });
  const apply = (layer: layers.Layer, to: SymbolicTensor | SymbolicTensor[]) => layer.apply(to) as SymbolicTensor;
  const branch = () => apply(layers.conv2d({ filters: 4, kernelSize: 1 }), picture);
  const sum = apply(layers.add({ name: 'meeting' }), [branch(), branch()]);
  const pooled = apply(layers.globalAveragePooling2d({}), sum);
  const outputs = apply(layers.dense({ units: CLASSES.length, activation: 'softmax' }), pooled);
  return createModel({ inputs: picture, outputs });
}

/** Picture number `i`, of the model's size; some are dark, some bright, above all in one half. */
export function picture(i: number): { data: Uint8Array; width: number; height: number } {
  const data = bytesOf(`picture ${i}`, 8 * 8 * 3).map((byte, at) => {
    const light = at % 24 < 12 ? (i % 5) / 4 : (i % 7) / 6;
    return light * (128 + byte / 2);
  });
  return { data, width: 8, height: 8 };
}

/** What a model puts out for pictures, by tfjs. */
export function predict(
  model: LayersModel,
  images: readonly { data: Uint8Array }[],
  inputRange: InputRange = [-1, 1],
): number[][] {
  return tf.tidy(() => {
    const numbers = images.flatMap(({ data }) =>
      Array.from(data, (byte, i) => {
        const [low, high] = rangeOfPixel(inputRange, i);
        return low + (byte / 255) * (high - low);
      }),
    );
    const output = model.predict(tf.tensor4d(numbers, [images.length, 8, 8, 3])) as tf.Tensor;
    return tf.reshape(output, [images.length, -1]).arraySync() as number[][];
  });
}

export const tensors = () => tf.memory().numTensors;
