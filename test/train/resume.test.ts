import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { readdirSync } from 'node:fs';
import { rm, truncate } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createTrainingControl,
  getModelMetadata,
  schedules,
  type TrainClassifierOptions,
  type TrainingBatch,
  trainClassifier,
} from '../../src/index';
import { readCheckpoint, writeCheckpoint } from '../../src/io/checkpointFolder';
import { createRandom } from '../../src/random';
import type { CheckpointRecord } from '../../src/train/checkpointRecord';
import { temporaryFolder } from '../engine/teamBundles';
import { largestDifference, pooledModel, tinyModel, train, validation, weightsOf } from './models';

let folder: ReturnType<typeof temporaryFolder>;

beforeEach(async () => {
  await tf.setBackend('cpu');
  folder = temporaryFolder();
});

afterEach(() => folder.remove());

const everything: TrainClassifierOptions = {
  epochs: 4,
  batchSize: 8,
  optimizer: 'adamw',
  learningRate: ({ progress, history }) => 0.01 * (1 - progress) + 0.001 * history.length,
  augment: { crop: { padding: 1 }, flip: 'alternating' },
  mixup: 0.3,
  emaDecay: 0.9,
  accumulateSteps: 2,
  validation,
  restoreBest: true,
  monitor: 'valAccuracy',
};

const build = () => tinyModel({ dropout: 0.3 });

/** The figures of a history that do not depend on the clock. */
const figures = (history: { loss: number; accuracy: number; valLoss: number | undefined; learningRate: number }[]) =>
  history.map(({ loss, accuracy, valLoss, learningRate }) => ({ loss, accuracy, valLoss, learningRate }));

for (const engine of ['fused', 'tfjs'] as const) {
  describe(`${engine}: aborted again and again, a training ends with the same bits`, () => {
    for (const everySteps of [undefined, 2, 3]) {
      test(`with a checkpoint every ${everySteps ?? 'epoch'}`, async () => {
        const seed = 20 + (everySteps ?? 0);
        const whole = build();
        const expected = await trainClassifier(whole, train, { ...everything, engine, seed: 5 });

        const random = createRandom(seed);
        const checkpoint = { dir: folder.path, everySteps, keep: 2 };
        for (let started = false; ; started = true) {
          // A new model each time, as in a new process: all it knows comes from the checkpoint.
          const model = build();
          const stop = new AbortController();
          let left = 1 + random.integer(9);
          const outcome = await trainClassifier(model, train, {
            ...everything,
            engine,
            seed: 5,
            checkpoint,
            resume: started ? folder.path : undefined,
            signal: stop.signal,
            onBatch: () => void (--left === 0 && stop.abort()),
          }).catch((error) => (stop.signal.aborted ? undefined : Promise.reject(error)));
          if (outcome) {
            expect(figures(outcome.history)).toEqual(figures(expected.history));
            expect(outcome.steps).toBe(expected.steps);
            expect(outcome.resumedFrom).toMatchObject({ difference: undefined });
            expect(weightsOf(model)).toEqual(weightsOf(whole));
            model.dispose();
            break;
          }
          model.dispose();
        }
        whole.dispose();
        expect(readdirSync(folder.path).filter((name) => name.startsWith('step-'))).toHaveLength(2);
      });
    }
  });
}

test('a finished training resumes to its end at once', async () => {
  const checkpoint = { dir: folder.path };
  const [first, again] = [build(), build()];
  await trainClassifier(first, train, { ...everything, seed: 5, checkpoint });
  let batches = 0;
  const { resumedFrom, history } = await trainClassifier(again, train, {
    ...everything,
    resume: folder.path,
    onBatch: () => void batches++,
  });
  expect(batches).toBe(0);
  expect(history).toHaveLength(4);
  expect(resumedFrom!.step).toBe(28);
  expect(weightsOf(again)).toEqual(weightsOf(first));
  first.dispose();
  again.dispose();
});

test('checkpoints that one killed at its end did not come to remove are removed by the one that goes on', async () => {
  const model = build();
  await trainClassifier(model, train, { ...everything, seed: 5, checkpoint: { dir: folder.path, keep: 3 } });
  expect(readdirSync(folder.path)).toHaveLength(3);
  await trainClassifier(model, train, { ...everything, checkpoint: { dir: folder.path }, resume: folder.path });
  expect(readdirSync(folder.path)).toEqual(['step-00000021', 'step-00000028']);
  model.dispose();
});

