import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { deepestBlock, imagesPerUnit, rowsPerBlock, shareOf, weightGradientBlocking } from '../../src/engine/blocking';
import { planTraining } from '../../src/engine/plan';
import { stageScratchBytes } from '../../src/engine/stageScratch';
import { packWeight, unpackWeight } from '../../src/engine/weightLayout';
import type { StageGraph } from '../../src/graph/stage';
import type { EngineKernels } from '../../src/kernels/engineKernels';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { flavours } from '../kernels/engine/arena';
import { createInlineEngine } from './inlineEngine';
import { chainCases, graphOf, mobilenetCases, prepare, weightsOf } from './models';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('blocking', () => {
  test('shares are contiguous, cover all units and differ by one at most', () => {
    for (const units of [0, 1, 7, 64, 1000]) {
      for (const threads of [1, 2, 3, 8]) {
        const shares = Array.from({ length: threads }, (_, thread) => shareOf(units, thread, threads));
        expect(shares[0]![0]).toBe(0);
        expect(shares.at(-1)![1]).toBe(units);
        shares.slice(1).forEach(([begin], i) => {
          expect(begin).toBe(shares[i]![1]);
        });
        const sizes = shares.map(([begin, end]) => end - begin);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }
    }
  });

  test('rows are whole tiles of 4 and of 6', () => {
    for (const depth of [4, 36, 512, 4608, 1e6]) expect(rowsPerBlock(depth) % 12).toBe(0);
  });

  test('the chunks of a weight gradient cover its pixels, and a smaller batch has no more of them', () => {
    for (const [pixels, K, F] of [
      [32_768, 32, 64],
      [128, 1024, 1024],
      [1, 8, 8],
      [1000, 36, 32],
    ] as const) {
      const whole = weightGradientBlocking(pixels, K, F);
      for (const P of [pixels, Math.ceil(pixels / 2), 1]) {
        const { chunks, rowsPerChunk, depth } = weightGradientBlocking(P, K, F);
        expect(chunks * rowsPerChunk).toBeGreaterThanOrEqual(P);
        expect((chunks - 1) * rowsPerChunk).toBeLessThan(P);
        expect(chunks).toBeLessThanOrEqual(whole.chunks);
        expect(depth).toBeLessThanOrEqual(deepestBlock(K));
      }
    }
    for (const images of [1, 7, 128]) expect(imagesPerUnit(images) * 8).toBeGreaterThanOrEqual(images);
  });
});

describe('layout of weights', () => {
  test('what is packed comes back, no two weights overlap, and padding stays 0', () => {
    for (const one of [...mobilenetCases, ...chainCases]) {
      const { model, graph } = prepare(one);
      const { layouts, floats } = planOf(graph).plans[0]!.weights;
      const packed = new Float32Array(floats);
      const counted = new Uint8Array(floats);
      model.weights.forEach((weight, i) => {
        const values = weight.read().dataSync();
        packWeight(layouts[i]!, values, packed);
        const { offset, floats: size } = layouts[i]!;
        for (let at = offset; at < offset + size; at++) counted[at]! += 1;
      });
      model.weights.forEach((weight, i) => {
        // Not toEqual: vitest takes a second for every million values.
        const isSame = Buffer.from(unpackWeight(layouts[i]!, packed).buffer).equals(bytesOf(weight.read().dataSync()));
        expect(isSame, `${one.name}, ${weight.name}`).toBe(true);
      });
      expect(counted.every((count) => count === 1)).toBe(true);
      const values = model.weights.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]), 0);
      expect(packed.reduce((count, value) => count + (value === 0 ? 0 : 1), 0)).toBeLessThanOrEqual(values);
    }
  });
});

test('MobileNetV1 of alpha 1 trains in less than 200 MB with batches of 128, stem stride 2, and Adam', () => {
  const graph = graphOf(mobilenetV1({ classes: 10, inputShape: [32, 32, 3] }));
  expect(planOf(graph, 128).memoryBytes / 2 ** 20).toBeLessThan(200);
});

