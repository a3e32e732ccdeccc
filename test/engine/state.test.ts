import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { OPTIMIZER_SLOTS, type OptimizerSettings } from '../../src/engine/optimizer';
import {
  createTrainingEngine,
  type EngineBatch,
  type EngineStepSettings,
  type TrainingEngineOptions,
} from '../../src/engine/trainingEngine';
import { flavours } from '../kernels/engine/arena';
import { createInlineEngine } from './inlineEngine';
import { chainCases, prepare, randomBatch, weightsOf } from './models';
import { softTargets } from './referenceLoss';

const weightDecay = 0.01;
const optimizers: OptimizerSettings[] = [
  { kind: 'sgd', weightDecay },
  { kind: 'momentum', momentum: 0.9, nesterov: false, weightDecay },
  { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay },
  { kind: 'rmsprop', decay: 0.9, momentum: 0, epsilon: 1e-7, weightDecay },
  { kind: 'rmsprop', decay: 0.9, momentum: 0.9, epsilon: 1e-7, weightDecay },
];

beforeAll(() => setBackend('cpu'));

/** A chain with batch norm and dropout, and batches for it. */
function setUp(optimizer: OptimizerSettings) {
  const one = chainCases[1]!;
  const { model, graph, batch } = prepare(one);
  const weights = weightsOf(model);
  const options: TrainingEngineOptions = {
    ...{ graph, weights, batchSize: one.batchSize, optimizer, inputRange: batch.inputRange },
    ...{ average: true, clipNorm: 0.5, weightDecayOn: ['kernel', 'bias'] },
  };
  const batches = [1, 2, 3, 4].map((seed): EngineBatch => {
    const { bytes, labels } = randomBatch(model, one.batchSize, seed);
    return { ...bytes, targets: softTargets(labels, graph.classes, 0.1) };
  });
  return { options, batches };
}

const settingsOf = (step: number): EngineStepSettings => ({
  ...{ learningRate: 0.01 / (1 + step), dropoutSeed: step, averageDecay: 0.9 },
  ...{ share: step % 2 === 0 ? 1 : 0.5, update: step % 4 !== 1 },
});

describe.each(flavours)('%s', (_, bytes) => {
  test.each(optimizers)('what goes on from a state has the same bits: %o', (optimizer) => {
    const { options, batches } = setUp(optimizer);
    const engine = createInlineEngine(bytes, options);
    const run = (one: typeof engine, from: number, to: number) =>
      batches.slice(from, to).map((batch, i) => one.step(batch, settingsOf(from + i)).loss);
    run(engine, 0, 1);
    // A state that was read is what it was, whatever comes next.
    const state = structuredClone(engine.readState());
    const other = createInlineEngine(bytes, {
      ...options,
      weights: options.weights.map((weight) => Array.from(weight).fill(0.1)),
    });
    run(other, 2, 4);
    other.writeState(state);
    expect(other.readState()).toEqual(state);
    expect(run(other, 1, 4)).toEqual(run(engine, 1, 4));
    expect(other.readState()).toEqual(engine.readState());
    expect(engine.readState().updates).toBe(3);
    expect(Object.keys(state.slots)).toEqual([...OPTIMIZER_SLOTS[optimizer.kind]]);
    for (const slot of Object.values(state.slots)) {
      slot.forEach((values, i) => {
        const isTrained = !/moving/.test(options.graph.weights[i]!.name);
        expect(values?.length).toBe(isTrained ? options.weights[i]!.length : undefined);
      });
    }
  });

  test('an average that a state does not have begins as a copy of the weights', () => {
    const { options } = setUp(optimizers[0]!);
    const engine = createInlineEngine(bytes, options);
    engine.writeState({ ...engine.readState(), average: undefined });
    expect(engine.weights('average')).toEqual(engine.weights());
  });

  test('gradients that wait are no part of a state, and gone when one is written', () => {
    const { options, batches } = setUp(optimizers[1]!);
    const [engine, twin] = [createInlineEngine(bytes, options), createInlineEngine(bytes, options)];
    const state = engine.readState();
    engine.step(batches[0]!, { ...settingsOf(0), share: 0.5, update: false });
    for (const one of [engine, twin]) {
      one.writeState(state);
      one.step(batches[1]!, settingsOf(0));
    }
    expect(engine.readState()).toEqual(twin.readState());
  });

  test.each<[string, (state: ReturnType<ReturnType<typeof createInlineEngine>['readState']>) => object, string]>([
    ['fewer weights', ({ weights }) => ({ weights: weights.slice(1) }), "weights of the model's"],
    [
      'a weight of another size',
      ({ weights }) => ({ weights: [new Float32Array(1), ...weights.slice(1)] }),
      '1 values for weight 0',
    ],
    ['another optimizer', () => ({ slots: {} }), "'m' of the model's"],
    ['an average of another model', ({ average }) => ({ average: average!.slice(1) }), "averages of the model's"],
  ])('a state with %s is refused', (_name, change, message) => {
    const engine = createInlineEngine(bytes, setUp(optimizers[2]!).options);
    const state = engine.readState();
    expect(() => engine.writeState({ ...state, ...change(state) })).toThrow(message);
    expect(engine.readState()).toEqual(state);
  });
});

test.each(optimizers.slice(1))(
  'a state goes from one thread to two, and to four, with the same bits: %o',
  async (optimizer) => {
    const { options, batches } = setUp(optimizer);
    const start = (threads: number) => createTrainingEngine({ ...options, threads });
    const engines = [await start(1), await start(2), await start(4)];
    try {
      await engines[0]!.step(batches[0]!, settingsOf(0));
      const state = await engines[0]!.readState();
      const runs = engines.map(async (engine) => {
        await engine.writeState(state);
        const losses: number[] = [];
        for (let step = 1; step < 4; step++) losses.push((await engine.step(batches[step]!, settingsOf(step))).loss);
        const outputs = await engine.predict(batches[0]!, 'average');
        return { losses, outputs, average: await engine.readWeights('average'), state: await engine.readState() };
      });
      const [one, two, four] = await Promise.all(runs);
      expect(two).toEqual(one);
      expect(four).toEqual(one);
    } finally {
      for (const engine of engines) await engine.dispose();
    }
  },
);

test('a batch can wait for its update only where it was said so', async () => {
  const { options, batches } = setUp(optimizers[0]!);
  const [engine, other] = [false, true].map((accumulate) =>
    createTrainingEngine({ ...options, accumulate, threads: 1 }),
  );
  try {
    await expect((await engine!).step(batches[0]!, settingsOf(1))).rejects.toThrow('accumulate is false');
    expect(await (await engine!).step(batches[0]!, settingsOf(0))).toMatchObject({ finite: true });
    expect((await engine!).memoryBytes).toBeLessThanOrEqual((await other!).memoryBytes);
  } finally {
    for (const one of [engine, other]) await (await one!).dispose();
  }
});

test('an average that is not kept can be neither moved nor asked', async () => {
  const { options, batches } = setUp(optimizers[0]!);
  const engine = await createTrainingEngine({ ...options, average: false, threads: 1 });
  try {
    await expect(engine.readWeights('average')).rejects.toThrow('keeps an average');
    await expect(engine.predict(batches[0]!, 'average')).rejects.toThrow('keeps an average');
    await expect(engine.step(batches[0]!, settingsOf(0))).rejects.toThrow('keeps an average');
    expect((await engine.readState()).average).toBeUndefined();
  } finally {
    await engine.dispose();
  }
});
