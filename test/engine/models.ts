// Models, weights and batches that the tests of the engine share.
import { tensor } from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { ImageBatch } from '../../src/data/imageDataset';
import { readStages } from '../../src/graph/readStages';
import type { StageGraph } from '../../src/graph/stage';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import { createRandom } from '../../src/random';
import { softTargets } from './referenceLoss';
import '../fasterTfjs';

/** A model to train one step of. */
export interface EngineCase {
  name: string;
  /** Of the weights and the batch: one that keeps every activation 1e-5 or more away from where its gradient jumps. */
  seed: number;
  build(): tfl.LayersModel;
  batchSize: number;
  labelSmoothing?: number;
}

/**
 * Batch norm's epsilon is larger than usual: over the few values of so small a batch a channel's variance can be next to
 * nothing, and each of 27 layers would then magnify the rounding errors of the ones before it.
 */
const small: MobilenetV1Options = {
  classes: 5,
  inputShape: [16, 16, 3],
  alpha: 0.25,
  batchNormEpsilon: 0.1,
  dropout: 0,
  seed: 1,
};

/** MobileNets over alpha, strides, multipliers, paddings and sizes. */
export const mobilenetCases: EngineCase[] = [
  mobilenet('alpha 0.25', 17, {}),
  mobilenet('alpha 0.25, stem stride 1, usual epsilon', 27, { stemStride: 1, batchNormEpsilon: 1e-3 }),
  mobilenet('alpha 1, stem stride 2', 5, { alpha: 1, inputShape: [8, 8, 3] }),
  mobilenet('alpha 1, stem stride 1', 19, { alpha: 1, inputShape: [8, 8, 3], stemStride: 1 }),
  mobilenet('alpha 0.3, logits', 14, { alpha: 0.3, classifierActivation: 'linear' }),
  mobilenet('depth multiplier 2', 2, { depthMultiplier: 2 }),
  mobilenet("17 x 13, padding 'same'", 20, { inputShape: [17, 13, 3], stemStride: 1, padding: 'same' }),
  mobilenet("17 x 18, padding 'keras'", 7, { inputShape: [17, 18, 3], stemStride: 1, padding: 'keras' }),
  mobilenet("17 x 13, padding 'torch'", 8, { inputShape: [17, 13, 3], stemStride: 1, padding: 'torch' }),
  mobilenet('one channel', 9, { inputShape: [16, 16, 1] }),
  mobilenet('five channels, momentum 0.9', 4, { inputShape: [16, 16, 5], batchNormMomentum: 0.9 }),
  { ...mobilenet('label smoothing 0.1', 17, {}), labelSmoothing: 0.1 },
  { ...mobilenet('label smoothing 0.1, logits', 17, { classifierActivation: 'linear' }), labelSmoothing: 0.1 },
];

/** The same net with layers whose `trainable` is false. */
export const frozenCases: EngineCase[] = [
  frozen('everything before conv_dw_4 frozen', 13, (_, index, model) => index < indexOf(model, 'conv_dw_4')),
  frozen('batch norms frozen', 12, (layer) => layer.getClassName() === 'BatchNormalization'),
  frozen('conv_pw_5 frozen', 15, (layer) => layer.name === 'conv_pw_5'),
  frozen('conv_dw_5 and its batch norm frozen', 17, (layer) => /^conv_dw_5/.test(layer.name)),
  frozen('all but the head frozen', 15, (layer) => layer.name !== 'conv_preds'),
];

/** Chains of layers that no MobileNet has. */
export const chainCases: EngineCase[] = [
  chain('biases, 5 x 3 window, dense head', 14, () => [
    tfl.layers.conv2d({ inputShape: [9, 8, 3], filters: 6, kernelSize: [5, 3], strides: [2, 1], activation: 'relu' }),
    tfl.layers.conv2d({ filters: 9, kernelSize: 3, padding: 'same' }),
    // Frozen, for in front of batch statistics a bias has no gradient but rounding errors.
    tfl.layers.batchNormalization({ trainable: false }),
    tfl.layers.reLU({ maxValue: 6 }),
    tfl.layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same' }),
    tfl.layers.flatten(),
    tfl.layers.dense({ units: 5, activation: 'softmax' }),
  ]),
  chain('dropout', 10, () => [
    tfl.layers.conv2d({ inputShape: [8, 8, 3], filters: 8, kernelSize: 3, strides: 2, useBias: false }),
    tfl.layers.batchNormalization({ momentum: 0.9 }),
    tfl.layers.reLU({ maxValue: 6 }),
    tfl.layers.dropout({ rate: 0.4 }),
    tfl.layers.conv2d({ filters: 12, kernelSize: 1, activation: 'relu6' }),
    tfl.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
    tfl.layers.dropout({ rate: 0.25 }),
    tfl.layers.dense({ units: 5 }),
  ]),
  chain('normalised picture, lopsided padding', 30, () => [
    tfl.layers.batchNormalization({ inputShape: [7, 6, 2] }),
    tfl.layers.zeroPadding2d({
      padding: [
        [2, 0],
        [1, 3],
      ],
    }),
    tfl.layers.conv2d({ filters: 10, kernelSize: 3, useBias: false }),
    tfl.layers.batchNormalization({ epsilon: 0.01 }),
    tfl.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
    tfl.layers.dense({ units: 7, activation: 'relu' }),
    tfl.layers.dense({ units: 4, activation: 'softmax' }),
  ]),
  chain('one tap on every second pixel of a padded map', 3, () => [
    tfl.layers.conv2d({ inputShape: [4, 4, 3], filters: 8, kernelSize: 3, strides: 2, padding: 'same' }),
    tfl.layers.zeroPadding2d({ padding: 1 }),
    tfl.layers.conv2d({ filters: 8, kernelSize: 1, strides: 2 }),
    tfl.layers.flatten(),
    tfl.layers.dense({ units: 4, activation: 'softmax' }),
  ]),
];