test('a dense layer behind a flattened map needs scratch for one row of it', () => {
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [56, 56, 3], filters: 16, kernelSize: 1 }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 10 }),
    ],
  });
  const options = { graph: graphOf(model), weights: weightsOf(model), batchSize: 2, inputRange: [0, 1] } as const;
  const optimizer = { kind: 'sgd', weightDecay: 0 } as const;
  const { memoryBytes } = createInlineEngine(flavours[0]![1], { ...options, optimizer });
  // The dense kernel alone, its transposed copy and gradient, and feature maps of two pictures.
  expect(memoryBytes / 2 ** 20).toBeLessThan(30);
  model.dispose();
});

test.each(flavours)('%s: more than 2 GiB of scratch are counted, and not taken for a negative number', (_, bytes) => {
  const model = tfl.sequential();
  model.add(
    tfl.layers.depthwiseConv2d({ inputShape: [4096, 4096, 1], kernelSize: 3, padding: 'same', useBias: false }),
  );
  model.add(tfl.layers.globalAveragePooling2d({}));
  const stage = graphOf(model).stages[0]!;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const kernels = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports;
  expect(stageScratchBytes(kernels as unknown as EngineKernels, stage, 1, 1)).toBeGreaterThan(2 ** 31);
  model.dispose();
});

test('no two tensors of a plan overlap', () => {
  for (const one of chainCases) {
    const { plans, memoryBytes } = planOf(graphOf(one.build()));
    const plan = plans[0]!;
    const places = placesOf(plan).sort((a, b) => a.offset - b.offset);
    places.slice(1).forEach(({ offset, name }, i) => {
      const before = places[i]!;
      expect(offset, `${before.name}, ${name}`).toBeGreaterThanOrEqual(before.offset + before.bytes);
    });
    const last = places.at(-1)!;
    expect(last.offset + last.bytes).toBeLessThanOrEqual(memoryBytes);
  }
});

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function planOf(graph: StageGraph, batchSize = 5) {
  const weightDecayOn = ['kernel'] as const;
  const options = { batchSize, threads: 2, optimizerStates: 2, weightDecayOn, average: true, accumulate: true };
  return planTraining([graph], { ...options, scratchBytes: () => 4096 });
}

function placesOf(plan: ReturnType<typeof planOf>['plans'][number]) {
  const { batchSize, weights, graph } = plan;
  const maps = plan.stages.flatMap(({ stage, channels, z, mask, vectors }) => {
    const bytes = 4 * batchSize * stage.output.height * stage.output.width * channels;
    return [
      { name: `${stage.name} z`, offset: z, bytes },
      ...(mask ? [{ name: `${stage.name} mask`, offset: mask, bytes }] : []),
      ...Object.entries(vectors).map(([name, offset]) => ({
        name: `${stage.name} ${name}`,
        offset,
        bytes: 4 * channels,
      })),
    ];
  });
  const trainable = 4 * weights.trainableFloats;
  return [
    ...maps,
    { name: 'labels', offset: plan.labels, bytes: 4 * batchSize },
    { name: 'targets', offset: plan.targets, bytes: 4 * batchSize * graph.classes },
    { name: 'outputs', offset: plan.outputs, bytes: 4 * batchSize * graph.classes },
    { name: 'losses', offset: plan.losses, bytes: 8 * batchSize },
    { name: 'gradients', offset: plan.gradients, bytes: trainable },
    { name: 'gradients that wait', offset: plan.accumulated, bytes: trainable },
    { name: 'average', offset: plan.average, bytes: 4 * weights.floats },
    ...plan.optimizerStates.map((offset, i) => ({ name: `state ${i}`, offset, bytes: trainable })),
    ...plan.weightCopies.map((offset, i) => ({ name: `weights ${i}`, offset, bytes: 4 * weights.floats })),
    { name: 'scratch', offset: plan.scratch, bytes: plan.threads * plan.scratchBytes },
  ];
}
