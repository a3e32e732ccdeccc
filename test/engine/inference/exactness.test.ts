import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import type { LayersModel, layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { InferenceGraph } from '../../../src/graph/inferenceGraph';
import { type InputRange, meanStdRange } from '../../../src/inputRange';
import { flavours } from '../../kernels/engine/arena';
import {
  inputRange,
  logSoftmax,
  mobilenetCases,
  otherCases,
  predict,
  predictAll,
  prepare,
  randomPixels,
} from './cases';
import { createInlineInference } from './inlineInference';
import { relativeError, runInferenceGraph } from './reference';

// The engine against tfjs `cpu`, stage by stage, and against plain loops in float64.

const BOUND = 1e-4;
/** Of float32 against the same graph in float64. */
const REFERENCE_BOUND = 1e-5;
const IMAGES = 3;

const cases = [...mobilenetCases, ...otherCases].map((one) => [one.name, one.seed, one] as const);

beforeAll(() => setBackend('cpu'));

describe.each(flavours)('%s', (_, module) => {
  test.each(cases)(
    'every stage is within 1e-4 of tfjs cpu, relative to its largest value: %s, seed %i',
    (_name, seed, one) => {
      const { model, graph } = prepare(one);
      const fused = createInlineInference(module, { graph, inputRange });
      const separate = createInlineInference(module, { graph, inputRange, separateStages: true });
      for (const kind of ['bytes', 'floats'] as const) {
        const pixels = randomPixels(model, IMAGES, seed, kind);
        const actual = fused.run(pixels, IMAGES);
        expect(outputError(graph, actual, predict(model, pixels, IMAGES)), kind).toBeLessThan(BOUND);
        expect(separate.run(pixels, IMAGES), `${kind}, fused and separate stages`).toEqual(actual);
      }
      const pixels = randomPixels(model, IMAGES, seed, 'bytes');
      const outputs = separate.passOutputs(pixels, IMAGES);
      expect(outputs).toHaveLength(graph.stages.length);
      const ends = stageEnds(model, graph);
      const places = ends.map(({ output }) => output);
      const expected = predictAll(model, pixels, IMAGES, places);
      const errors = ends.map(({ stage, name }, i) => [name, relativeError(outputs[stage]!, expected[i]!)] as const);
      expect(errors.filter(([, error]) => !(error < BOUND))).toEqual([]);

      const onePicture = runInferenceGraph(graph, pixels.subarray(0, pixels.length / IMAGES), inputRange);
      const worse = onePicture.flatMap((values, i) => {
        const error = relativeError(outputs[i]!.subarray(0, values.length), values);
        return error < REFERENCE_BOUND ? [] : [[graph.stages[i]!.name, error]];
      });
      expect(worse).toEqual([]);
    },
  );
});

describe.each(flavours)('a range for each channel, %s', (_, module) => {
  const { name, seed } = mobilenetCases[0]!;
  test.each(['bytes', 'floats'] as const)(
    `within 1e-5 of plain loops in float64, relative to the largest value: ${name}, %s, seed ${seed}`,
    (kind) => {
      const { model, graph } = prepare(mobilenetCases[0]!);
      const ranges = meanStdRange({ mean: [0.49, 0.48, 0.45], std: [0.25, 0.24, 0.1] });
      const separate = createInlineInference(module, { graph, inputRange: ranges, separateStages: true });
      const pixels = randomPixels(model, 1, seed, kind);
      const outputs = separate.passOutputs(pixels, 1);
      const expected = runInferenceGraph(graph, pixels, ranges);
      for (const [i, { name }] of graph.stages.entries()) {
        expect(relativeError(outputs[i]!, expected[i]!), name).toBeLessThan(REFERENCE_BOUND);
      }
    },
  );

  test(`the same range for each channel gives the bits of one for all, seed ${seed}`, () => {
    const { model, graph } = prepare(mobilenetCases[0]!);
    const pixels = randomPixels(model, IMAGES, seed, 'bytes');
    const run = (range: InputRange) => createInlineInference(module, { graph, inputRange: range }).run(pixels, IMAGES);
    expect(run([inputRange, inputRange, inputRange])).toEqual(run(inputRange));
  });
});

function outputError({ output, outputKind }: InferenceGraph, actual: Float32Array, expected: Float32Array): number {
  if (outputKind === 'logits') return relativeError(actual, expected);
  return relativeError(logSoftmax(actual, output.channels), expected.map(Math.log));
}

/**
 * The layer whose output each stage's is: the last one before the next stage's first. Left out is a stage in the middle of
 * a layer, and the one whose layer is itself the softmax.
 */
function stageEnds(model: LayersModel, { stages }: InferenceGraph) {
  const firstLayers = stages.map(({ name }) => model.layers.findIndex((layer) => layer.name === name));
  expect(firstLayers).not.toContain(-1);
  return stages.flatMap(({ name }, stage) => {
    const first = firstLayers[stage]!;
    let last = (firstLayers[stage + 1] ?? model.layers.length) - 1;
    while (last >= first && belongsToNext(model.layers[last]!)) last--;
    return last < first ? [] : [{ stage, name, output: model.layers[last]!.output as SymbolicTensor }];
  });
}

function belongsToNext(layer: layers.Layer): boolean {
  const isSoftmax = layer.getConfig().activation === 'softmax';
  return isSoftmax || ['ZeroPadding2D', 'Reshape', 'Flatten'].includes(layer.getClassName());
}
