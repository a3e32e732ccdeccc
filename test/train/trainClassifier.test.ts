import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  evaluateClassifier,
  getModelMetadata,
  type ImageDataset,
  replaceHead,
  sampleSchedule,
  schedules,
  setModelMetadata,
  syntheticCifar10,
  type TrainingBatch,
  type TrainingEpoch,
  takeDataset,
  trainClassifier,
} from '../../src/index';
import { tensors, tinyModel, train, validation } from './models';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

describe('what it resolves to and calls', () => {
  test('one record an epoch, with fractions, speed and the learning rate', async () => {
    const model = tinyModel();
    const epochs: TrainingEpoch[] = [];
    const result = await trainClassifier(model, train, {
      epochs: 3,
      batchSize: 16,
      validation,
      seed: 5,
      onEpoch: async (epoch) => void epochs.push(await Promise.resolve(epoch)),
    });
    expect(epochs).toEqual(result.history);
    expect(result).toMatchObject({ steps: 12, seed: 5, backend: 'cpu' });
    result.history.forEach((record, i) => {
      expect(record).toMatchObject({ epoch: i + 1, learningRate: 0.001 });
      for (const key of ['accuracy', 'valAccuracy'] as const) {
        expect(record[key]).toBeGreaterThanOrEqual(0);
        expect(record[key]).toBeLessThanOrEqual(1);
      }
      for (const key of ['loss', 'valLoss', 'imagesPerSecond', 'seconds'] as const)
        expect(record[key]).toBeGreaterThan(0);
      expect(record.imagesPerSecond * record.seconds).toBeCloseTo(50, 6);
    });
  });

  test('without a validation set its figures are undefined', async () => {
    const { history } = await trainClassifier(tinyModel(), train);
    expect(history).toHaveLength(1);
    expect(history[0]).toMatchObject({ valLoss: undefined, valAccuracy: undefined });
  });

  test.each(['fused', 'tfjs'] as const)('%s: onBatch tells step, progress and time left', async (engine) => {
    const seen: TrainingBatch[] = [];
    await trainClassifier(tinyModel(), train, {
      ...{ engine, epochs: 2, batchSize: 20 },
      onBatch: (batch) => void seen.push(batch),
    });
    expect(seen.map(({ epoch, batch, step }) => [epoch, batch, step])).toEqual([
      [1, 1, 1],
      [1, 2, 2],
      [1, 3, 3],
      [2, 1, 4],
      [2, 2, 5],
      [2, 3, 6],
    ]);
    expect(seen.map(({ progress }) => progress)).toEqual([1, 2, 3, 4, 5, 6].map((step) => step / 6));
    expect(seen.at(-1)).toMatchObject({ batches: 3, secondsLeft: 0 });
    for (const { batch, progress, imagesPerSecond, secondsLeft } of seen.slice(0, 2)) {
      const seconds = (20 * batch) / imagesPerSecond;
      expect(secondsLeft / seconds).toBeCloseTo((1 - progress) / progress, 6);
    }
  });

  test.each(['fused', 'tfjs'] as const)('%s: hooks are awaited before the training goes on', async (engine) => {
    const seen: string[] = [];
    const hook = (name: string) => async () => {
      seen.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(`${name} ends`);
    };
    await trainClassifier(tinyModel(), train, {
      ...{ engine, epochs: 2, batchSize: 25, onBatch: hook('batch'), onEpoch: hook('epoch') },
      learningRate: () => {
        seen.push('step');
        return 0.01;
      },
    });
    const batch = ['step', 'batch begins', 'batch ends'];
    const epoch = [...batch, ...batch, 'epoch begins', 'epoch ends'];
    expect(seen).toEqual([...epoch, ...epoch]);
  });

  test('a hook that rejects ends the training with its reason', async () => {
    for (const hook of ['onBatch', 'onEpoch'] as const) {
      const reason = new Error(hook);
      const outcome = trainClassifier(tinyModel(), train, { [hook]: () => Promise.reject(reason) });
      await expect(outcome).rejects.toBe(reason);
    }
  });

  test('a learning rate that is a function is asked before each step', async () => {
    const positions: object[] = [];
    const { history } = await trainClassifier(tinyModel(), train, {
      epochs: 2,
      batchSize: 25,
      learningRate: ({ history, ...position }) => {
        positions.push({ ...position, epochsBefore: history.length });
        return 0.1 * (1 - position.progress);
      },
    });
    expect(positions).toEqual([
      { step: 0, epoch: 1, progress: 0, stepsPerEpoch: 2, epochsBefore: 0 },
      { step: 1, epoch: 1, progress: 0.25, stepsPerEpoch: 2, epochsBefore: 0 },
      { step: 2, epoch: 2, progress: 0.5, stepsPerEpoch: 2, epochsBefore: 1 },
      { step: 3, epoch: 2, progress: 0.75, stepsPerEpoch: 2, epochsBefore: 1 },
    ]);
    expect(history.map(({ learningRate }) => learningRate)).toEqual([0.1 * 0.75, 0.1 * 0.25]);
  });

  test.each(['fused', 'tfjs'] as const)('%s: the rates are those that sampleSchedule plots', async (engine) => {
    const schedule = schedules.cosine({ rate: 0.05, warmup: 0.3 });
    const rates: number[] = [];
    const onBatch = ({ learningRate }: TrainingBatch) => void rates.push(learningRate);
    await trainClassifier(tinyModel(), train, { engine, epochs: 3, batchSize: 13, learningRate: schedule, onBatch });
    const plotted = sampleSchedule(schedule, { steps: 12, epochs: 3 });
    expect(rates).toEqual(plotted.map(({ rate }) => expect.closeTo(rate, 7)));
  });

  test.each(['fused', 'tfjs'] as const)('%s: a schedule stretches to the minutes that there are', async (engine) => {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    const schedule = schedules.oneCycle({ rate: 0.05 });
    const rates: number[] = [];
    const onBatch = ({ learningRate }: TrainingBatch) => {
      rates.push(learningRate);
      // What a hook takes counts as training.
      now += 6_000;
    };
    try {
      const options = { engine, maxMinutes: 1, batchSize: 13, learningRate: schedule, onBatch };
      const { history, seconds } = await trainClassifier(tinyModel(), train, options);
      expect(history).toHaveLength(3);
      expect(seconds).toBe(60);
    } finally {
      clock.mockRestore();
    }
    const plotted = sampleSchedule(schedule, { steps: 10, stepsPerEpoch: 4 });
    expect(rates).toEqual(plotted.map(({ rate }) => expect.closeTo(rate, 7)));
  });

  test.each(['fused', 'tfjs'] as const)(
    '%s: maxMinutes ends the epoch early, and what was done counts',
    async (engine) => {
      const { history, steps, seconds } = await trainClassifier(tinyModel(), train, {
        engine,
        maxMinutes: 1e-6,
        batchSize: 1,
      });
      expect(history).toHaveLength(1);
      expect(steps).toBe(1);
      expect(seconds).toBeGreaterThan(0);
      const epochsFirst = await trainClassifier(tinyModel(), train, { engine, maxMinutes: 10, epochs: 2 });
      expect(epochsFirst.history).toHaveLength(2);
      const seen: number[] = [];
      const onBatch = ({ progress }: TrainingBatch) => void seen.push(progress);
      const minutesFirst = await trainClassifier(tinyModel(), train, {
        engine,
        maxMinutes: 1e-6,
        epochs: 1000,
        onBatch,
      });
      expect(minutesFirst.history).toHaveLength(1);
      expect(seen).toEqual([1]);
    },
  );

  test.each(['fused', 'tfjs'] as const)(
    '%s: where batches accumulate, maxMinutes ends it after an update',
    async (engine) => {
      const options = { engine, maxMinutes: 1e-6, batchSize: 8, accumulateSteps: 3 };
      const { steps } = await trainClassifier(tinyModel(), train, options);
      expect(steps).toBe(3);
    },
  );

  test.each(['fused', 'tfjs'] as const)(
    '%s: a dataset of bytes from a canvas, or from a Buffer, trains as any other; one of numbers is refused',
    async (engine) => {
      const reading = (change: (images: Uint8Array) => unknown) => ({
        ...{ ...train, images: undefined },
        read(indices: ArrayLike<number>) {
          const { images, labels } = train.read(indices);
          return { images: change(images) as Uint8Array, labels };
        },
      });
      const lossesOn = async (dataset: ImageDataset) => {
        const model = tinyModel();
        const options = { engine, seed: 1, cutmix: 1, validation: dataset };
        const { history } = await trainClassifier(model, dataset, options);
        const { loss } = await evaluateClassifier(model, dataset, { engine });
        model.dispose();
        return [history[0]!.loss, history[0]!.valLoss, loss];
      };
      const expected = await lossesOn(train);
      expect(await lossesOn(reading((images) => new Uint8ClampedArray(images)))).toEqual(expected);
      expect(await lossesOn(reading((images) => Buffer.from(images)))).toEqual(expected);
      const numbers = reading((images) => Float32Array.from(images, (byte) => byte / 255));
      const refusal = {
        code: 'invalid-data',
        message: expect.stringContaining('received a Float32Array. Give bytes'),
      };
      await expect(trainClassifier(tinyModel(), numbers, { engine })).rejects.toMatchObject(refusal);
      await expect(trainClassifier(tinyModel(), train, { engine, validation: numbers })).rejects.toMatchObject(refusal);
      await expect(evaluateClassifier(tinyModel(), numbers, { engine })).rejects.toMatchObject(refusal);
    },
  );

  test.each(['fused', 'tfjs'] as const)('%s: there may be more pictures to validate with', async (engine) => {
    const { history } = await trainClassifier(tinyModel(), takeDataset(train, 5), { engine, validation });
    expect(history[0]!.valLoss).toBeGreaterThan(0);
  });

  test('input range, class names and shape go into the metadata, and the range is the next default', async () => {
    const model = tinyModel();
    model.setUserDefinedMetadata({ mine: 1 });
    await trainClassifier(model, train, { inputRange: [-1, 1] });
    expect(getModelMetadata(model)).toEqual({
      mine: 1,
      inputRange: [-1, 1],
      inputShape: [6, 6, 2],
      classNames: ['left', 'right', 'top'],
    });
    await trainClassifier(model, train);
    expect(getModelMetadata(model).inputRange).toEqual([-1, 1]);
  });

  test('how pictures were resized does too, where the dataset knows it, in place of what stood there', async () => {
    const model = tinyModel();
    setModelMetadata(model, { cropFraction: 0.875, interpolation: 'bicubic' });
    await trainClassifier(model, train);
    expect(getModelMetadata(model)).toMatchObject({ cropFraction: 0.875, interpolation: 'bicubic' });
    const resizing = { fit: 'stretch', cropFraction: 1, cropAfterResize: false, interpolation: 'bilinear' } as const;
    await trainClassifier(model, { ...train, resizing }, { validationSplit: 0.2 });
    expect(getModelMetadata(model)).toMatchObject(resizing);
  });
});

