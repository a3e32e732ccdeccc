import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { StageGraph } from '../../src/graph/stage';
import { type MobilenetV1Options, mobilenetV1 } from '../../src/index';
import { type EngineBatch, graphOf, writeWeights } from '../engine/models';
import type { OptimizerSpec } from '../engine/referenceOptimizers';
import { bytesOf, initialWeight, labelsOf } from './generator';
import keras from './keras.json';
import pytorch from './pytorch.json';

/** Norm of a tensor, and some of its values, in tfjs's layout: see {@link summarize}. */
export interface Summary {
  norm: number;
  samples: number[];
}

/** A golden file; tensors go by the `originalName` of tfjs's weights. */
export interface Golden {
  versions: Record<string, string>;
  options: MobilenetV1Options;
  batchSize: number;
  optimizer: OptimizerSpec;
  /** Of ten steps, each measured before its update. */
  losses: number[];
  /** Of the first step. */
  gradients: Record<string, Summary>;
  weightsAfter1: Record<string, Summary>;
  weightsAfter10: Record<string, Summary>;
}

/** A golden file and what it was computed from. */
export interface GoldenCase {
  /** Holds the initial weights. */
  model: LayersModel;
  graph: StageGraph;
  /** What the golden file calls each of `model.weights`. */
  names: string[];
  /** In the order of `model.weights`. */
  weights: Float64Array[];
  /** One for each of the ten steps. */
  batches: EngineBatch[];
  expected: Golden;
}

const goldens = { keras, pytorch } as unknown as Record<'keras' | 'pytorch', Golden>;

const height = 32;
const width = 32;
const channels = 3;
const classes = 10;

/** Builds a golden file's model, weights and batches anew. */
export function goldenCase(name: 'keras' | 'pytorch'): GoldenCase {
  const expected = goldens[name];
  const model = mobilenetV1({ classes, inputShape: [height, width, channels], ...expected.options });
  const names = model.weights.map((weight) => weight.originalName);
  const weights = model.weights.map((weight, i) => initialWeight(names[i]!, weight.shape as number[]));
  writeWeights(model, weights);
  const batches = expected.losses.map((_, step) => batchOf(step, expected.batchSize));
  return { model, graph: graphOf(model), names, weights, batches, expected };
}

function batchOf(step: number, size: number): EngineBatch {
  const bytes = bytesOf(`images/${step}`, size * height * width * channels);
  const labels = labelsOf(`labels/${step}`, size, classes);
  return {
    bytes: { images: bytes, labels, height, width, channels, classes },
    inputRange: [-1, 1],
    images: Float32Array.from(bytes, (byte) => -1 + (byte / 255) * 2),
    labels,
    dropoutMasks: [],
  };
}

/** The same summary as golden.py's: the first value, the last, and three between. */
export function summarize(values: ArrayLike<number>): Summary {
  let squares = 0;
  for (let at = 0; at < values.length; at++) squares += values[at]! ** 2;
  const samples = [0, 1, 2, 3, 4].map((i) => values[Math.floor((i * (values.length - 1)) / 4)]!);
  return { norm: Math.sqrt(squares), samples };
}

/** How far a summary is from the expected one, relative to the size of the tensor: 0 where they are equal. */
export function summaryError(actual: Summary, expected: Summary, length: number): number {
  const typical = expected.norm / Math.sqrt(length);
  const errors = actual.samples.map((value, i) => Math.abs(value - expected.samples[i]!) / typical);
  return Math.max(Math.abs(actual.norm - expected.norm) / expected.norm, ...errors);
}
