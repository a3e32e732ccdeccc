import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { InferenceGraph } from '../../../src/graph/inferenceGraph';
import { type QuantizedGraph, quantizeGraph } from '../../../src/graph/quantizeGraph';
import type { InputRange } from '../../../src/inputRange';
import { runQuantizedGraph } from '../../graph/integerReference';
import { flavours } from '../../kernels/engine/arena';
import { type InferenceCase, inputRange, mobilenetCases, prepare, randomPixels } from './cases';
import { createInlineInference } from './inlineInference';
import { relativeError } from './reference';

// The engine on quantised graphs against plain integer arithmetic: bytes are the same, floats behind them are close.

const IMAGES = 2;
const FLOAT_BOUND = 1e-5;

const { conv2d, depthwiseConv2d, dense, flatten, zeroPadding2d } = tfl.layers;
const pool = () => tfl.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' });

const chains: InferenceCase[] = [
  chain('a 1x1 convolution of the picture, and no pooling', () => [
    conv2d({ inputShape: [6, 5, 3], filters: 10, kernelSize: 1, activation: 'relu6' }),
    conv2d({ filters: 20, kernelSize: 1, activation: 'relu6' }),
    depthwiseConv2d({ kernelSize: 3, depthMultiplier: 3, activation: 'relu6' }),
    flatten(),
    dense({ units: 11 }),
  ]),
  chain('one channel, 1x1', () => [
    conv2d({ inputShape: [7, 3, 1], filters: 9, kernelSize: 1, activation: 'relu6' }),
    conv2d({ filters: 4, kernelSize: 1 }),
  ]),
  chain('padding, strides, windows of all sizes, ReLU, dense layers of bytes', () => [
    zeroPadding2d({ inputShape: [13, 11, 4], padding: 1 }),
    conv2d({ filters: 17, kernelSize: [5, 3], strides: [1, 2], activation: 'relu' }),
    depthwiseConv2d({ kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'relu' }),
    conv2d({ filters: 33, kernelSize: [2, 3], activation: 'relu6' }),
    depthwiseConv2d({ kernelSize: 5, padding: 'same', activation: 'relu6' }),
    conv2d({ filters: 8, kernelSize: 1, activation: 'relu6' }),
    flatten(),
    dense({ units: 20, activation: 'relu6' }),
    dense({ units: 6 }),
  ]),
  chain('strided and padded 1x1 convolutions behind depthwise ones', () => [
    conv2d({ inputShape: [12, 12, 3], filters: 5, kernelSize: 3, activation: 'relu6' }),
    depthwiseConv2d({ kernelSize: 3, padding: 'same', activation: 'relu6' }),
    conv2d({ filters: 19, kernelSize: 1, strides: 2, activation: 'relu6' }),
    depthwiseConv2d({ kernelSize: 1, activation: 'relu6' }),
    zeroPadding2d({ padding: 1 }),
    conv2d({ filters: 6, kernelSize: 1, activation: 'relu6' }),
    pool(),
  ]),
  chain('a last convolution in float behind a depthwise one of bytes', () => [
    conv2d({ inputShape: [9, 9, 3], filters: 8, kernelSize: 3, activation: 'relu6' }),
    depthwiseConv2d({ kernelSize: 3, activation: 'relu6' }),
    conv2d({ filters: 7, kernelSize: 1 }),
  ]),
];

const ranges: InputRange[] = [inputRange, [0, 1], [-2.5, 7]];
/** A range for each of so many channels, none like another. */
const perChannel = (channels: number): InputRange =>
  Array.from({ length: channels }, (_, c) => [-2.1 + 0.3 * c, 2.6 - 0.7 * c] as const);
const cases = [
  // Without alpha 1, for which plain integer arithmetic takes seconds.
  ...mobilenetCases
    .filter(({ name }) => name !== 'alpha 1')
    .map((one) => ({ one, ranges: [inputRange] as InputRange[] })),
  ...chains.map((one) => ({ one, ranges })),
];

beforeAll(() => setBackend('cpu'));

describe.each(flavours)('%s', (_, module) => {
  test.each(cases.map((each) => [each.one.name, each.one.seed, each] as const))(
    'every byte of every stage is that of plain integer arithmetic: %s, seed %i',
    (_name, seed, { one, ranges }) => {
      const { model, graph: floats } = prepare(one);
      const pixels = randomPixels(model, IMAGES, seed, 'bytes');
      for (const range of [...ranges, perChannel(floats.input.channels)]) {
        const graph = quantized(module, floats, pixels, range);
        const separate = createInlineInference(module, { graph, inputRange: range, separateStages: true });
        const passes = separate.plan.passes.map(({ kind }) => kind);
        const outputs = separate.passOutputs(pixels, IMAGES).filter((_values, i) => passes[i] !== 'dequantize');
        expect(outputs).toHaveLength(graph.stages.length);
        const size = pixels.length / IMAGES;
        for (let image = 0; image < IMAGES; image++) {
          const expected = runQuantizedGraph(graph, pixels.subarray(image * size, (image + 1) * size), range);
          const errors = graph.stages.map((stage, i) => {
            const { length } = expected[i]!;
            const actual = outputs[i]!.subarray(image * length, (image + 1) * length);
            if (!('outputScale' in stage)) return Math.max(0, relativeError(actual, expected[i]!) - FLOAT_BOUND);
            return relativeError(
              actual,
              Float64Array.from(expected[i]!, (byte) => byte * stage.outputScale),
            );
          });
          expect(errors, `input range ${range}, picture ${image}`).toEqual(graph.stages.map(() => 0));
        }
        const fused = createInlineInference(module, { graph, inputRange: range });
        const actual = fused.run(pixels, IMAGES);
        expect(separate.run(pixels, IMAGES)).toEqual(actual);
        expect(fused.run(Float32Array.from(pixels), IMAGES)).toEqual(actual);
        expect(fused.run(pixels.slice(size), 1)).toEqual(actual.slice(actual.length / IMAGES));
      }
    },
  );
});

function chain(name: string, layers: () => tfl.layers.Layer[]): InferenceCase {
  return { name, seed: 81, build: () => tfl.sequential({ layers: layers() }) };
}

/** Calibrated with these very pictures. */
function quantized(
  module: BufferSource,
  graph: InferenceGraph,
  pixels: Uint8Array<ArrayBuffer>,
  range: InputRange,
): QuantizedGraph {
  const engine = createInlineInference(module, { graph, inputRange: range, separateStages: true });
  const highest = engine.observe(pixels, IMAGES);
  const count = graph.stages.length;
  const ranges = graph.stages.map((_, i) => Math.max(highest[i]!, highest[count + i]!));
  const read = quantizeGraph(graph, { inputRange: range, ranges });
  if ('unsupported' in read) throw new Error(`${read.unsupported.layerName} ${read.unsupported.reason}`);
  return read.graph;
}