describe('bad input', () => {
  const refused: [name: string, options: object, message: RegExp][] = [
    ['epochs', { epochs: 0 }, /epochs to be an integer of at least 1, received 0/],
    ['no end', { epochs: Number.POSITIVE_INFINITY }, /epochs or maxMinutes to be finite/],
    ['minutes', { maxMinutes: -1 }, /maxMinutes to be above 0/],
    ['batch size', { batchSize: 1.5 }, /batchSize/],
    ['shuffle', { shuffle: -2 }, /shuffle/],
    ['seed', { seed: Number.NaN }, /seed/],
    ['input range', { inputRange: [1, 0] }, /inputRange/],
    ['optimizer', { optimizer: 'lion' }, /one of sgd, momentum, adam, adamw, rmsprop/],
    ['learning rate', { learningRate: -1 }, /learningRate/],
    ['validation', { validation: syntheticCifar10({ train: 1, test: 1 }).test }, /validation.*\[32,32,3\]/],
  ];
  for (const [name, options, message] of refused) {
    test(`${name} out of range`, async () => {
      const count = tensors();
      const model = tinyModel();
      const withModel = tensors();
      await expect(trainClassifier(model, train, options)).rejects.toThrow(message);
      expect(tensors()).toBe(withModel);
      model.dispose();
      expect(tensors()).toBe(count);
    });
  }

  test('a model for other pictures, for other classes, with a sigmoid, or with nothing to learn', async () => {
    const { train: cifar } = syntheticCifar10({ train: 10, test: 1 });
    await expect(trainClassifier(tinyModel(), cifar)).rejects.toThrow(/input is \[32,32,3\].*received \[6,6,2\]/);
    const four = { ...train, classNames: ['a', 'b', 'c', 'd'] };
    await expect(trainClassifier(tinyModel(), four)).rejects.toThrow(/classes: 4/);
    await expect(trainClassifier(tinyModel({ activation: 'sigmoid' }), train)).rejects.toThrow(/'sigmoid'/);
    const frozen = tinyModel();
    for (const layer of frozen.layers) layer.trainable = false;
    await expect(trainClassifier(frozen, train)).rejects.toThrow(/trainable weights/);
  });

  test('a tfjs optimizer without a learningRate keeps the one that a hook sets', async () => {
    const optimizer = tf.train.sgd(0.1) as tf.SGDOptimizer & { learningRate: number };
    const rates: number[] = [];
    await trainClassifier(tinyModel(), train, {
      optimizer,
      epochs: 2,
      onBatch({ learningRate }) {
        rates.push(learningRate);
        optimizer.setLearningRate(0.01);
      },
    });
    expect(rates[0]).toBe(0.1);
    expect(rates.slice(1).every((rate) => rate === 0.01)).toBe(true);
    expect([rates.length > 1, optimizer.learningRate]).toEqual([true, 0.01]);
    optimizer.dispose();
  });

  test('promises in place of a model or a dataset are told', async () => {
    const waiting = Promise.resolve();
    await expect(trainClassifier(waiting as never, train)).rejects.toThrow(/tf.LayersModel, received a promise/);
    await expect(trainClassifier(tinyModel(), waiting as never)).rejects.toThrow(/received a promise, which is to be/);
    await expect(trainClassifier(tinyModel(), { train, validation } as never)).rejects.toThrow(
      /object of train, valid/,
    );
    await expect(evaluateClassifier(waiting as never, train)).rejects.toThrow(/tf.LayersModel, received a promise/);
  });

  test('a folder that no checkpoint can be written into is told before the first step', async () => {
    const dir = join(await mkdtemp(join(tmpdir(), 'mobilenet-file-')), 'file');
    await writeFile(dir, '');
    const onBatch = vi.fn();
    const outcome = trainClassifier(tinyModel(), train, { checkpoint: { dir }, onBatch });
    await expect(outcome).rejects.toMatchObject({ code: 'file-system' });
    expect(onBatch).not.toHaveBeenCalled();
  });

  test('two trainings of one model at once are refused, of two models not', async () => {
    const [one, other] = [tinyModel(), tinyModel()];
    const first = trainClassifier(one, train, { epochs: 2 });
    await expect(trainClassifier(one, train)).rejects.toThrow(/no other call is training/);
    await trainClassifier(other, train);
    await first;
  });

  test('two heads on the same layers are not trained at once', async () => {
    const base = tinyModel();
    const [one, other] = [replaceHead(base, { classes: 3, seed: 1 }), replaceHead(base, { classes: 3, seed: 2 })];
    const first = trainClassifier(one, train);
    await expect(trainClassifier(other, train)).rejects.toThrow(/or shares layers with one that is/);
    await first;
    await trainClassifier(other, train);
  });

  test('pictures to validate with that have the classes in another order', async () => {
    const classNames = ['left', 'top', 'right'];
    await expect(trainClassifier(tinyModel(), train, { validation: { ...validation, classNames } })).rejects.toThrow(
      /expected class 1 to be right, as in the training pictures, received top/,
    );
  });

  test('a label that is no class is named with its place in the dataset', async () => {
    const wrong = (size: number) => ({
      ...train,
      images: undefined,
      size,
      read: async (indices: ArrayLike<number>) => {
        const { images, labels } = await train.read(indices);
        return { images, labels: labels.map((label, i) => (indices[i] === 40 ? 12 : label)) };
      },
    });
    const options = { batchSize: 8, seed: 1 };
    await expect(trainClassifier(tinyModel(), wrong(50), options)).rejects.toThrow(/received 12 at picture 40/);
    await expect(trainClassifier(tinyModel(), train, { ...options, validation: wrong(50) })).rejects.toThrow(
      /trainClassifier, validation: .*received 12 at picture 40/,
    );
  });
});