const ENGINE = 'the engine \\(.*simd\\)';
test.each([
  ['fused', 'tfjs', `was written by version .*${ENGINE}, and goes on with .*tfjs on cpu$`],
  ['tfjs', 'fused', `was written by version .*tfjs on cpu, and goes on with .*${ENGINE}$`],
] as const)('what %s wrote, %s goes on with, within 1e-4 of a whole one, and says so', async (first, then, words) => {
  // Without dropout, whose masks are each engine's own.
  const [whole, halves, fresh] = [tinyModel(), tinyModel(), tinyModel()];
  const options = { ...everything, seed: 5 };
  const expected = await trainClassifier(whole, train, { ...options, engine: first });
  const checkpoint = { dir: folder.path, everySteps: 5 };
  const stop = new AbortController();
  const training = trainClassifier(halves, train, {
    ...{ ...options, engine: first, checkpoint, signal: stop.signal },
    onBatch: ({ step }) => void (step === 12 && stop.abort()),
  });
  await expect(training).rejects.toMatchObject({ name: 'AbortError' });

  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { resumedFrom, history } = await trainClassifier(fresh, train, {
    ...{ ...options, engine: then, resume: folder.path },
  });
  expect(resumedFrom).toMatchObject({ step: 13, difference: expect.stringMatching(words) });
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/step-00000013' was written by .*; the last bits may differ/)],
  ]);
  warn.mockRestore();
  const numbers = (epochs: typeof history) => epochs.map(({ loss, valLoss }) => [loss, valLoss!]);
  expect(largestDifference(numbers(history), numbers(expected.history))).toBeLessThan(1e-4);
  expect(largestDifference(weightsOf(fresh), weightsOf(whole))).toBeLessThan(1e-4);
  for (const model of [whole, halves, fresh]) model.dispose();
});

test('what another version of the package wrote, this one goes on with, and says so', async () => {
  const dir = join(folder.path, 'later');
  const model = build();
  await trainClassifier(model, train, { ...everything, epochs: 2, seed: 5, checkpoint: { dir: folder.path } });
  const { step, tensors, record } = await readCheckpoint(folder.path);
  const { writer, ...rest } = record as CheckpointRecord;
  await writeCheckpoint(dir, { step, tensors, record: { ...rest, writer: { ...writer, version: '99.0.0' } } });
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { resumedFrom } = await trainClassifier(model, train, { ...everything, resume: dir });
  expect(resumedFrom!.difference).toMatch(/^was written by version 99\.0\.0, .* goes on with version \d/);
  expect(warn).toHaveBeenCalledOnce();
  warn.mockRestore();
  model.dispose();
});

test('a checkpoint of something else is refused', async () => {
  await writeCheckpoint(folder.path, { step: 3, tensors: new Map(), record: { mine: true } });
  const model = build();
  const outcome = trainClassifier(model, train, { ...everything, resume: folder.path });
  await expect(outcome).rejects.toMatchObject({ code: 'invalid-data' });
  await expect(outcome).rejects.toThrow(/step-00000003: expected a checkpoint of trainClassifier, received another/);
  model.dispose();
});

test('another seed, batch size, dataset, model or optimizer is refused', async () => {
  const checkpoint = { dir: folder.path };
  const model = build();
  await trainClassifier(model, train, { ...everything, epochs: 1, seed: 5, checkpoint });
  const refuse = (options: TrainClassifierOptions, message: RegExp, set = train) =>
    expect(trainClassifier(model, set, { ...everything, resume: folder.path, ...options })).rejects.toThrow(message);
  for (const weight of model.trainableWeights) weight.write(tf.zeros(weight.shape as number[]));
  const before = weightsOf(model);
  await refuse({ seed: 6 }, /seed 5, as in .*received 6/);
  await refuse({ emaDecay: undefined }, /average true, as in .*received false/);
  await refuse({ batchSize: 16 }, /batchSize 8/);
  await refuse({ accumulateSteps: 1 }, /accumulateSteps 2, as in .*received 1/);
  const classNames = ['left', 'right', 'bottom'];
  await refuse({ validation: { ...validation, classNames } }, /classNames .*"top"/, { ...train, classNames });
  await refuse({ optimizer: 'rmsprop' }, /optimizer "adam", as in .*received rmsprop/);
  await refuse({}, /pictures 50/, validation as never);
  const other = sequential();
  other.add(layers.flatten({ inputShape: [6, 6, 2] }));
  other.add(layers.dense({ units: 3, activation: 'softmax' }));
  await expect(trainClassifier(other, train, { ...everything, resume: folder.path })).rejects.toThrow(
    /a model of \d+ weights.*received one of 2/,
  );
  expect(weightsOf(model)).toEqual(before);
  model.dispose();
  other.dispose();
});

