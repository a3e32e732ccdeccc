// Models, pictures and what tfjs makes of them, for the tests of inference.
import { type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { foldBatchNorm } from '../../../src/graph/foldBatchNorm';
import type { InferenceGraph } from '../../../src/graph/inferenceGraph';
import { readStages } from '../../../src/graph/readStages';
import { mobilenetV1 } from '../../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../../src/model/options';
import { createRandom } from '../../../src/random';
import { chainCases, randomizeWeights } from '../models';

export interface InferenceCase {
  name: string;
  seed: number;
  build(): tfl.LayersModel;
}

export const inputRange = [-1, 1] as const;

const small: MobilenetV1Options = { classes: 5, inputShape: [16, 16, 3], alpha: 0.25, seed: 1 };

/** MobileNets over alpha, strides, multipliers, paddings and sizes. */
export const mobilenetCases: InferenceCase[] = [
  mobilenet('alpha 0.25', {}),
  mobilenet('alpha 0.3, logits', { alpha: 0.3, classifierActivation: 'linear' }),
  mobilenet('alpha 1', { alpha: 1, inputShape: [8, 8, 3] }),
  mobilenet('depth multiplier 2', { depthMultiplier: 2 }),
  mobilenet('stem stride 1', { stemStride: 1 }),
  mobilenet("17 x 13, padding 'same'", { inputShape: [17, 13, 3], padding: 'same' }),
  mobilenet("17 x 18, padding 'keras'", { inputShape: [17, 18, 3], stemStride: 1, padding: 'keras' }),
  mobilenet("41 x 37, padding 'torch', stem stride 3", { inputShape: [41, 37, 3], stemStride: 3, padding: 'torch' }),
  mobilenet('one channel', { inputShape: [16, 16, 1] }),
  mobilenet('five channels', { inputShape: [16, 16, 5] }),
  mobilenet('no top, global average', { includeTop: false, pooling: 'avg' }),
  mobilenet('no top, a map that ends in ReLU6', { includeTop: false }),
];

const { conv2d, depthwiseConv2d, batchNormalization, reLU, dense, flatten, dropout, zeroPadding2d } = tfl.layers;
const pool = () => tfl.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' });

/** Chains of layers that no MobileNet has, those of the training tests among them. */
export const otherCases: InferenceCase[] = [
  ...chainCases,
  chain('depthwise that nothing 1x1 follows', () => [
    depthwiseConv2d({ inputShape: [7, 9, 3], kernelSize: 3, padding: 'same', activation: 'relu6' }),
    conv2d({ filters: 9, kernelSize: 3, activation: 'relu' }),
    depthwiseConv2d({ kernelSize: [2, 4], strides: 2, activation: 'relu6' }),
    depthwiseConv2d({ kernelSize: 1, depthMultiplier: 3 }),
    flatten(),
    dense({ units: 3 }),
  ]),
  chain('depthwise before 1x1 convolutions that stride, or see more than the picture', () => [
    depthwiseConv2d({ inputShape: [10, 8, 4], kernelSize: 3, padding: 'same', activation: 'relu6' }),
    conv2d({ filters: 12, kernelSize: 1, strides: 2, activation: 'relu6' }),
    depthwiseConv2d({ kernelSize: 3, padding: 'same' }),
    zeroPadding2d({ padding: 1 }),
    conv2d({ filters: 7, kernelSize: 1 }),
    depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2 }),
    conv2d({ filters: 5, kernelSize: 1, activation: 'relu' }),
  ]),
  chain('1x1 convolutions of the picture, and a depthwise one before a dense layer', () => [
    conv2d({ inputShape: [6, 5, 3], filters: 10, kernelSize: 1, activation: 'relu6' }),
    conv2d({ filters: 20, kernelSize: 1 }),
    depthwiseConv2d({ kernelSize: [6, 5], activation: 'relu6' }),
    flatten(),
    dense({ units: 11 }),
  ]),
  chain('activations and batch norms alone', () => [
    reLU({ inputShape: [5, 4, 3], maxValue: 0.5 }),
    batchNormalization({}),
    reLU({}),
    batchNormalization({}),
    dropout({ rate: 0.5 }),
    reLU({ maxValue: 6 }),
  ]),
  chain('pooling, then ReLU; dropout here and there', () => [
    dropout({ inputShape: [3, 7, 6], rate: 0.2 }),
    conv2d({ filters: 9, kernelSize: 2 }),
    pool(),
    reLU({}),
    dropout({ rate: 0.3 }),
    dense({ units: 30, activation: 'relu' }),
    dropout({ rate: 0.3 }),
    dense({ units: 4, activation: 'softmax' }),
  ]),
  chain('pooling alone', () => [
    tfl.layers.globalAveragePooling2d({ inputShape: [4, 3, 5], dataFormat: 'channelsLast' }),
  ]),
  chain('nothing that computes in inference', () => [dropout({ inputShape: [3, 2, 2], rate: 0.5 })]),
  chain('windows larger than the picture', () => [
    conv2d({ inputShape: [2, 3, 3], filters: 5, kernelSize: 7, padding: 'same', activation: 'relu' }),
    depthwiseConv2d({ kernelSize: 5, padding: 'same' }),
    conv2d({ filters: 5, kernelSize: 1, activation: 'relu6' }),
  ]),
];

