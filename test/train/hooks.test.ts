// What a hook sees of the model, and may do with it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { evaluateClassifier, freeze, loadModel, saveModel, trainClassifier } from '../../src/index';
import { tinyModel, train, weightsOf } from './models';

let dir: string;

beforeEach(async () => {
  await tf.setBackend('cpu');
  dir = await mkdtemp(join(tmpdir(), 'hooks-'));
});

afterEach(() => rm(dir, { recursive: true }));

/** One whose batch norm lacks its scale and is frozen where asked, with a dropout. */
function modelWith(batchNorm: Parameters<typeof tfl.layers.batchNormalization>[0]) {
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [6, 6, 2], filters: 4, kernelSize: 3, useBias: false }),
      tfl.layers.batchNormalization(batchNorm),
      tfl.layers.reLU({ maxValue: 6 }),
      tfl.layers.flatten(),
      tfl.layers.dropout({ rate: 0.2 }),
      tfl.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
}

describe.each(['tfjs', 'fused'] as const)('%s', (engine) => {
  test('the layers are as they were made: a model without scales, saved by a hook, is the one that is loaded', async () => {
    const model = modelWith({ scale: false });
    const folder = join(dir, 'model');
    await trainClassifier(model, train, {
      engine,
      seed: 1,
      onEpoch: async () => void (await saveModel(model, folder)),
    });
    const loaded = await loadModel(folder);
    expect(weightsOf(loaded)).toEqual(weightsOf(model));
    // As none was given.
    expect(loaded.layers[4]!.getConfig().seed).toBeNull();
  });

  test('a frozen batch norm hides nothing from the engine', async () => {
    const model = modelWith({ trainable: false });
    const accuracies: number[] = [];
    const onEpoch = async () => {
      accuracies.push((await evaluateClassifier(model, train, { engine: 'fused' })).accuracy);
    };
    await trainClassifier(model, train, { engine, seed: 1, cacheFeatures: false, onEpoch });
    expect(accuracies).toEqual([(await evaluateClassifier(model, train)).accuracy]);
  });

  for (const hook of ['onBatch', 'onEpoch'] as const) {
    test(`layers that ${hook} freezes end the training, which loses nothing of what it learned`, async () => {
      const [frozen, free] = [tinyModel(), tinyModel()];
      const options = { engine, seed: 1, batchSize: 25, restoreBest: true };
      const outcome = trainClassifier(frozen, train, { ...options, epochs: 2, [hook]: () => void freeze(frozen) });
      await expect(outcome).rejects.toMatchObject({ code: 'invalid-argument' });
      await expect(outcome).rejects.toThrow(/layers that learn to stay the same.* 2 trainable weights in place of 5/);
      const done = new AbortController();
      const stopped = trainClassifier(free, train, { ...options, signal: done.signal, [hook]: () => done.abort() });
      if (hook === 'onBatch') await expect(stopped).rejects.toThrow();
      else await stopped;
      expect(weightsOf(frozen)).toEqual(weightsOf(free));
    });
  }

  test('no checkpoint is written of a training whose layers are others', async () => {
    const model = tinyModel();
    const done = new AbortController();
    const onBatch = () => {
      freeze(model);
      done.abort();
    };
    const outcome = trainClassifier(model, train, { engine, checkpoint: { dir }, signal: done.signal, onBatch });
    await expect(outcome).rejects.toThrow('layers that learn');
    await expect(trainClassifier(tinyModel(), train, { engine, resume: dir })).rejects.toThrow('checkpoint');
  });
});
