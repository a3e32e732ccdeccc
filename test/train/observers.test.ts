import '@tensorflow/tfjs-backend-cpu';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setBackend, train as tfTrain } from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createTrainingControl,
  evaluateClassifier,
  type LearningRate,
  schedules,
  subsetDataset,
  type TrainingEpoch,
  takeDataset,
  trainClassifier,
} from '../../src/index';
import { temporaryFolder } from '../engine/teamBundles';
import { tinyModel, train, validation } from './models';

let folder: ReturnType<typeof temporaryFolder>;

beforeEach(async () => {
  await setBackend('cpu');
  folder = temporaryFolder();
});

afterEach(() => {
  vi.restoreAllMocks();
  folder.remove();
});

const read = (name: string) => readFileSync(join(folder.path, name), 'utf8');

describe('reportDir', () => {
  test.each(['fused', 'tfjs'] as const)('%s: writes the page, the history and what was asked for', async (engine) => {
    const model = tinyModel();
    const options = {
      engine,
      epochs: 3,
      batchSize: 16,
      seed: 5,
      validation,
      reportDir: folder.path,
      weightDecay: 0.125,
    };
    const { history } = await trainClassifier(model, train, options);
    const { title, status, settings, environment, epochs, evaluation } = JSON.parse(read('history.json'));
    expect(title.replaceAll(/\s/g, ' ')).toMatch(/: 50 pictures, 3 classes$/);
    expect(status).toMatchObject({ state: 'finished', epoch: 3, step: 12, progress: 1 });
    // Pictures are no settings: those of a validation set would be megabytes.
    expect(Object.keys(settings)).not.toContain('validation');
    expect(settings).toMatchObject({ 'training pictures': 50, seed: 5, weightDecay: 0.125, batchSize: 16 });
    expect(environment).toMatchObject({ engine });
    expect(epochs.map(({ loss }: TrainingEpoch) => loss)).toEqual(history.map(({ loss }) => loss));
    expect(evaluation.accuracy).toBe(history[2]!.valAccuracy);
    expect(read('history.csv').split('\n')).toHaveLength(5);
    expect(read('report.html')).toContain('left');
    model.dispose();
  });

  test('is there while it trains, and says why it was stopped', async () => {
    const model = tinyModel();
    const reason = new Error('enough <b>of it</b>');
    const states: object[] = [];
    let late = 0;
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + late);
    const training = trainClassifier(model, train, {
      epochs: 3,
      reportDir: folder.path,
      // Every five seconds at most.
      onBatch() {
        late += 5000;
      },
      onEpoch({ epoch }) {
        states.push(JSON.parse(read('history.json')).status);
        if (epoch === 2) throw reason;
      },
    });
    await expect(training).rejects.toBe(reason);
    const running = { state: 'running', seconds: expect.any(Number), secondsLeft: expect.any(Number) };
    expect(states).toMatchObject([
      { ...running, epoch: 1, step: 1, progress: 1 / 3 },
      { ...running, epoch: 2, step: 2, progress: 2 / 3 },
    ]);
    const status = { state: 'stopped', epoch: 2, reason: 'enough <b>of it</b>' };
    expect(JSON.parse(read('history.json')).status).toMatchObject(status);
    expect(read('report.html')).not.toContain('<b>of it');
    model.dispose();
  });

  test('is not written more often than every five seconds, but at the end', async () => {
    const model = tinyModel();
    const epochs: number[] = [];
    vi.spyOn(performance, 'now').mockImplementation(() => 0);
    await trainClassifier(model, train, {
      epochs: 3,
      batchSize: 25,
      reportDir: folder.path,
      onEpoch: () => void epochs.push(JSON.parse(read('history.json')).status.step),
    });
    // That of the first batch stays.
    expect(epochs).toEqual([1, 1, 1]);
    expect(JSON.parse(read('history.json')).status).toMatchObject({ state: 'finished', step: 6 });
    model.dispose();
  });

  test('is not said to be finished where a signal is aborted with nothing', async () => {
    const model = tinyModel();
    const stop = new AbortController();
    const training = trainClassifier(model, train, {
      epochs: 3,
      reportDir: folder.path,
      signal: stop.signal,
      onBatch: () => stop.abort(null),
    });
    await expect(training).rejects.toBe(null);
    expect(JSON.parse(read('history.json')).status).toMatchObject({ state: 'stopped', reason: 'Stopped.' });
    model.dispose();
  });

  test('shows pictures of all classes, though they be in the order of these', async () => {
    const model = tinyModel();
    const ordered = subsetDataset(
      train,
      [...train.labels.keys()].sort((a, b) => train.labels[a]! - train.labels[b]!),
    );
    await trainClassifier(model, ordered, { reportDir: folder.path });
    const shown = read('report.html').split('Picture of ').slice(1);
    expect(shown).toHaveLength(15);
    // 17, 17 and 16 of the 50.
    const counts = train.classNames.map((name) => shown.filter((text) => text.startsWith(`${name}"`)).length);
    expect(counts).toEqual([6, 5, 4]);
    model.dispose();
  });

  test('goes on with its curves where a training is resumed', async () => {
    const model = tinyModel();
    const checkpoint = { dir: join(folder.path, 'checkpoints') };
    const options = { batchSize: 16, seed: 5, reportDir: folder.path };
    await trainClassifier(model, train, { ...options, epochs: 1, checkpoint });
    await trainClassifier(model, train, { ...options, epochs: 2, resume: checkpoint.dir });
    const { course } = JSON.parse(read('checkpoints/step-00000004/checkpoint.json')).record;
    expect(course.sampled.points.map(({ epoch }: { epoch: number }) => epoch)).toEqual([0.25, 0.5, 0.75, 1]);
    expect(read('history.csv').split('\n')).toHaveLength(4);
    model.dispose();
  });
});

