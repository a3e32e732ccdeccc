import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import type { OptimizerSettings } from '../../src/engine/optimizer';
import { goldenCase, type Summary, summarize, summaryError } from '../golden/goldenCase';
import { flavours } from '../kernels/engine/arena';
import { createInlineEngine } from './inlineEngine';
import { type ReferenceState, trainingStep } from './reference';
import { softTargets } from './referenceLoss';
import { freshOptimizerState } from './referenceOptimizers';

// The engine in float32 against ten steps that Keras (SGD) and PyTorch (Adam) took in float64.

const optimizers: Record<'keras' | 'pytorch', OptimizerSettings> = {
  keras: { kind: 'sgd', weightDecay: 0 },
  pytorch: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 },
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(flavours)('%s', (_, bytes) => {
  test.each(['keras', 'pytorch'] as const)(
    'ten steps of %s: losses within 1e-4, gradients of the first within 1e-3, new weights within 1e-6',
    (framework) => {
      const { graph, names, weights, batches, expected } = goldenCase(framework);
      const { inputRange } = batches[0]!;
      const { learningRate } = expected.optimizer;
      const start = (from: readonly ArrayLike<number>[]) =>
        createInlineEngine(bytes, {
          graph,
          weights: from,
          batchSize: expected.batchSize,
          optimizer: optimizers[framework],
          inputRange,
        });
      const worst = (tensors: (Float32Array | undefined)[], summaries: Record<string, Summary>) => {
        const found = tensors.flatMap((values, index) => (values ? [[names[index]!, values] as const] : []));
        expect(new Set(found.map(([name]) => name))).toEqual(new Set(Object.keys(summaries)));
        return Math.max(
          ...found.map(([name, values]) => summaryError(summarize(values), summaries[name]!, values.length)),
        );
      };
      let engine = start(weights);
      let state: ReferenceState = { weights, optimizer: freshOptimizerState };
      batches.forEach((batch, step) => {
        const { loss } = engine.step(
          { ...batch.bytes, targets: softTargets(batch.labels, graph.classes) },
          { learningRate, dropoutSeed: 0 },
        );
        expect(Math.abs(loss - expected.losses[step]!), `loss of step ${step}`).toBeLessThan(1e-4);
        if (step === 0) {
          expect(worst(engine.gradients(), expected.gradients)).toBeLessThan(1e-3);
          expect(worst(engine.weights(), expected.weightsAfter1)).toBeLessThan(1e-6);
        }
        // The Keras case is chaotic: each step starts from the reference's state, which repeats Keras's to 1e-9.
        if (framework === 'pytorch') return;
        state = trainingStep(graph, state, batch, expected.optimizer).state;
        engine = start(state.weights);
      });
      const error = worst(engine.weights(), expected.weightsAfter10);
      expect(error).toBeLessThan(framework === 'keras' ? 1e-6 : 1e-3);
    },
  );
});
