import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { foldBatchNorm } from '../../src/graph/foldBatchNorm';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import {
  inputRange,
  logSoftmax,
  mobilenetCases,
  otherCases,
  predict,
  prepare,
  randomPixels,
} from '../engine/inference/cases';
import { relativeError, runInferenceGraph } from '../engine/inference/reference';
import { graphOf } from './chains';

beforeAll(() => tf.setBackend('cpu'));

const cases = [...mobilenetCases, ...otherCases];

test.each(cases.map((one) => [one.name, one.seed, one] as const))(
  'the folded graph predicts what tfjs cpu does, within 1e-5 of the largest: %s, seed %i',
  (_name, seed, one) => {
    const { model, graph } = prepare(one);
    const pixels = randomPixels(model, 1, seed, 'floats');
    const mapped = pixels.map((pixel) => (pixel / 255) * 2 - 1);
    const actual = runInferenceGraph(graph, pixels, inputRange).at(-1) ?? mapped;
    const expected = predict(model, pixels, 1);
    expect(expected).toHaveLength(graph.output.height * graph.output.width * graph.output.channels);
    const error =
      graph.outputKind === 'logits'
        ? relativeError(actual, expected)
        : relativeError(logSoftmax(actual, actual.length), expected.map(Math.log));
    expect(error).toBeLessThan(1e-5);
  },
);

test('batch norm and dropout are gone; stages fit one to the other; a convolution has a bias for each channel', () => {
  for (const one of cases) {
    const { graph } = prepare(one);
    let size = graph.input;
    for (const stage of graph.stages) {
      expect(stage).not.toHaveProperty('batchNorm');
      expect(['conv', 'depthwise', 'pool']).toContain(stage.kind);
      expect(stage.input).toEqual(size);
      if (stage.kind !== 'pool') {
        const { kernelHeight, kernelWidth } = stage.window;
        const C = stage.kind === 'conv' ? stage.input.channels : 1;
        expect(stage.bias).toHaveLength(stage.output.channels);
        expect(stage.kernel).toHaveLength(kernelHeight * kernelWidth * C * stage.output.channels);
      }
      size = stage.output;
    }
    expect(graph.output).toEqual(size);
  }
});

test('folds in float64 and rounds once', () => {
  const model = mobilenetV1({ alpha: 0.25, inputShape: [32, 32, 3], classes: 2, batchNormEpsilon: 1e-3 });
  const graph = graphOf(model);
  const values = graph.weights.map(({ shape }) =>
    Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, (_, i) => 0.1 + (i % 7) / 3),
  );
  const [folded] = foldBatchNorm(graph, values).stages;
  const [stage] = graph.stages;
  if (folded?.kind !== 'conv' || stage?.kind !== 'conv') throw new Error('no stem');
  const at = (ref: { index: number } | undefined, c: number) => values[ref!.index]![c]!;
  const { gamma, beta, movingMean, movingVariance, epsilon } = stage.batchNorm!;
  for (let c = 0; c < stage.output.channels; c++) {
    const scale = at(gamma, c) / Math.sqrt(at(movingVariance, c) + epsilon);
    expect(folded.bias[c]).toBe(Math.fround(-at(movingMean, c) * scale + at(beta, c)));
    for (let row = 0; row < 27; row++) {
      const i = row * stage.output.channels + c;
      expect(folded.kernel[i]).toBe(Math.fround(at(stage.kernel, i) * scale));
    }
  }
});

test('leaves the weights that it was given as they are', () => {
  const { model } = prepare(mobilenetCases[0]!);
  const graph = graphOf(model);
  const values = model.weights.map((weight) => weight.read().dataSync() as Float32Array);
  const copies = values.map((value) => value.slice());
  foldBatchNorm(graph, values);
  expect(values.every((value, i) => value.every((number, at) => number === copies[i]![at]))).toBe(true);
});
