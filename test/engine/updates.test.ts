import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { OptimizerSettings, WeightRole } from '../../src/engine/optimizer';
import type { EngineBatch, TrainingEngineOptions } from '../../src/engine/trainingEngine';
import { weightRoles } from '../../src/engine/weightRoles';
import { flavours } from '../kernels/engine/arena';
import { createInlineEngine } from './inlineEngine';
import { chainCases, graphOf, mobilenetCases, prepare, randomBatch, relativeL2, weightsOf } from './models';
import { type LossAndGradients, lossAndGradients, type ReferenceBatch } from './reference';
import { softTargets } from './referenceLoss';
import { addGradients, clipGradients, decayedWeights, freshOptimizerState, updateWeights } from './referenceOptimizers';

// What becomes of gradients before and after the optimizer, against the same in float64.

const RATE = 0.05;
const momentum: OptimizerSettings = { kind: 'momentum', momentum: 0.9, nesterov: true, weightDecay: 0.1 };
const settings = { learningRate: RATE, dropoutSeed: 1 };

beforeAll(() => setBackend('cpu'));

/** A MobileNet, and two batches for the engine and for the reference. */
function setUp(one = mobilenetCases[0]!) {
  const { model, graph, batch } = prepare(one);
  const other = randomBatch(model, one.batchSize, one.seed + 1);
  const engineBatches = [batch, other].map(
    ({ bytes, labels }): EngineBatch => ({ ...bytes, targets: softTargets(labels, graph.classes) }),
  ) as [EngineBatch, EngineBatch];
  const weights = weightsOf(model);
  const options = { graph, weights, batchSize: one.batchSize, optimizer: momentum, inputRange: batch.inputRange };
  return { graph, weights, options, batches: engineBatches, references: [batch, other] as const };
}

/** A batch whose loss is NaN. */
const broken = (batch: EngineBatch): EngineBatch => ({ ...batch, targets: batch.targets.map(() => Number.NaN) });

/** How far the movement of each weight is from the reference's, relative to it, at most; rounding the weight aside. */
function worstMovement(
  updated: readonly (Float32Array | undefined)[],
  weights: readonly Float64Array[],
  gradients: Map<number, Float64Array>,
  decayed: ReadonlySet<number>,
): number {
  const spec = { ...momentum, learningRate: RATE };
  const expected = updateWeights(spec, freshOptimizerState, weights, gradients, decayed).weights;
  const distance = (one: ArrayLike<number>, other: Float64Array) =>
    Math.hypot(...other.map((value, at) => one[at]! - value));
  const errors = [...gradients.keys()].map((i) => {
    const rounding = 2 ** -24 * Math.hypot(...weights[i]!);
    return (distance(updated[i]!, expected[i]!) - rounding) / distance(expected[i]!, weights[i]!);
  });
  return Math.max(...errors);
}

