import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layers } from '@tensorflow/tfjs-layers';
import type { ExportOnnxOptions } from '../../src/formats/exportOnnx';
import { setModelMetadata } from '../../src/model/metadata';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import { replaceHead } from '../../src/model/replaceHead';
import { createRandom } from '../../src/random';
import { chain, randomizeWeights } from '../graph/chains';
import type { PictureShape } from './onnxSessions';

/** A model, how it is exported, and how many pictures it gets at a time. */
export interface Variant {
  readonly build: () => LayersModel;
  readonly options?: ExportOnnxOptions;
  readonly batch?: number;
}

const { batchNormalization, conv2d, dense, depthwiseConv2d, flatten, globalAveragePooling2d, reLU, reshape } = layers;

function net(options: MobilenetV1Options): () => LayersModel {
  return () =>
    mobilenetV1({ alpha: 0.125, inputShape: [32, 32, 3], classes: 5, classifierActivation: 'linear', ...options });
}

/** All that a file of ONNX may look like; names are those of tests and of files. */
export const variants: Record<string, Variant> = {
  'alpha 0.25': { build: net({ alpha: 0.25 }) },
  'alpha 0.5, softmax': { build: net({ alpha: 0.5, classifierActivation: 'softmax' }), batch: 1 },
  'alpha 0.05, 37 x 33': { build: net({ alpha: 0.05, inputShape: [37, 33, 3] }) },
  'torch padding, 33 x 37': { build: net({ padding: 'torch', inputShape: [33, 37, 3] }) },
  'keras padding, 33 x 37': { build: net({ padding: 'keras', inputShape: [33, 37, 3] }) },
  'same padding, 33 x 37, NCHW': { build: net({ inputShape: [33, 37, 3] }), options: { inputLayout: 'NCHW' } },
  'grey pictures, stem stride 1': { build: net({ inputShape: [16, 16, 1], stemStride: 1 }) },
  'two depthwise channels for each': { build: net({ depthMultiplier: 2 }) },
  'one picture at a time': { build: net({}), options: { dynamicBatch: false }, batch: 1 },
  'operators of 2021': { build: net({}), options: { opset: 13 } },
  'operators of 2024': { build: net({}), options: { opset: 22 } },
  'feature map': { build: net({ includeTop: false, inputShape: [40, 36, 3] }) },
  'feature map, NCHW': { build: net({ includeTop: false, inputShape: [40, 36, 3] }), options: { inputLayout: 'NCHW' } },
  'pooled features': { build: net({ includeTop: false, pooling: 'avg' }) },
  'a new head': { build: () => replaceHead(net({})(), { classes: 3 }) },
  'dense layers with batch norm and ReLU between': {
    build: () =>
      chain(
        [6, 7, 3],
        conv2d({ filters: 4, kernelSize: 3, strides: [1, 2], padding: 'same', activation: 'relu' }),
        flatten(),
        dense({ units: 6, name: 'dense' }),
        batchNormalization({ epsilon: 0.01 }),
        reLU({ maxValue: 6 }),
        reshape({ targetShape: [1, 1, 6] }),
        conv2d({ filters: 7, kernelSize: 1, activation: 'relu6' }),
        flatten(),
        dense({ units: 4, activation: 'softmax' }),
      ),
  },
  'batch norms on their own, without gamma or beta': {
    build: () =>
      chain(
        [5, 5, 2],
        batchNormalization({ scale: false }),
        reLU(),
        depthwiseConv2d({ kernelSize: 2, depthMultiplier: 3, strides: 2 }),
        batchNormalization({ center: false }),
        globalAveragePooling2d({}),
        dense({ units: 3, useBias: false }),
      ),
  },
  'a dense layer on the picture': { build: () => chain([3, 4, 2], flatten(), dense({ units: 3 })) },
  'a 1x1 convolution of a reshaped picture': {
    build: () => chain([2, 2, 3], reshape({ targetShape: [1, 1, 12] }), conv2d({ filters: 4, kernelSize: 1 })),
  },
};

/** The variant's model with random weights that are always the same, for pictures from -1 to 1. */
export function buildVariant({ build }: Variant): LayersModel {
  const model = build();
  randomizeWeights(model, createRandom(7));
  setModelMetadata(model, { inputRange: [-1, 1] });
  return model;
}

export function pictureShape({ inputs }: LayersModel, batch: number): PictureShape {
  const [, height, width, channels] = inputs[0]!.shape as [null, number, number, number];
  return [batch, height, width, channels];
}