test('a torn checkpoint is refused, and the one before it is offered', async () => {
  const model = build();
  await trainClassifier(model, train, { ...everything, seed: 5, checkpoint: { dir: folder.path, keep: 2 } });
  const [before, newest] = readdirSync(folder.path).sort();
  await truncate(join(folder.path, newest!, 'state.safetensors'), 1000);
  const again = () => trainClassifier(model, train, { ...everything, resume: folder.path });
  await expect(again()).rejects.toThrow(new RegExp(before!));
  await expect(again()).rejects.toMatchObject({ code: 'invalid-data' });
  const { history } = await trainClassifier(model, train, { ...everything, resume: join(folder.path, before!) });
  expect(history).toHaveLength(4);
  await rm(join(folder.path, newest!), { recursive: true });
  model.dispose();
});

for (const engine of ['fused', 'tfjs'] as const) {
  test.each([
    ['', false],
    [', of which the hook rejects, too,', true],
  ] as const)(
    `${engine}: an abort among batches that accumulate%s waits for their update, and leaves a checkpoint`,
    async (_, rejects) => {
      const model = build();
      const stop = new AbortController();
      const training = trainClassifier(model, train, {
        ...everything,
        engine,
        accumulateSteps: 3,
        checkpoint: { dir: folder.path },
        signal: stop.signal,
        async onBatch({ step }) {
          if (step === 4) stop.abort();
          if (rejects) stop.signal.throwIfAborted();
        },
      });
      await expect(training).rejects.toMatchObject({ name: 'AbortError' });
      expect(readdirSync(folder.path)).toEqual(['step-00000006']);
      model.dispose();
    },
  );
}

test("a folder with another training's checkpoints is refused, however early they are", async () => {
  const [dir, other] = [join(folder.path, 'a'), join(folder.path, 'b')];
  const model = build();
  await trainClassifier(model, train, { ...everything, epochs: 1, seed: 6, checkpoint: { dir: other } });
  await trainClassifier(model, train, { ...everything, epochs: 2, seed: 5, checkpoint: { dir } });
  const goOn = (into: string) =>
    trainClassifier(model, train, { ...everything, resume: dir, checkpoint: { dir: into } });
  await expect(goOn(other)).rejects.toThrow(/without checkpoints of another training.*step-00000007/);
  expect(readdirSync(other)).toEqual(['step-00000007']);
  // The same folder by another path is no other.
  await goOn(`./${relative('.', dir)}//`);
  expect(readdirSync(dir)).toEqual(['step-00000021', 'step-00000028']);
  model.dispose();
});

test('a call that is refused late leaves the model and the later checkpoints as they were', async () => {
  const noisy = () => {
    const model = sequential();
    model.add(layers.flatten({ inputShape: [6, 6, 2] }));
    model.add(layers.gaussianNoise({ stddev: 0.1 }));
    model.add(layers.dense({ units: 3, activation: 'softmax' }));
    return model;
  };
  const checkpoint = { dir: folder.path };
  const model = noisy();
  const options = { epochs: 2, batchSize: 16, seed: 5, checkpoint } as const;
  await trainClassifier(model, train, { ...options, engine: 'tfjs' });
  const places = readdirSync(folder.path).sort();
  const before = weightsOf(model);
  const resume = join(folder.path, places[0]!);
  const again = trainClassifier(model, train, { ...options, epochs: 3, engine: 'fused', resume });
  await expect(again).rejects.toMatchObject({ code: 'engine-failed' });
  const progress = 'loud' as never;
  await expect(trainClassifier(model, train, { ...options, epochs: 3, progress, resume })).rejects.toThrow('loud');
  expect(weightsOf(model)).toEqual(before);
  expect(readdirSync(folder.path).sort()).toEqual(places);
  model.dispose();
});

test('a call that is aborted before its first step leaves model, metadata and checkpoints as they were', async () => {
  const checkpoint = { dir: folder.path, keep: 5 };
  const model = build();
  const options = { batchSize: 16, seed: 5, checkpoint, epochs: 3 } as const;
  await trainClassifier(model, train, options);
  const places = readdirSync(folder.path).sort();
  expect(places).toHaveLength(3);
  const [before, metadata] = [weightsOf(model), getModelMetadata(model)];
  const late = new AbortController();
  const read = (indices: ArrayLike<number>) => {
    late.abort();
    return train.read(indices);
  };
  const reads = { ...train, read };
  const resume = join(folder.path, places[0]!);
  for (const [dataset, signal] of [
    [train, AbortSignal.abort()],
    // While the pictures of the report are read.
    [reads, late.signal],
  ] as const) {
    const reportDir = join(folder.path, 'report');
    const again = { ...options, resume, inputRange: [0, 1], signal, reportDir } as const;
    await expect(trainClassifier(model, dataset, again)).rejects.toMatchObject({ name: 'AbortError' });
  }
  expect(weightsOf(model)).toEqual(before);
  expect(getModelMetadata(model)).toEqual(metadata);
  expect(readdirSync(folder.path).sort()).toEqual(places);
  model.dispose();
});

