import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import type { OptimizerSettings } from '../../src/engine/optimizer';
import { flavours } from '../kernels/engine/arena';
import { createInlineEngine } from './inlineEngine';
import { chainCases, type EngineCase, frozenCases, mobilenetCases, prepare, relativeL2, weightsOf } from './models';
import { type LossAndGradients, type ReferenceBatch, trainingStep } from './reference';
import { decayedWeights, freshOptimizerState, type OptimizerSpec } from './referenceOptimizers';
import { tfjsStep } from './tfjsStep';

// One training step from one state, three ways: the reference (plain loops in float64), tfjs `cpu` and the engine, in all
// its flavours. Per tensor the engine's error (relative L2) may be four times that of tfjs, or a few roundings of float32. The
// cases are well conditioned: see `small` and the seeds in models.ts.

const TIMES = 4;
const ROUNDINGS = 2 ** -20;

const cases: EngineCase[] = [...mobilenetCases, ...frozenCases, ...chainCases];

const adam = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;
const rmsprop = { kind: 'rmsprop', decay: 0.9, epsilon: 1e-7 } as const;
const optimizers: Record<string, OptimizerSettings & OptimizerSpec> = {
  sgd: { kind: 'sgd', weightDecay: 0, learningRate: 0.01 },
  'sgd that decays': { kind: 'sgd', weightDecay: 0.1, learningRate: 0.01 },
  momentum: { kind: 'momentum', momentum: 0.9, nesterov: true, weightDecay: 0.1, learningRate: 0.01 },
  adam: { ...adam, weightDecay: 0, learningRate: 0.001 },
  adamw: { ...adam, weightDecay: 0.1, learningRate: 0.001 },
  rmsprop: { ...rmsprop, momentum: 0, weightDecay: 0.1, learningRate: 1e-4 },
  'rmsprop with momentum': { ...rmsprop, momentum: 0.9, weightDecay: 0, learningRate: 1e-4 },
};

beforeAll(() => setBackend('cpu'));

test.each(cases.map((one) => [one.name, one.seed, one] as const))(
  `a step's error is at most 4 times that of tfjs cpu: %s, seed %i`,
  async (_name, _seed, one) => checkStep(one, optimizers.sgd!),
);

// RMSprop's first step is next to the sign of each gradient, so it tells nothing where gradients are not all but exact.
test.each(
  Object.entries(optimizers).map(([name, optimizer]) => {
    const one = optimizer.kind === 'rmsprop' ? chainCases[0]! : mobilenetCases[0]!;
    return [one.name, name, one, optimizer] as const;
  }),
)(`a step's error is at most 4 times that of tfjs cpu: %s with %s`, async (_name, _optimizer, one, optimizer) => {
  await checkStep(one, optimizer);
});

type Optimizer = OptimizerSettings & OptimizerSpec;

async function checkStep(one: EngineCase, optimizer: Optimizer): Promise<void> {
  const prepared = prepare(one);
  const { model, graph, batch: pictures } = prepared;
  const weights = weightsOf(model);
  const steps = flavours.map(([flavour, bytes]) => ({ flavour, ...engineStep(bytes, one, prepared, optimizer) }));
  const batch: ReferenceBatch = { ...pictures, dropoutMasks: steps[0]!.dropoutMasks };
  const expected = trainingStep(graph, { weights, optimizer: freshOptimizerState }, batch, optimizer);
  const peer = await tfjsStep(model, batch, { optimizer, decayed: decayedWeights(graph) });
  const nameOf = (index: number) => graph.weights[index]!.name;
  for (const { flavour, outcome, dropoutMasks, gradients, updated } of steps) {
    expect(dropoutMasks, flavour).toEqual(batch.dropoutMasks);
    expect(outcome, flavour).toMatchObject({ correct: expected.correct, finite: true });
    expect(gradientIndices(expected)).toEqual(gradients.flatMap((gradient, index) => (gradient ? [index] : [])));
    expectClose(flavour, [
      ['loss', [outcome.loss], [peer.loss], [expected.loss]],
      ...[...expected.gradients].map(
        ([index, truth]) => [nameOf(index), gradients[index]!, peer.gradients.get(index)!, truth] as const,
      ),
    ]);
    expectClose(
      flavour,
      [...expected.state.weights.entries()].map(
        ([index, truth]) => [nameOf(index), updated[index]!, peer.weights[index]!, truth] as const,
      ),
    );
  }
}

/** The step by one flavour of the engine, and what its dropouts drew. */
function engineStep(
  bytes: BufferSource,
  one: EngineCase,
  { model, graph, batch: pictures }: ReturnType<typeof prepare>,
  optimizer: Optimizer,
) {
  const engine = createInlineEngine(bytes, {
    graph,
    weights: weightsOf(model),
    batchSize: one.batchSize,
    optimizer,
    inputRange: pictures.inputRange,
  });
  const { learningRate } = optimizer;
  const outcome = engine.step(
    { ...pictures.bytes, targets: pictures.targets },
    { learningRate, dropoutSeed: one.seed },
  );
  const dropoutMasks = masksOf(engine, one.batchSize);
  return { outcome, dropoutMasks, gradients: engine.gradients(), updated: engine.weights() };
}

type Values = ArrayLike<number>;
type Compared = readonly [name: string, engine: Values, tfjs: Values, truth: Values];

/** Where tfjs is luckier with a tensor than with half of the others, its median error counts. */
function expectClose(flavour: string, tensors: readonly Compared[]): void {
  const errors = tensors.map(([name, engine, tfjs, truth]) => ({
    name,
    engine: relativeL2(engine, truth),
    tfjs: relativeL2(tfjs, truth),
  }));
  const median = errors.map(({ tfjs }) => tfjs).sort((a, b) => a - b)[errors.length >> 1]!;
  const worse = errors.flatMap(({ name, engine, tfjs }) => {
    const bound = Math.max(TIMES * Math.max(tfjs, median), ROUNDINGS);
    return engine <= bound ? [] : [`${name}: ${engine.toExponential(1)} > ${bound.toExponential(1)}`];
  });
  expect(worse, flavour).toEqual([]);
}

const gradientIndices = ({ gradients }: LossAndGradients) => [...gradients.keys()].sort((a, b) => a - b);

/** The factors that the engine's dropouts drew, without the padding of their channels. */
function masksOf({ plan, memory }: ReturnType<typeof createInlineEngine>, images: number): Float32Array[] {
  const dropouts = plan.stages.filter(({ mask }) => mask > 0);
  return dropouts.map(({ mask, channels, stage }) => {
    const { height, width, channels: real } = stage.output;
    const padded = new Float32Array(memory.buffer, mask, images * height * width * channels);
    return padded.filter((_, i) => i % channels < real);
  });
}
