import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { type InferencePlan, memoryBytesOf } from '../../../src/engine/inference/plan';
import { bufferBytes, tensorBytes } from '../../../src/engine/inference/tensors';
import { prepareInference } from '../../../src/engine/inferenceEngine';
import type { InferenceGraph } from '../../../src/graph/inferenceGraph';
import { quantizeGraph } from '../../../src/graph/quantizeGraph';
import type { EngineKernels } from '../../../src/kernels/engineKernels';
import { mobilenetV1 } from '../../../src/model/mobilenetV1';
import { flavours } from '../../kernels/engine/arena';
import { foldedGraph, inputRange, mobilenetCases, otherCases, prepare } from './cases';

const THREADS = 3;

beforeAll(() => setBackend('cpu'));

const [, module] = flavours.at(-1)!;
const memory = new WebAssembly.Memory({ initial: 1 });
const instance = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory } });
const kernels = instance.exports as unknown as EngineKernels;

type Graph = Parameters<typeof prepareInference>[0]['graph'];

function planOf(graph: Graph, separateStages = false) {
  return prepareInference({ graph, inputRange, separateStages }, kernels);
}

const fullSize = (alpha: number) => foldedGraph(mobilenetV1({ alpha, classes: 1000 }));

describe('fusing', () => {
  const kindsOf = ({ passes }: InferencePlan) =>
    passes.map((pass) => {
      if (pass.kind !== 'product') return pass.kind;
      return typeof pass.rows === 'string' ? pass.rows : Object.keys(pass.rows)[0]!;
    });

  test('a MobileNet is its stem, thirteen passes of two convolutions, the mean and the classifier', () => {
    const { graph } = prepare(mobilenetCases[0]!);
    const expected = ['patches', ...Array.from({ length: 13 }, () => 'depthwise'), 'pool', 'pixels'];
    expect(kindsOf(planOf(graph).plan)).toEqual(expected);
    expect(planOf(graph, true).plan.passes).toHaveLength(graph.stages.length);
    expect(kindsOf(planOf(quantized(graph)).plan)).toEqual(expected);
  });

  test('a 1x1 convolution that strides, or sees more than the picture, is none of pixels', () => {
    const one = otherCases.find(({ name }) => name.startsWith('depthwise before 1x1'))!;
    expect(kindsOf(planOf(prepare(one).graph).plan)).toEqual([
      ...['depthwise', 'patches', 'depthwise', 'patches'],
      // The pass of a depthwise and a 1x1 convolution.
      'depthwise',
    ]);
  });
});

test('no two parts of the memory overlap, and each thread has its own scratch', () => {
  for (const one of [...mobilenetCases, ...otherCases]) {
    for (const separate of [false, true]) {
      const { plan, weights } = planOf(prepare(one).graph, separate);
      const places = placesOf(plan, weights.byteLength).sort((a, b) => a.offset - b.offset);
      places.slice(1).forEach(({ name, offset }, i) => {
        const before = places[i]!;
        expect(offset, `${one.name}: ${before.name}, ${name}`).toBeGreaterThanOrEqual(before.offset + before.bytes);
      });
      const last = places.at(-1)!;
      expect(last.offset + last.bytes).toBeLessThanOrEqual(memoryBytesOf(plan, THREADS));
      for (const { input, output } of plan.passes) expect(input.offset).not.toBe(output.offset);
    }
  }
});

test('pictures go through in groups whose largest tensor stays below 4 MB, one at least', () => {
  const small = planOf(prepare(mobilenetCases[0]!).graph).plan;
  expect(small.groupSize).toBe(64);
  const large = planOf(fullSize(1)).plan;
  expect(large.groupSize).toBe(1);
  const medium = planOf(fullSize(0.25)).plan;
  const largest = Math.max(...[medium.input, ...medium.passes.map(({ output }) => output)].map(tensorBytes));
  expect(medium.groupSize * largest).toBeLessThanOrEqual(4 * 2 ** 20);
  expect((medium.groupSize + 1) * largest).toBeGreaterThan(4 * 2 ** 20);
});

test('MobileNetV1 of alpha 1 takes less than 32 MB for 224 x 224 with two threads, int8 less than 24 MB', () => {
  const graph = fullSize(1);
  expect(memoryBytesOf(planOf(graph).plan, 2) / 2 ** 20).toBeLessThan(32);
  expect(memoryBytesOf(planOf(quantized(graph)).plan, 2) / 2 ** 20).toBeLessThan(24);
});

function quantized(graph: InferenceGraph) {
  const read = quantizeGraph(graph, { inputRange });
  if ('unsupported' in read) throw new Error(`${read.unsupported.layerName} ${read.unsupported.reason}`);
  return read.graph;
}

/** Two buffers hold all tensors, each as large as its largest. */
function placesOf(plan: InferencePlan, weightBytes: number) {
  const { passes, input, groupSize, pixels, pictureChannels, channels, scratchBytes } = plan;
  const buffers = new Map<number, number>();
  for (const tensor of [input, ...passes.map(({ output }) => output)]) {
    const bytes = bufferBytes(tensor, groupSize);
    buffers.set(tensor.offset, Math.max(bytes, buffers.get(tensor.offset) ?? 0));
  }
  return [
    ...[...buffers].map(([offset, bytes], i) => ({ name: `buffer ${i}`, offset, bytes })),
    { name: 'pixels', offset: pixels, bytes: 4 * groupSize * input.size.height * input.size.width * pictureChannels },
    { name: 'weights', offset: plan.weights, bytes: weightBytes },
    { name: 'ones', offset: plan.ones, bytes: 4 * channels },
    { name: 'zeros', offset: plan.zeros, bytes: 4 * channels },
    { name: 'scaling', offset: plan.scaling.offset, bytes: 2 * 8 * input.channels },
    ...Array.from({ length: THREADS }, (_, thread) => ({
      name: `scratch ${thread}`,
      offset: plan.scratch + thread * scratchBytes,
      bytes: scratchBytes,
    })),
  ].filter(({ bytes }) => bytes > 0);
}