function mobilenet(name: string, options: MobilenetV1Options): InferenceCase {
  return { name, seed: 51, build: () => mobilenetV1({ ...small, ...options }) };
}

function chain(name: string, layers: () => tfl.layers.Layer[]): InferenceCase {
  return { name, seed: 52, build: () => tfl.sequential({ layers: layers() }) };
}

const prepared = new Map<InferenceCase, { model: tfl.LayersModel; graph: InferenceGraph }>();

/** A case's model with random weights, gamma, beta and moving statistics, and its folded graph; made once. */
export function prepare(one: InferenceCase) {
  let both = prepared.get(one);
  if (!both) {
    const model = one.build();
    randomizeWeights(model, one.seed);
    both = { model, graph: foldedGraph(model) };
    prepared.set(one, both);
  }
  return both;
}

/** The model as it is run; throws where it cannot be read so. */
export function foldedGraph(model: tfl.LayersModel): InferenceGraph {
  const read = readStages(model, { anyOutput: true });
  if ('unsupported' in read) throw new Error(`${read.unsupported.layerName} ${read.unsupported.reason}`);
  const values = model.weights.map((weight) => weight.read().dataSync());
  return foldBatchNorm(read.graph, values);
}

/** Random pictures for a model, as bytes, or as floats from 0 to 255. */
export function randomPixels<T extends 'bytes' | 'floats'>(
  model: tfl.LayersModel,
  images: number,
  seed: number,
  kind: T,
) {
  const count = model.inputs[0]!.shape.slice(1).reduce<number>((product, size) => product * size!, images);
  const random = createRandom(seed, images);
  type Pixels = T extends 'bytes' ? Uint8Array<ArrayBuffer> : Float32Array<ArrayBuffer>;
  return (
    kind === 'bytes'
      ? Uint8Array.from({ length: count }, () => random.integer(256))
      : Float32Array.from({ length: count }, () => 255 * random.uniform())
  ) as Pixels;
}

/** What tfjs makes of pictures, `[images, ...]`. */
export function predict(model: tfl.LayersModel, pixels: ArrayLike<number>, images: number): Float32Array {
  return predictAll(model, pixels, images, [model.outputs[0]!])[0]!;
}

/** What tfjs has at several places of a model. */
export function predictAll(
  { inputs }: tfl.LayersModel,
  pixels: ArrayLike<number>,
  images: number,
  outputs: tfl.SymbolicTensor[],
): Float32Array[] {
  if (outputs.length === 0) return [];
  const model = tfl.model({ inputs, outputs });
  const [low, high] = inputRange;
  return tidy(() => {
    const pictures = Float32Array.from(pixels, (pixel) => low + (pixel / 255) * (high - low));
    const batch = tensor(pictures, [images, ...(inputs[0]!.shape.slice(1) as number[])]);
    return [model.predict(batch)].flat().map((values) => (values as Tensor).dataSync() as Float32Array);
  });
}

/** The logarithms of a softmax over each `classes` values: what does not change where a constant is added to all. */
export function logSoftmax(logits: ArrayLike<number>, classes: number): Float64Array {
  const values = Float64Array.from(logits);
  for (let at = 0; at < values.length; at += classes) {
    const row = values.subarray(at, at + classes);
    const largest = Math.max(...row);
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    row.forEach((value, i) => {
      row[i] = value - largest - Math.log(sum);
    });
  }
  return values;
}