function mobilenet(name: string, seed: number, options: MobilenetV1Options): EngineCase {
  return { name, seed, batchSize: 4, build: () => mobilenetV1({ ...small, ...options }) };
}

function frozen(
  name: string,
  seed: number,
  isFrozen: (layer: tfl.layers.Layer, index: number, model: tfl.LayersModel) => boolean,
): EngineCase {
  const build = () => {
    const model = mobilenetV1(small);
    model.layers.forEach((layer, index) => {
      layer.trainable = !isFrozen(layer, index, model);
    });
    return model;
  };
  return { name, seed, batchSize: 4, build };
}

function chain(name: string, seed: number, layers: () => tfl.layers.Layer[]): EngineCase {
  return { name, seed, batchSize: 5, build: () => tfl.sequential({ layers: layers() }) };
}

function indexOf(model: tfl.LayersModel, name: string): number {
  return model.layers.findIndex((layer) => layer.name === name);
}

/**
 * Gives a model weights that are not those of a fresh one: gamma in [0.5, 1.5], beta and moving means about 0, moving
 * variances about 1, and kernels that keep the size of what flows through, so that logits are of order 1.
 */
export function randomizeWeights(model: tfl.LayersModel, seed: number): void {
  model.weights.forEach((weight, index) => {
    const random = createRandom(seed, index);
    const kind = weight.originalName.split('/').at(-1)!;
    const shape = weight.shape as number[];
    const draw = () => {
      if (kind === 'gamma' || kind === 'moving_variance') return 0.5 + random.uniform();
      if (/kernel/.test(kind)) return random.normal() * Math.sqrt(2 / fanIn(kind, shape));
      return 0.2 * random.normal();
    };
    const values = tensor(Float32Array.from({ length: sizeOf(shape) }, draw), shape);
    weight.write(values);
    values.dispose();
  });
}

function fanIn(kind: string, shape: readonly number[]): number {
  return sizeOf(shape.slice(0, kind === 'depthwise_kernel' ? 2 : -1));
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

/** The model as stages; throws where it cannot be read so. */
export function graphOf(model: tfl.LayersModel): StageGraph {
  const read = readStages(model);
  if ('unsupported' in read) throw new Error(`${read.unsupported.layerName} ${read.unsupported.reason}`);
  return read.graph;
}

/** A case's model with its random weights, the same as stages, and its batch. */
export function prepare({ build, seed, batchSize, labelSmoothing }: EngineCase) {
  const model = build();
  randomizeWeights(model, seed);
  const graph = graphOf(model);
  const batch = randomBatch(model, batchSize, seed);
  return { model, graph, batch: { ...batch, targets: softTargets(batch.labels, graph.classes, labelSmoothing) } };
}

/** The model's weights as the reference takes them. */
export function weightsOf(model: tfl.LayersModel): Float64Array[] {
  return model.weights.map((weight) => Float64Array.from(weight.read().dataSync()));
}

/** Writes weights into the model, rounded to float32. */
export function writeWeights(model: tfl.LayersModel, weights: readonly ArrayLike<number>[]): void {
  model.weights.forEach((weight, index) => {
    const values = tensor(Float32Array.from(weights[index]!), weight.shape as number[]);
    weight.write(values);
    values.dispose();
  });
}

/** Pictures as bytes and as the model takes them. */
export interface EngineBatch {
  bytes: ImageBatch;
  /** What bytes 0 to 255 are mapped to. */
  inputRange: readonly [low: number, high: number];
  /** `[N,H,W,C]`, the bytes in that range. */
  images: Float32Array;
  labels: Int32Array;
  /** For each dropout layer, as `ReferenceBatch` has them. */
  dropoutMasks: Float32Array[];
}

/** Random pictures, labels and dropout masks for a model. */
export function randomBatch(model: tfl.LayersModel, size: number, seed: number): EngineBatch {
  const [, height, width, channels] = model.inputs[0]!.shape as [null, number, number, number];
  const classes = model.outputs[0]!.shape.at(-1)!;
  const random = createRandom(seed, size);
  const images = Uint8Array.from({ length: size * height * width * channels }, () => random.integer(256));
  const labels = Int32Array.from({ length: size }, () => random.integer(classes));
  const dropoutMasks = dropoutLayers(model).map(({ rate, inputShape }) =>
    Float32Array.from({ length: size * sizeOf(inputShape) }, () => (random.uniform() < rate ? 0 : 1 / (1 - rate))),
  );
  return {
    bytes: { images, labels, height, width, channels, classes },
    inputRange: [-1, 1],
    images: Float32Array.from(images, (byte) => (byte / 255) * 2 - 1),
    labels,
    dropoutMasks,
  };
}

/** The model's dropout layers with their rates and input shapes without the batch. */
export function dropoutLayers(model: tfl.LayersModel) {
  const layers = model.layers.filter((layer) => layer.getClassName() === 'Dropout');
  return layers.map((layer) => ({
    layer,
    rate: layer.getConfig().rate as number,
    inputShape: (layer.input as tfl.SymbolicTensor).shape.slice(1) as number[],
  }));
}

/** ||actual - expected|| / ||expected||; where expected is all zeros, ||actual||. */
export function relativeL2(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let at = 0; at < expected.length; at++) {
    difference += (actual[at]! - expected[at]!) ** 2;
    size += expected[at]! ** 2;
  }
  return Math.sqrt(size === 0 ? difference : difference / size);
}