describe.each(flavours)('%s', (_, bytes) => {
  const start = (options: TrainingEngineOptions) => createInlineEngine(bytes, options);

  test('gradients are clipped by their norm over all weights, and only where it is larger', () => {
    const { graph, weights, options, batches, references } = setUp();
    const { gradients } = lossAndGradients(graph, weights, references[0]);
    const clipNorm = 0.25;
    const clipped = clipGradients(gradients, clipNorm);
    expect(relativeL2(clipped.get(0)!, gradients.get(0)!)).toBeGreaterThan(0.1);
    const engine = start({ ...options, clipNorm });
    engine.step(batches[0], settings);
    expect(worstMovement(engine.weights(), weights, clipped, decayedWeights(graph))).toBeLessThan(1e-3);

    const [free, wide] = [start(options), start({ ...options, clipNorm: 1e6 })];
    for (const one of [free, wide]) one.step(batches[0], settings);
    expect(wide.weights()).toEqual(free.weights());
  });

  test('gradients of several batches are added up, each times its share', () => {
    const { graph, weights, options, batches, references } = setUp();
    const shares = [0.25, 0.75] as const;
    const engine = start(options);
    const first = engine.step(batches[0], { ...settings, share: shares[0], update: false });
    expect(first.finite).toBe(true);
    const results = references.map(
      (batch: ReferenceBatch): LossAndGradients => lossAndGradients(graph, weights, batch),
    );
    const [one, two] = results as [LossAndGradients, LossAndGradients];
    const waiting = engine.weights();
    for (const index of one.gradients.keys()) expect(waiting[index]).toEqual(Float32Array.from(weights[index]!));
    for (const [index, moved] of one.movingAverages) expect(relativeL2(waiting[index]!, moved)).toBeLessThan(1e-5);

    engine.step(batches[1], { ...settings, share: shares[1] });
    const sum = addGradients(addGradients(new Map(), one.gradients, shares[0]), two.gradients, shares[1]);
    expect(worstMovement(engine.weights(), weights, sum, decayedWeights(graph))).toBeLessThan(1e-3);
    expect(engine.readState().updates).toBe(1);
  });

  test('a share of a batch that waits for no other scales its gradients', () => {
    const { graph, weights, options, batches, references } = setUp();
    const engine = start({ ...options, clipNorm: 1e6 });
    engine.step(batches[0], { ...settings, share: 0.5 });
    const half = addGradients(new Map(), lossAndGradients(graph, weights, references[0]).gradients, 0.5);
    expect(worstMovement(engine.weights(), weights, half, decayedWeights(graph))).toBeLessThan(1e-3);
  });

  test('what is restored are the weights that the last finite loss was computed from, also of a batch that waited', () => {
    const { graph, options, batches } = setUp(chainCases[1]);
    const trained = (weights: (Float32Array | undefined)[]) =>
      weights.filter((_, i) => weightRoles(graph)[i] !== undefined);
    const hold = { ...settings, share: 0.5, update: false };
    const steps = [settings, hold, hold, { ...settings, share: 0.5 }, settings, hold, { ...settings, share: 0.5 }];
    for (let last = 0; last < steps.length; last++) {
      const engine = start(options);
      let before = engine.weights();
      for (const step of steps.slice(0, last + 1)) {
        before = engine.weights();
        engine.step(batches[0], step);
        if (step === hold) expect(trained(engine.weights())).toEqual(trained(before));
      }
      expect(engine.weights()).not.toEqual(before);
      expect(engine.step(broken(batches[1]), settings).loss).toBeNaN();
      engine.restore();
      expect(engine.weights(), `step ${last}`).toEqual(before);
    }
  });

  test('after a restoration, gradients that waited are gone', () => {
    const { options, batches } = setUp(chainCases[1]);
    const [engine, twin] = [start(options), start(options)];
    engine.step(batches[1], { ...settings, share: 0.5, update: false });
    engine.step(broken(batches[1]), settings);
    engine.restore();
    for (const one of [engine, twin]) one.step(batches[0], settings);
    expect(engine.readState()).toEqual(twin.readState());
  });

  test('the average follows all weights within 1e-6 of its definition, and predicts', () => {
    const { options, batches } = setUp(chainCases[1]);
    const engine = start({ ...options, average: true });
    const averageDecay = 0.8;
    let expected = engine.weights().map((weight) => Float64Array.from(weight!));
    expect(engine.weights('average')).toEqual(engine.weights());
    for (const [step, update] of [true, false, true, true].entries()) {
      engine.step(batches[step % 2]!, { ...settings, share: update ? 1 : 0.5, update, averageDecay });
      if (!update) continue;
      const now = engine.weights();
      expected = expected.map((values, i) =>
        values.map((a, at) => averageDecay * a + (1 - averageDecay) * now[i]![at]!),
      );
    }
    const average = engine.weights('average');
    expected.forEach((values, i) => {
      expect(relativeL2(average[i]!, values)).toBeLessThan(1e-6);
    });
    const twin = start({ ...options, weights: average as Float32Array[] });
    expect(engine.predict(batches[0], 'average')).toEqual(twin.predict(batches[0]));
    expect(engine.predict(batches[0])).not.toEqual(twin.predict(batches[0]));

    engine.step(batches[0], settings);
    expect(engine.weights('average'), 'an update without averageDecay').toEqual(average);
    const { finite } = engine.step(batches[0], { ...settings, learningRate: Number.NaN, averageDecay });
    expect(finite).toBe(false);
    expect(engine.weights('average'), 'an update that is not finite').toEqual(average);
  });

  test.each<WeightRole[]>([
    [],
    ['kernel'],
    ['depthwise', 'bias'],
    ['batchNorm'],
    ['kernel', 'depthwise', 'bias', 'batchNorm'],
  ])('of weights that decay, only those change by it: %s', (...weightDecayOn) => {
    const { graph, weights, options, batches } = setUp();
    const sgd = (weightDecay: number): OptimizerSettings => ({ kind: 'sgd', weightDecay });
    const [plain, decaying] = [0, 0.5].map((weightDecay) => {
      const engine = start({ ...options, optimizer: sgd(weightDecay), weightDecayOn });
      engine.step(batches[0], settings);
      return engine.weights();
    });
    const decayed = decayedWeights(graph, weightDecayOn);
    plain!.forEach((values, i) => {
      const shrunk = values!.map((value, at) => value - (decayed.has(i) ? RATE * 0.5 * weights[i]![at]! : 0));
      expect(relativeL2(decaying![i]!, shrunk), graph.weights[i]!.name).toBeLessThan(decayed.has(i) ? 2e-7 : 1e-30);
    });
  });
});

test("a weight's role goes by its layer and its name", () => {
  const roles = {
    kernel: 'kernel',
    depthwise_kernel: 'depthwise',
    bias: 'bias',
    gamma: 'batchNorm',
    beta: 'batchNorm',
  };
  for (const one of [mobilenetCases[0]!, ...chainCases]) {
    const graph = graphOf(one.build());
    const expected = graph.weights.map(({ name }) => roles[name.split('/').at(-1) as keyof typeof roles]);
    expect(weightRoles(graph), one.name).toEqual(expected);
  }
});
