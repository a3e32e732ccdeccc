import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type InMemoryImageDataset, inMemoryDataset } from '../../src/data/imageDataset';
import type { PaddingStyle } from '../../src/model/architecture';
import { convBlock, depthwiseConvBlock } from '../../src/model/blocks';
import { createRandom } from '../../src/random';
import '../fasterTfjs';

/** `size` pictures 6 x 6 x 2 of three classes, told apart by which channel and half is bright. */
export function tinyDataset(size: number, seed = 1): InMemoryImageDataset {
  const random = createRandom(seed);
  const labels = Array.from({ length: size }, (_, i) => i % 3);
  const images = new Uint8Array(size * 72);
  for (let i = 0; i < images.length; i++) {
    const label = labels[Math.floor(i / 72)]!;
    const isBright = label === 2 ? i % 72 < 36 : i % 2 === label;
    images[i] = (isBright ? 110 : 40) + random.integer(100);
  }
  return inMemoryDataset({ images, labels, height: 6, width: 6, channels: 2, classNames: ['left', 'right', 'top'] });
}

/** What most tests train on, and validate with. */
export const train = tinyDataset(50);
export const validation = tinyDataset(21, 2);

/** A small net with all that matters: convolutions, batch norm, ReLU6, and dropout where asked for. */
export function tinyModel({ dropout = 0, activation = 'softmax' as 'softmax' | 'linear' | 'sigmoid', seed = 3 } = {}) {
  const kernelInitializer = (offset: number) => tfl.initializers.glorotUniform({ seed: seed + offset });
  const model = tfl.sequential();
  model.add(
    tfl.layers.conv2d({
      inputShape: [6, 6, 2],
      filters: 4,
      kernelSize: 3,
      useBias: false,
      kernelInitializer: kernelInitializer(0),
    }),
  );
  model.add(tfl.layers.batchNormalization({ momentum: 0.9, name: uniqueName('bn') }));
  model.add(tfl.layers.reLU({ maxValue: 6 }));
  if (dropout > 0) model.add(tfl.layers.dropout({ rate: dropout }));
  model.add(tfl.layers.flatten());
  model.add(tfl.layers.dense({ units: 3, activation, kernelInitializer: kernelInitializer(1) }));
  return model;
}

/** A net that takes pictures of any size, as it pools over all of them. */
export function pooledModel(padding?: PaddingStyle) {
  const image = tfl.input({ shape: [6, 6, 2] });
  let features = convBlock(image, { filters: 8, seed: 1, padding });
  features = depthwiseConvBlock(features, { filters: 8, strides: 2, seed: 2, padding });
  const pooled = tfl.layers.globalAveragePooling2d({}).apply(features) as tfl.SymbolicTensor;
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 3 });
  const outputs = tfl.layers.dense({ units: 3, activation: 'softmax', kernelInitializer }).apply(pooled);
  return tfl.model({ inputs: image, outputs: outputs as tfl.SymbolicTensor });
}

let names = 0;
const uniqueName = (stem: string) => `${stem}_${++names}`;

/** All weights of a model, moving averages too, as plain numbers, in the order in which they were made. */
export function weightsOf(model: tfl.LayersModel): number[][] {
  // tfjs's own order depends on which layers are frozen.
  return [...model.weights].sort((a, b) => a.id - b.id).map((weight) => Array.from(weight.read().dataSync()));
}

/** The largest absolute difference between two lists of weights. */
export function largestDifference(a: number[][], b: number[][]): number {
  return Math.max(...a.map((values, i) => Math.max(...values.map((value, j) => Math.abs(value - b[i]![j]!)))));
}

/** Makes the weights of the last layer NaN, as a training that has gone wrong would. */
export function poison(model: tfl.LayersModel): void {
  const layer = model.layers.at(-1)!;
  const values = layer.getWeights().map((weight) => tf.fill(weight.shape, Number.NaN));
  layer.setWeights(values);
  tf.dispose(values);
}

/** What tfjs holds, after its backend has been warmed up. */
export const tensors = () => tf.memory().numTensors;