describe("the report's evaluation", () => {
  const evaluationOf = () => JSON.parse(read('history.json')).evaluation;

  test('is still there after a resume, of a training at its end, and of one that is stopped at once', async () => {
    const model = tinyModel();
    const checkpoint = { dir: join(folder.path, 'checkpoints') };
    const options = { batchSize: 16, seed: 5, reportDir: folder.path, validation };
    await trainClassifier(model, train, { ...options, epochs: 2, checkpoint });
    const expected = evaluationOf();
    const page = read('report.html');
    expect(expected).toMatchObject({ epoch: 2, accuracy: expect.any(Number) });
    const pictures = (text: string) => text.split('data-pixels=').length;
    expect(pictures(page)).toBeGreaterThan(16);
    await trainClassifier(model, train, { ...options, epochs: 2, resume: checkpoint.dir });
    expect(evaluationOf()).toEqual(expected);
    expect(pictures(read('report.html'))).toBe(pictures(page));
    // Its mistakes are no pictures of another set.
    const fewer = takeDataset(validation, 3);
    await trainClassifier(model, train, { ...options, epochs: 2, resume: checkpoint.dir, validation: fewer });
    expect(pictures(read('report.html'))).toBe(16);
    const signal = AbortSignal.abort('enough');
    await expect(trainClassifier(model, train, { ...options, epochs: 3, resume: checkpoint.dir, signal })).rejects.toBe(
      'enough',
    );
    expect(evaluationOf()).toEqual(expected);
    model.dispose();
  });

  test('is not that of an earlier epoch, where those after it had no report', async () => {
    const model = tinyModel();
    const checkpoint = { dir: join(folder.path, 'checkpoints') };
    const options = { batchSize: 16, seed: 5, validation };
    await trainClassifier(model, train, { ...options, epochs: 1, checkpoint, reportDir: folder.path });
    expect(evaluationOf()).toMatchObject({ epoch: 1 });
    await trainClassifier(model, train, { ...options, epochs: 2, checkpoint, resume: checkpoint.dir });
    await trainClassifier(model, train, { ...options, epochs: 2, resume: checkpoint.dir, reportDir: folder.path });
    expect(evaluationOf()).toBeUndefined();
    model.dispose();
  });

  test('is that of the weights which the model gets, where the best come back', async () => {
    const model = tinyModel();
    const options = { epochs: 4, batchSize: 16, seed: 5, validation, reportDir: folder.path };
    // It learns in the first epoch only, and forgets.
    const learningRate = ({ epoch }: { epoch: number }) => (epoch === 1 ? 0.01 : 3);
    const { bestEpoch, history } = await trainClassifier(model, train, { ...options, learningRate, restoreBest: true });
    expect(bestEpoch).toBeLessThan(4);
    expect(history.at(-1)!.valLoss).toBeGreaterThan(history[bestEpoch - 1]!.valLoss!);
    const { loss, accuracy, confusionMatrix } = await evaluateClassifier(model, validation);
    const told = evaluationOf();
    expect(told).toMatchObject({ epoch: bestEpoch, accuracy, confusionMatrix });
    expect(told.loss).toBeCloseTo(loss, 5);
    expect(read('report.html')).toContain(`of the validation set, after epoch ${bestEpoch}:`);
    model.dispose();
  });

  test('stands beside what was asked for, schedules too', async () => {
    const model = tinyModel();
    const told = async (learningRate: LearningRate) => {
      await trainClassifier(model, train, { epochs: 1, learningRate, reportDir: folder.path });
      return JSON.parse(read('history.json')).settings.learningRate;
    };
    expect(await told(schedules.oneCycle({ rate: 0.02 }))).toBe('schedules.oneCycle({"rate":0.02})');
    expect(await told(schedules.plateau({ rate: 0.02 }))).toBe('schedules.plateau({"rate":0.02})');
    expect(await told(({ progress }) => 0.01 * progress)).toBe('a function');
    model.dispose();
  });

  test('names an optimizer of tfjs, and does not show its state', async () => {
    const model = tinyModel();
    await trainClassifier(model, train, { epochs: 1, optimizer: tfTrain.adam(0.01), reportDir: folder.path });
    expect(JSON.parse(read('history.json')).settings.optimizer).toBe('Adam');
    model.dispose();
  });

  test.each(['fused', 'tfjs'] as const)(
    '%s: cannot be written at the end, and the best weights stay',
    async (engine) => {
      const model = tinyModel();
      const reportDir = join(folder.path, 'report');
      const training = trainClassifier(model, train, {
        ...{ engine, epochs: 3, batchSize: 16, seed: 5, validation, restoreBest: true, reportDir },
        learningRate: ({ epoch }) => (epoch === 1 ? 0.001 : 0.5),
        onEpoch({ epoch }) {
          if (epoch < 3) return;
          rmSync(reportDir, { recursive: true });
          writeFileSync(reportDir, '');
        },
      });
      await expect(training).rejects.toMatchObject({ code: 'file-system' });
      const { loss } = await evaluateClassifier(model, validation);
      const first = tinyModel();
      await trainClassifier(first, train, { epochs: 1, batchSize: 16, seed: 5, engine, learningRate: 0.001 });
      expect(loss).toBeCloseTo((await evaluateClassifier(first, validation)).loss, 5);
      model.dispose();
      first.dispose();
    },
  );
});