test('layers that were frozen then are to be frozen again', async () => {
  const checkpoint = { dir: folder.path };
  const model = build();
  const { layers: all } = model;
  all[0]!.trainable = false;
  await trainClassifier(model, train, { ...everything, epochs: 1, seed: 5, checkpoint });
  const refuse = (message: RegExp) =>
    expect(trainClassifier(model, train, { ...everything, resume: folder.path })).rejects.toThrow(message);
  all[0]!.trainable = true;
  await refuse(/the 4 weights to be trained that .* has trained, received 5.*Freeze the layers/);
  all.at(-1)!.trainable = false;
  all[0]!.trainable = false;
  await refuse(/received 2/);
  model.dispose();
});

/** What a checkpoint has to know for each of them is another thing. */
const trainings: Record<string, TrainClassifierOptions> = {
  'SGD without momentum': { optimizer: 'sgd', learningRate: 0.05 },
  'momentum, smaller pictures first': { optimizer: 'momentum', pictureScales: [{ until: 0.6, scale: 5 / 6 }] },
  'RMSprop with momentum, cutmix': { optimizer: { name: 'rmsprop', momentum: 0.5 }, cutmix: 1 },
  'Adam, a plateau': {
    optimizer: 'adam',
    learningRate: schedules.plateau({ rate: 0.01, patience: 1, minDelta: 10 }),
  },
  'early stopping': { validation, earlyStopping: { patience: 2, minDelta: 10 }, restoreBest: true },
};

for (const engine of ['fused', 'tfjs'] as const) {
  test.each(Object.entries(trainings))(`${engine}: %s, stopped before it began and in its midst`, async (_, given) => {
    const options = { epochs: 4, batchSize: 16, seed: 5, engine, ...given };
    const whole = pooledModel();
    const expected = await trainClassifier(whole, train, options);
    const checkpoint = { dir: folder.path };
    for (const [resume, stopAt] of [
      [undefined, 0],
      [folder.path, 6],
    ] as const) {
      const model = pooledModel();
      const stop = new AbortController();
      const onBatch = ({ step }: TrainingBatch) => void (step === stopAt && stop.abort());
      const { signal } = stop;
      // Asked before each batch.
      const whenRunning = async () => {
        if (stopAt === 0) stop.abort();
        if (stopAt === 0) signal.throwIfAborted();
      };
      const control = { ...createTrainingControl(), whenRunning };
      const training = trainClassifier(model, train, { ...options, checkpoint, resume, signal, onBatch, control });
      await expect(training).rejects.toMatchObject({ name: 'AbortError' });
      expect(readdirSync(folder.path)).toContain(`step-0000000${stopAt}`);
      model.dispose();
    }
    const model = pooledModel();
    const outcome = await trainClassifier(model, train, { ...options, resume: folder.path });
    expect(figures(outcome.history)).toEqual(figures(expected.history));
    expect(outcome).toMatchObject({ stoppedEarly: expected.stoppedEarly, bestEpoch: expected.bestEpoch });
    expect(weightsOf(model)).toEqual(weightsOf(whole));
    model.dispose();
    whole.dispose();
  });
}

test('minutes that are used up are not given again', async () => {
  const model = build();
  const options = { seed: 5, batchSize: 8, maxMinutes: 1e-6, checkpoint: { dir: folder.path } };
  const { steps, seconds } = await trainClassifier(model, train, options);
  expect(steps).toBe(1);
  const again = await trainClassifier(model, train, { ...options, resume: folder.path });
  expect(again).toMatchObject({ steps: 1, seconds });
  model.dispose();
});

test('nor where the epoch that they ended was interrupted while it was validated', async () => {
  const model = build();
  const stop = new AbortController();
  const read = (indices: ArrayLike<number>) => {
    stop.abort();
    return validation.read(indices);
  };
  const options = { seed: 5, batchSize: 8, maxMinutes: 1e-6, checkpoint: { dir: folder.path } };
  const interrupted = { ...options, validation: { ...validation, read }, signal: stop.signal };
  await expect(trainClassifier(model, train, interrupted)).rejects.toMatchObject({ name: 'AbortError' });
  const again = await trainClassifier(model, train, { ...options, validation, resume: folder.path });
  expect(again.steps).toBe(1);
  expect(again.history).toMatchObject([{ epoch: 1, valLoss: expect.any(Number) }]);
  model.dispose();
});
