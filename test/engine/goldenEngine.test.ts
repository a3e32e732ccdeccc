import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import type { OptimizerSettings } from '../../src/engine/optimizer';
import { goldenCase, type Summary, summarize, summaryError } from '../golden/goldenCase';
import { flavours } from '../kernels/engine/arena';
import { createInlineEngine } from './inlineEngine';

// The engine in float32 against ten steps that Keras (SGD) and PyTorch (Adam) took in float64.

const optimizers: Record<'keras' | 'pytorch', OptimizerSettings> = {
  keras: { kind: 'sgd' },
  pytorch: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 },
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(flavours)('%s', (_, bytes) => {
  test.each([
    { framework: 'keras', losses: 1e-4, gradients: 1e-2, weights: 1e-3 },
    { framework: 'pytorch', losses: 1e-4, gradients: 1e-2, weights: 1e-3 },
  ] as const)(
    'ten steps of $framework: losses within $losses, gradients within $gradients, weights within $weights',
    ({ framework, ...bounds }) => {
      const { graph, names, weights, batches, expected } = goldenCase(framework);
      const engine = createInlineEngine(bytes, {
        graph,
        weights,
        batchSize: expected.batchSize,
        optimizer: optimizers[framework],
        inputRange: batches[0]!.inputRange,
        labelSmoothing: 0,
      });
      const compare = (tensors: (Float32Array | undefined)[], summaries: Record<string, Summary>, bound: number) => {
        const seen = tensors.flatMap((values, index) => {
          const name = names[index]!;
          if (!values) return [];
          expect(summaryError(summarize(values), summaries[name]!, values.length), name).toBeLessThan(bound);
          return [name];
        });
        expect(new Set(seen)).toEqual(new Set(Object.keys(summaries)));
      };
      const errors = batches.map(({ bytes: pictures, labels }, step) => {
        const { loss } = engine.step(pictures.images, labels, expected.optimizer.learningRate);
        if (step === 0) {
          compare(engine.gradients(), expected.gradients, bounds.gradients);
          compare(engine.weights(), expected.weightsAfter1, bounds.weights);
        }
        return Math.abs(loss - expected.losses[step]!);
      });
      expect(Math.max(...errors)).toBeLessThan(bounds.losses);
      compare(engine.weights(), expected.weightsAfter10, bounds.weights);
    },
  );
});
