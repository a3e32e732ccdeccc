import * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, type layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { readStages } from '../../src/graph/readStages';
import type { StageGraph, UnsupportedLayer } from '../../src/graph/stage';
import type { Random } from '../../src/random';

/** A model of these layers, one after the other. */
export function chain(inputShape: (number | null)[], ...members: layers.Layer[]): LayersModel {
  const picture = input({ shape: inputShape, name: 'picture' });
  const output = members.reduce((tensor, layer) => layer.apply(tensor) as SymbolicTensor, picture);
  return model({ inputs: picture, outputs: output, name: 'chain' });
}

/** Random values in every weight, moving averages too; returns them in the order of `model.weights`. */
export function randomizeWeights(model: LayersModel, random: Random): Float32Array[] {
  return model.weights.map((weight) => {
    const shape = weight.shape as number[];
    const isVariance = weight.originalName.endsWith('moving_variance');
    const fanIn = shape.slice(0, -1).reduce((product, size) => product * size, 1);
    const draw = () => (isVariance ? 0.5 + random.uniform() : (2 * random.normal()) / Math.sqrt(fanIn));
    const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, draw);
    const tensor = tf.tensor(values, shape);
    weight.write(tensor);
    tensor.dispose();
    return values;
  });
}

export function graphOf(model: LayersModel): StageGraph {
  const read = readStages(model);
  if ('unsupported' in read) throw new Error(`unsupported: ${JSON.stringify(read.unsupported)}`);
  return read.graph;
}

export function unsupportedOf(model: LayersModel): UnsupportedLayer {
  const read = readStages(model);
  if ('graph' in read) throw new Error('the model was read');
  return read.unsupported;
}

/** Each stage in short: `conv bias norm 0,6` for a convolution with bias, batch norm and ReLU6. */
export function outline({ stages }: StageGraph): string[] {
  return stages.map(({ kind, batchNorm, clamp, bias }) => {
    const parts = [kind, bias && 'bias', batchNorm && 'norm', clamp.some(Number.isFinite) && `${clamp}`];
    return parts.filter(Boolean).join(' ');
  });
}
