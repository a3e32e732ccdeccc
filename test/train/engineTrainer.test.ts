import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import type { OptimizerSettings } from '../../src/engine/optimizer';
import { createTrainingEngine } from '../../src/engine/trainingEngine';
import { readStages } from '../../src/graph/readStages';
import { createEngineTrainer } from '../../src/train/engineTrainer';
import { createTfjsTrainer } from '../../src/train/tfjsTrainer';
import type { Trainer } from '../../src/train/trainer';
import { largestDifference, tensors, tinyModel, weightsOf } from './models';
import { batchOf, range, step } from './trainers';

const inputRange = [
  [-1, 1],
  [0, 2],
] as const;
const momentum: OptimizerSettings = { kind: 'momentum', momentum: 0.9, nesterov: true, weightDecay: 0.1 };
const adam: OptimizerSettings = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.1 };
const rmsprop: OptimizerSettings = { kind: 'rmsprop', decay: 0.9, momentum: 0.5, epsilon: 1e-2, weightDecay: 0 };
const common = { inputRange, clipNorm: 0.5, average: true, weightDecayOn: ['kernel', 'batchNorm'] } as const;

beforeAll(() => setBackend('cpu'));

async function createFused(model: LayersModel, optimizer = momentum, threads = 1): Promise<Trainer> {
  const read = readStages(model);
  if ('unsupported' in read) throw new Error(read.unsupported.reason);
  const weights = model.weights.map((weight) => weight.read().dataSync());
  const engine = await createTrainingEngine({
    graph: read.graph,
    weights,
    batchSize: 12,
    optimizer,
    threads,
    ...common,
  });
  return createEngineTrainer(model, engine);
}

/** Runs `work` with a trainer that is then disposed of. */
async function withTrainer<T>(creating: Promise<Trainer>, work: (trainer: Trainer) => Promise<T>): Promise<T> {
  const trainer = await creating;
  try {
    return await work(trainer);
  } finally {
    await trainer.dispose();
  }
}

/** Weighted targets, two batches to an update now and then, and an average. */
async function runSteps(trainer: Trainer, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = from; i < to; i++) {
    const targets = Float32Array.from({ length: 36 }, (_, at) => ((at + i) % 5) / 4);
    const waits = i % 3 === 1;
    const share = i % 3 === 0 ? 1 : 0.5;
    const settings = step({ learningRate: 0.02, share, update: !waits, averageDecay: 0.8 });
    losses.push((await trainer.step(batchOf(range(i, 12), targets), settings)).loss);
  }
  return losses;
}

test.each([momentum, adam, rmsprop])('six steps agree with those of tfjs within 1e-4: $kind', async (optimizer) => {
  const [fused, tfjs] = [tinyModel(), tinyModel()];
  const outcomes = [
    await withTrainer(createFused(fused, optimizer), outcomeOf(fused)),
    await withTrainer(
      Promise.resolve(createTfjsTrainer(tfjs, { ...common, optimizer, outputKind: 'probabilities' })),
      outcomeOf(tfjs),
    ),
  ] as const;
  const [ours, theirs] = outcomes;
  expect(largestDifference(ours.numbers, theirs.numbers)).toBeLessThan(1e-4);
  expect(ours.updates).toBe(theirs.updates);
  expect(ours.slots).toEqual(theirs.slots);

  function outcomeOf(model: LayersModel) {
    return async (trainer: Trainer) => {
      const losses = await runSteps(trainer, 0, 6);
      const { slots, updates } = await trainer.readState();
      const outputs = await trainer.predict(batchOf(range(3, 7)), 'average');
      await trainer.updateModel('average');
      return { numbers: [losses, Array.from(outputs), ...weightsOf(model)], updates, slots: Object.keys(slots) };
    };
  }
});

test('goes on from a state of tfjs as tfjs does, within 1e-4', async () => {
  const [first, second] = [tinyModel(), tinyModel({ seed: 9 })];
  const tfjs = createTfjsTrainer(first, { ...common, optimizer: adam, outputKind: 'probabilities' });
  await runSteps(tfjs, 0, 3);
  const state = await tfjs.readState();
  const expected = await runSteps(tfjs, 3, 6);
  await tfjs.dispose();
  const losses = await withTrainer(createFused(second, adam), async (trainer) => {
    await trainer.writeState(state);
    return runSteps(trainer, 3, 6);
  });
  expect(largestDifference([losses], [expected])).toBeLessThan(1e-4);
});

test('goes on from its own state with the same bits, on one thread and on two', async () => {
  const model = tinyModel({ dropout: 0.5 });
  const [losses, state, later] = await withTrainer(createFused(model), async (trainer) => {
    await runSteps(trainer, 0, 3);
    const state = await trainer.readState();
    return [await runSteps(trainer, 3, 6), state, await trainer.readState()] as const;
  });
  const shapes = model.weights.map(({ shape }) => (shape as number[]).reduce((a, b) => a * b, 1));
  expect(state.weights.map(({ length }) => length)).toEqual(shapes);
  expect(state.average!.map(({ length }) => length)).toEqual(shapes);
  for (const threads of [1, 2]) {
    await withTrainer(createFused(tinyModel({ dropout: 0.5, seed: 9 }), momentum, threads), async (trainer) => {
      await trainer.writeState(state);
      expect(await runSteps(trainer, 3, 6)).toEqual(losses);
      expect(await trainer.readState()).toEqual(later);
    });
  }
});

test('a loss that is not finite makes no update, and the weights of the last finite one come back', async () => {
  const model = tinyModel();
  await withTrainer(createFused(model), async (trainer) => {
    const before = await trainer.readState();
    const batch = batchOf(range(0, 12));
    expect(await trainer.step(batch, step({ learningRate: 0.25 }))).toMatchObject({ finite: true, learningRate: 0.25 });
    const targets = batch.targets.map(() => Number.NaN);
    expect((await trainer.step({ ...batch, targets }, step())).loss).toBeNaN();
    await trainer.restoreLastGood();
    expect((await trainer.readState()).weights).toEqual(before.weights);
  });
});

test('the model gets its weights when asked, and no tensor is left behind', async () => {
  const model = tinyModel();
  const before = weightsOf(model);
  const tensorsBefore = tensors();
  await withTrainer(createFused(model), async (trainer) => {
    await runSteps(trainer, 0, 1);
    expect(weightsOf(model)).toEqual(before);
    await trainer.updateModel();
    expect(model.weights.map((weight) => weight.read().dataSync())).toEqual((await trainer.readState()).weights);
  });
  expect(tensors()).toBe(tensorsBefore);
});

test.each([
  ['a label that is no class', { labels: new Int32Array(12).fill(3) }, {}, 'labels from 0 to 2'],
  ['targets of other pictures', { targets: new Float32Array(33) }, {}, 'targets of 12 pictures x 3 classes'],
  ['no learning rate', {}, { learningRate: undefined }, 'a learning rate'],
])('%s is refused', async (_, batch, settings, message) => {
  await withTrainer(createFused(tinyModel()), async (trainer) => {
    const stepping = trainer.step({ ...batchOf(range(0, 12)), ...batch }, { ...step(), ...settings });
    await expect(stepping).rejects.toThrow(message);
  });
});
