// Trainings that go on with other options than they began with, or on a model that came from elsewhere.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  evaluateClassifier,
  loadModel,
  type Monitor,
  saveModel,
  schedules,
  type TrainClassifierOptions,
  type TrainingEpoch,
  trainClassifier,
} from '../../src/index';
import { temporaryFolder } from '../engine/teamBundles';
import { largestDifference, tinyModel, train, validation, weightsOf } from './models';

let folder: ReturnType<typeof temporaryFolder>;

beforeEach(async () => {
  await tf.setBackend('cpu');
  folder = temporaryFolder();
});

afterEach(() => folder.remove());

const base: TrainClassifierOptions = { epochs: 2, batchSize: 16, seed: 5, validation, threads: 1 };

/** Begins a training with some options, and goes on with others to its fifth epoch. */
async function change(first: TrainClassifierOptions, then: TrainClassifierOptions, build = tinyModel) {
  await trainClassifier(build(), train, { ...base, ...first, checkpoint: { dir: folder.path } });
  const model = build();
  const result = await trainClassifier(model, train, { ...base, epochs: 5, ...then, resume: folder.path });
  return { ...result, model };
}

for (const engine of ['fused', 'tfjs'] as const) {
  test(`${engine}: without restoreBest the last weights stay, whatever the checkpoint has`, async () => {
    const { model, history } = await change({ engine, restoreBest: true }, { engine });
    const { loss } = await evaluateClassifier(model, validation, { engine });
    expect(loss).toBeCloseTo(history.at(-1)!.valLoss!, 5);
  });

  test(`${engine}: pictures to validate with may be of another size, where the model is of any`, async () => {
    const open = tfl.sequential();
    open.add(tfl.layers.conv2d({ inputShape: [null, null, 2], filters: 4, kernelSize: 3 }));
    open.add(tfl.layers.globalAveragePooling2d({}));
    open.add(tfl.layers.dense({ units: 3, activation: 'softmax' }));
    const large = { ...validation, height: 12, width: 3, images: undefined };
    const { history, engine: used } = await trainClassifier(open, train, { ...base, engine, validation: large });
    const { loss } = await evaluateClassifier(open, large, { engine });
    expect(loss).toBeCloseTo(history[1]!.valLoss!, 5);
    expect(used).toBe(engine);
  });

  test(`${engine}: frozen layers that ran once run again, with an average and the best weights`, async () => {
    const build = () => {
      const model = tinyModel();
      model.layers[0]!.trainable = false;
      model.layers[1]!.trainable = false;
      return model;
    };
    const options = { engine, emaDecay: 0.9, restoreBest: true };
    const { model, cachedUpTo, history } = await change(options, { ...options, cacheFeatures: false }, build);
    const whole = build();
    const expected = await trainClassifier(whole, train, { ...base, ...options, epochs: 5 });
    expect([expected.cachedUpTo, cachedUpTo]).toEqual([expect.any(String), undefined]);
    expect(history).toHaveLength(5);
    expect(largestDifference(weightsOf(model), weightsOf(whole))).toBeLessThan(1e-4);
  });
}

test('the best epoch is that of the monitor with which it goes on', async () => {
  const { history, bestEpoch } = await change({}, { monitor: 'valAccuracy' });
  const accuracies = history.map(({ valAccuracy }) => valAccuracy!);
  expect(bestEpoch).toBe(1 + accuracies.indexOf(Math.max(...accuracies)));
});

test('restoreBest is refused where the best weights were not kept', async () => {
  const worse = { learningRate: ({ epoch }: { epoch: number }) => (epoch === 1 ? 0.001 : 0.5) };
  const kept = (first: TrainClassifierOptions, then: TrainClassifierOptions) =>
    change({ ...worse, ...first }, { ...worse, ...then, restoreBest: true });
  await expect(kept({}, {})).rejects.toThrow(/the weights of epoch 1, the best by valLoss.*received none.*without/);
});

