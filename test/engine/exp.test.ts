import { test } from 'vitest';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { goldenCase } from '../golden/goldenCase';
import { tfjsStep } from './tfjsStep';
import { writeWeights } from './models';
import { trainingStep } from './reference';
import { freshOptimizerState } from './referenceOptimizers';
test('x', async () => {
  await tf.setBackend('cpu');
  for (const name of ['pytorch'] as const) {
    const { model, graph, batches, expected, weights } = goldenCase(name);
    let state: any = { weights, optimizer: freshOptimizerState };
    const out: string[] = [];
    for (const [i, batch] of batches.entries()) {
      const s = await tfjsStep(model, batch, { optimizer: expected.optimizer, state: state.optimizer });
      writeWeights(model, s.weights); // free running weights; optimizer moments of the reference
      state = trainingStep(graph, state, batch, expected.optimizer).state;
      out.push((s.loss - expected.losses[i]!).toExponential(1));
    }
    console.log('FR', name, out.join(' '));
  }
}, 600000);
