import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import type { StageGraph } from '../../src/graph/stage';
import { chainCases, frozenCases, mobilenetCases, prepare, relativeL2, weightsOf, writeWeights } from './models';
import {
  kinkDistance,
  predict,
  type ReferenceBatch,
  type ReferenceState,
  trainingStep,
  type Weights,
} from './reference';
import { softTargets } from './referenceLoss';
import { decayedWeights, freshOptimizerState, type OptimizerSpec } from './referenceOptimizers';
import { tfjsStep } from './tfjsStep';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const sgd: OptimizerSpec = { kind: 'sgd', learningRate: 0.01 };

/** The largest relative L2 error of tfjs, over tensors. */
function largestError(theirs: (index: number) => ArrayLike<number>, ours: Iterable<[number, Float64Array]>): number {
  return Math.max(...Array.from(ours, ([index, values]) => relativeL2(theirs(index), values)));
}

/** Checks one step of SGD, by tfjs and by the reference, from the same weights. */
async function expectAgreement(model: LayersModel, graph: StageGraph, batch: ReferenceBatch, bound: number) {
  const weights = weightsOf(model);
  const theirs = await tfjsStep(model, batch, { optimizer: sgd });
  const ours = trainingStep(graph, { weights, optimizer: freshOptimizerState }, batch, sgd);
  expect(Math.abs(ours.loss - theirs.loss)).toBeLessThan(bound);
  expect(ours.correct).toBe(theirs.correct);
  expect(new Set(ours.gradients.keys())).toEqual(new Set(theirs.gradients.keys()));
  expect(largestError((index) => theirs.gradients.get(index)!, ours.gradients)).toBeLessThan(bound);
  expect(largestError((index) => theirs.weights[index]!, ours.state.weights.entries())).toBeLessThan(bound);
}

for (const engineCase of [...mobilenetCases, ...frozenCases, ...chainCases]) {
  const { name, seed, batchSize } = engineCase;
  test(`${name}: loss, gradients, weights within 1e-3 of tfjs cpu, predictions within 2e-6 (seed ${seed})`, async () => {
    const { model, graph, batch } = prepare(engineCase);
    const weights = weightsOf(model);
    expect(kinkDistance(graph, weights, batch)).toBeGreaterThan(1e-5);
    await expectAgreement(model, graph, batch, 1e-3);

    const pictures = tf.tensor(batch.images, [batchSize, ...(model.inputs[0]!.shape.slice(1) as number[])]);
    const predicted = (model.predict(pictures) as tf.Tensor).dataSync();
    expect(relativeL2(predicted, predict(graph, weights, batch.images))).toBeLessThan(2e-6);
  });
}

test('probabilities that the loss clips: within 1e-4 of tfjs cpu', async () => {
  const { model, graph, batch } = prepare(chainCases[0]!);
  const weights: Weights = weightsOf(model);
  const { kernel } = graph.stages.at(-1) as { kernel: { index: number } };
  weights[kernel.index]!.forEach((value, at, all) => {
    all[at] = 30 * value;
  });
  writeWeights(model, weights);
  const rounded = weightsOf(model);
  const p = predict(graph, rounded, batch.images);
  expect(p.some((value) => value < 1e-7)).toBe(true);
  expect(p.some((value) => value > 1 - 1e-7)).toBe(true);
  await expectAgreement(model, graph, batch, 1e-4);
  await expectAgreement(model, graph, { ...batch, targets: softTargets(batch.labels, graph.classes, 0.2) }, 1e-4);
});

const moments = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
const optimizers: OptimizerSpec[] = [
  sgd,
  { kind: 'momentum', learningRate: 0.01, momentum: 0.9 },
  { kind: 'adam', learningRate: 0.001, ...moments },
  { kind: 'adam', learningRate: 0.001, weightDecay: 0.5, ...moments },
  { kind: 'momentum', learningRate: 0.01, momentum: 0.9, nesterov: false, weightDecay: 0.5 },
  { kind: 'rmsprop', learningRate: 0.001, decay: 0.9, epsilon: 1e-7 },
  { kind: 'rmsprop', learningRate: 0.001, decay: 0.9, epsilon: 1e-7, momentum: 0.9 },
];
for (const optimizer of optimizers) {
  test(`${JSON.stringify(optimizer)}: three steps, each from the reference's state, move the weights within 1e-4 of tfjs cpu`, async () => {
    const { model, graph, batch } = prepare(chainCases[1]!);
    const decayed = decayedWeights(graph);
    let state: ReferenceState = { weights: weightsOf(model), optimizer: freshOptimizerState };
    for (let step = 0; step < 3; step++) {
      writeWeights(model, state.weights);
      const weights = weightsOf(model);
      const theirs = await tfjsStep(model, batch, { optimizer, state: state.optimizer, decayed });
      const ours = trainingStep(graph, { weights, optimizer: state.optimizer }, batch, optimizer);
      ours.state.weights.forEach((weight, index) => {
        const moved = (values: Float64Array) => values.map((value, at) => value - weights[index]![at]!);
        expect(relativeL2(moved(theirs.weights[index]!), moved(weight)), graph.weights[index]!.name).toBeLessThan(1e-4);
      });
      state = ours.state;
    }
    expect(state.optimizer.step).toBe(3);
  });
}