test('restoreBest is refused where those of another epoch were kept', async () => {
  const first = { restoreBest: true, earlyStopping: { patience: 9, minDelta: 10 } };
  await expect(change(first, { restoreBest: true })).rejects.toThrow(
    /the weights of epoch 2, the best by valLoss.*received those of epoch 1\./,
  );
});

test('epochs without validation do not wear out the patience with those that have one', async () => {
  const then = { earlyStopping: { patience: 2, minDelta: 0 }, restoreBest: true };
  const { history, bestEpoch } = await change({ validation: undefined, epochs: 3 }, then);
  expect(history.length).toBeGreaterThan(3);
  expect(bestEpoch).toBeGreaterThan(3);
});

test('more patience goes on with a training that had stopped early', async () => {
  const impatient = { earlyStopping: { patience: 1, minDelta: 10 } };
  const { history, stoppedEarly } = await change(impatient, {});
  expect([history.length, stoppedEarly]).toEqual([5, false]);
});

test('a loss that was not a number is none after a resume, either', async () => {
  const learningRate = schedules.plateau({ rate: 0.01, patience: 1 });
  const spoil = (epoch: TrainingEpoch) => void (epoch.epoch === 1 && Object.assign(epoch, { valLoss: Number.NaN }));
  const { history } = await change({ learningRate, onEpoch: spoil, epochs: 1 }, { learningRate });
  const whole = tinyModel();
  const expected = await trainClassifier(whole, train, { ...base, epochs: 5, learningRate, onEpoch: spoil });
  const rates = (epochs: TrainingEpoch[]) => epochs.map((epoch) => epoch.learningRate);
  expect(history[0]!.valLoss).toBeNaN();
  expect(rates(history)).toEqual(rates(expected.history));
});

test('a model of branches that was saved and loaded gets its own weights back', async () => {
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 1 });
  const input = tfl.input({ shape: [6, 6, 2] });
  const branch = (name: string) =>
    tfl.layers.conv2d({ name, filters: 2, kernelSize: 3, kernelInitializer }).apply(input) as tfl.SymbolicTensor;
  const [b, a] = [branch('made-first'), branch('made-second')];
  const joined = tfl.layers.concatenate().apply([a, b]) as tfl.SymbolicTensor;
  const flat = tfl.layers.flatten().apply(joined) as tfl.SymbolicTensor;
  const outputs = tfl.layers.dense({ units: 3, activation: 'softmax' }).apply(flat) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs });
  const checkpoint = { dir: join(folder.path, 'checkpoints') };
  await trainClassifier(model, train, { ...base, engine: 'tfjs', checkpoint });
  await saveModel(model, join(folder.path, 'model'));
  const loaded = await loadModel(join(folder.path, 'model'));
  await trainClassifier(loaded, train, { ...base, engine: 'tfjs', resume: checkpoint.dir });
  for (const name of ['made-first', 'made-second']) {
    const kernelOf = (net: tfl.LayersModel) => Array.from(net.getLayer(name).getWeights()[0]!.dataSync());
    expect(kernelOf(loaded)).toEqual(kernelOf(model));
  }
});

test('what diverged while it was stopped leaves no checkpoint', async () => {
  const stop = new AbortController();
  const learningRate = ({ step }: { step: number }) => {
    if (step < 2) return 0.01;
    stop.abort();
    return 1e308;
  };
  const dir = join(folder.path, 'checkpoints');
  const training = trainClassifier(tinyModel(), train, {
    ...{ ...base, optimizer: 'momentum' as const, learningRate },
    checkpoint: { dir },
    signal: stop.signal,
  });
  await expect(training).rejects.toMatchObject({ code: 'non-finite' });
  expect(existsSync(dir)).toBe(false);
});

test.each<Monitor>(['loss', 'valLoss'])('%s: bestEpoch names one of the whole history', async (monitor) => {
  const { history, bestEpoch } = await change({ monitor }, { monitor });
  const losses = history.map((epoch) => epoch[monitor]!);
  expect(bestEpoch).toBe(1 + losses.indexOf(Math.min(...losses)));
});
