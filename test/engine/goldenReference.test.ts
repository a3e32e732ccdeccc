import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { goldenCase, type Summary, summarize, summaryError } from '../golden/goldenCase';
import { type ReferenceState, trainingStep } from './reference';
import { freshOptimizerState } from './referenceOptimizers';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

for (const framework of ['keras', 'pytorch'] as const) {
  test(`the reference repeats ten steps of ${framework}: losses within 1e-9, tensors within 1e-7`, () => {
    const { graph, names, weights, batches, expected } = goldenCase(framework);
    const expectSummaries = (tensors: Iterable<[number, Float64Array]>, summaries: Record<string, Summary>) => {
      const seen = Array.from(tensors, ([index, values]) => {
        const name = names[index]!;
        expect(summaryError(summarize(values), summaries[name]!, values.length), name).toBeLessThan(1e-7);
        return name;
      });
      expect(new Set(seen)).toEqual(new Set(Object.keys(summaries)));
    };

    let state: ReferenceState = { weights, optimizer: freshOptimizerState };
    batches.forEach((batch, step) => {
      const result = trainingStep(graph, state, batch, expected.optimizer);
      expect(Math.abs(result.loss - expected.losses[step]!), `loss of step ${step}`).toBeLessThan(1e-9);
      if (step === 0) {
        expectSummaries(result.gradients, expected.gradients);
        expectSummaries(result.state.weights.entries(), expected.weightsAfter1);
      }
      state = result.state;
    });
    expectSummaries(state.weights.entries(), expected.weightsAfter10);
  });
}
