import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { createRandom } from '../../src/random';
import '../fasterTfjs';
import { type Convolution, filterGradient, inputGradient, sizeOf } from './reference';

/** Uniform float32 in [-1, 1). */
export function randomValues(shape: readonly number[], seed: number): Float32Array {
  const random = createRandom(seed, ...shape);
  return Float32Array.from({ length: sizeOf(shape) }, () => random.uniform() * 2 - 1);
}

/** A tensor of its own, with the values that it is made from. */
export interface Operand {
  shape: number[];
  values: Float32Array;
}

/** Runs a tfjs kernel of two inputs on a backend, and leaves no tensor behind. */
export async function runKernel(
  backend: 'cpu' | 'wasm',
  name: string,
  inputs: Record<string, Operand>,
  attrs: object,
): Promise<Float32Array> {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const tensors = Object.entries(inputs).map(([key, { values, shape }]) => [
      key,
      tf.tensor(values, shape, 'float32'),
    ]);
    const result = tf.engine().runKernel(name, Object.fromEntries(tensors), attrs as tf.NamedAttrMap) as tf.Tensor;
    return result.dataSync<'float32'>().slice();
  });
}

export type Gradient = 'filter' | 'input';

/** One gradient of one convolution, ready to be computed in several ways. */
export interface Case {
  expected: Float64Array;
  /** Sum of |products| of each value, what a rounding error is relative to. */
  magnitude: Float64Array;
  inputs: [Float32Array, Float32Array];
  run(backend: 'cpu' | 'wasm'): Promise<Float32Array>;
}

export function gradientCase(gradient: Gradient, c: Convolution, seed: number): Case {
  const dy = { shape: c.yShape, values: randomValues(c.yShape, seed) };
  const otherShape = gradient === 'filter' ? c.xShape : c.filterShape;
  const other = { shape: otherShape, values: randomValues(otherShape, seed + 1) };
  const { strides, dilations, pad } = c;
  const attrs = c.isDepthwise ? { strides, dilations, pad } : { strides, pad, dataFormat: 'NHWC' };
  const family = c.isDepthwise ? 'DepthwiseConv2dNative' : 'Conv2D';
  const absolute = (values: Float32Array) => values.map(Math.abs);
  if (gradient === 'filter') {
    return {
      expected: filterGradient(c, other.values, dy.values),
      magnitude: filterGradient(c, absolute(other.values), absolute(dy.values)),
      inputs: [other.values, dy.values],
      run: (backend) =>
        runKernel(backend, `${family}BackpropFilter`, { x: other, dy }, { ...attrs, filterShape: c.filterShape }),
    };
  }
  return {
    expected: inputGradient(c, dy.values, other.values),
    magnitude: inputGradient(c, absolute(dy.values), absolute(other.values)),
    inputs: [dy.values, other.values],
    run: (backend) =>
      runKernel(backend, `${family}BackpropInput`, { dy, filter: other }, { ...attrs, inputShape: c.xShape }),
  };
}

/** The largest |actual - expected|, relative to `magnitude`, value by value; Infinity for a NaN or a wrong length. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>, magnitude: ArrayLike<number>) {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    if (difference > 0) worst = Math.max(worst, difference / magnitude[i]!);
  }
  return worst;
}
