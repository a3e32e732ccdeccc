import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import type { StageGraph } from '../../src/graph/stage';
import { createRandom } from '../../src/random';
import { chainCases, type EngineCase, frozenCases, mobilenetCases, prepare, relativeL2, weightsOf } from './models';
import { lossAndGradients, type ReferenceBatch, trainingLoss, type Weights } from './reference';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The loss's derivative along `direction` in one weight, by central differences. */
function derivative(
  graph: StageGraph,
  weights: Weights,
  batch: ReferenceBatch,
  { index, direction, step }: { index: number; direction: Float64Array; step: number },
): number {
  const [above, below] = [step, -step].map((length) => {
    const moved = [...weights];
    moved[index] = weights[index]!.map((value, at) => value + length * direction[at]!);
    return trainingLoss(graph, moved, batch);
  });
  return (above! - below!) / (2 * step);
}

/** tfjs can build but not train a batch norm without gamma or beta. */
const withoutGammaOrBeta: EngineCase = {
  name: 'batch norms without gamma or beta behind a bias',
  seed: 1,
  batchSize: 4,
  labelSmoothing: 0.1,
  build: () =>
    tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [6, 5, 3], filters: 6, kernelSize: 3, padding: 'same' }),
        tfl.layers.batchNormalization({ scale: false }),
        tfl.layers.reLU({ maxValue: 6 }),
        tfl.layers.depthwiseConv2d({ kernelSize: [3, 2], depthMultiplier: 2, strides: [2, 2] }),
        tfl.layers.batchNormalization({ center: false }),
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 4, activation: 'softmax' }),
      ],
    }),
};

const mobilenets = ['alpha 0.25', 'batch norms frozen'];
const small = [...mobilenetCases, ...frozenCases].filter(({ name }) => mobilenets.includes(name));
for (const engineCase of [...small, ...chainCases, withoutGammaOrBeta]) {
  const { name, seed } = engineCase;
  test(`${name}: gradients within 1e-6 of finite differences (seed ${seed})`, () => {
    const { model, graph, batch } = prepare(engineCase);
    const weights = weightsOf(model);
    const { gradients } = lossAndGradients(graph, weights, batch);
    for (const [index, gradient] of gradients) {
      const random = createRandom(seed, index);
      const norm = relativeL2(
        gradient,
        gradient.map(() => 0),
      );
      // Partly along the gradient, so that an error of its size shows, partly across it, so that a wrong direction does.
      const direction = gradient.map((g) => g / Math.max(norm, 1e-9) + random.normal() / Math.sqrt(gradient.length));
      const expected = gradient.reduce((sum, g, at) => sum + g * direction[at]!, 0);
      // So small that the loss moves by 1e-6 and no activation crosses a bound of its clamp.
      const step = 1e-6 / Math.max(norm, 1);
      const actual = derivative(graph, weights, batch, { index, direction, step });
      const { name } = graph.weights[index]!;
      expect(Math.abs(actual - expected) / Math.max(norm, 1), name).toBeLessThan(1e-6);
    }
  });
}