describe('control', () => {
  test.each(['fused', 'tfjs'] as const)(
    '%s: a paused training takes no step, and its time does not count',
    async (engine) => {
      const model = tinyModel();
      const control = createTrainingControl();
      let steps = 0;
      let tellPaused = () => {};
      const paused = new Promise<void>((resolve) => {
        tellPaused = resolve;
      });
      const begin = performance.now();
      const training = trainClassifier(model, train, {
        engine,
        epochs: 2,
        batchSize: 16,
        control,
        onBatch() {
          if (++steps !== 3) return;
          control.pause();
          tellPaused();
        },
      });
      await paused;
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(control.paused).toBe(true);
      expect(steps).toBe(3);
      control.resume();
      const { seconds } = await training;
      expect(steps).toBe(8);
      // However long the steps themselves take on this machine.
      expect(seconds).toBeLessThan((performance.now() - begin) / 1000 - 1.4);
      model.dispose();
    },
  );

  test('a pause keeps the process alive, and only as long as it lasts', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const control = createTrainingControl();
    const before = timers();
    control.pause();
    const running = control.whenRunning();
    expect(timers()).toBe(before + 1);
    control.resume();
    await running;
    const stop = new AbortController();
    control.pause();
    const aborted = control.whenRunning(stop.signal);
    stop.abort();
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    expect(timers()).toBe(before);
  });

  test('a paused training can be aborted, and writes a checkpoint', async () => {
    const model = tinyModel();
    const control = createTrainingControl();
    const stop = new AbortController();
    const dir = join(folder.path, 'checkpoints');
    const training = trainClassifier(model, train, {
      epochs: 2,
      batchSize: 16,
      control,
      signal: stop.signal,
      checkpoint: { dir },
      onBatch() {
        control.pause();
        setTimeout(() => stop.abort());
      },
    });
    await expect(training).rejects.toMatchObject({ name: 'AbortError' });
    expect(existsSync(join(dir, 'step-00000001/checkpoint.json'))).toBe(true);
    model.dispose();
  });
});
