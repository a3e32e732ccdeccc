import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { mobilenetV1, syntheticCifar10, takeDataset, trainClassifier } from '../../src/index';
import '../fasterTfjs';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const SEED = 11;

test(`the same seed gives the same bits with 1, 2 and 4 threads, dropout included (seed ${SEED})`, async () => {
  const { train, test: validation } = syntheticCifar10({ train: 75, test: 13, seed: SEED });
  const run = async (threads: number) => {
    const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, dropout: 0.5, seed: SEED });
    const losses: number[] = [];
    const result = await trainClassifier(model, train, {
      engine: 'fused',
      threads,
      batchSize: 30,
      epochs: 2,
      validation,
      seed: SEED,
      onBatch: ({ loss }) => void losses.push(loss),
    });
    expect(result).toMatchObject({ engine: 'fused', threads, fallbackReason: undefined });
    const { valLoss } = result.history.at(-1)!;
    return { losses, valLoss, weights: model.weights.map((weight) => weight.read().dataSync()) };
  };
  const one = await run(1);
  // The last batch of an epoch is half as large as the others.
  expect(one.losses).toHaveLength(6);
  expect(await run(2)).toEqual(one);
  expect(await run(4)).toEqual(one);
});

test(`free-running losses agree with tfjs cpu within 5e-4 over 10 steps at a rate of 1e-5 (seed ${SEED})`, async () => {
  const { train } = syntheticCifar10({ train: 160, test: 1, seed: SEED });
  const lossesOf = async (engine: 'fused' | 'tfjs') => {
    const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, dropout: 0, seed: SEED });
    const losses: number[] = [];
    await trainClassifier(model, train, {
      engine,
      batchSize: 16,
      optimizer: 'adam',
      learningRate: 1e-5,
      seed: SEED,
      onBatch: ({ loss }) => void losses.push(loss),
    });
    return losses;
  };
  const [fused, tfjs] = [await lossesOf('fused'), await lossesOf('tfjs')];
  expect(fused).toHaveLength(10);
  const differences = fused.map((loss, i) => Math.abs(loss - tfjs[i]!));
  expect(Math.max(...differences), `${differences}`).toBeLessThan(5e-4);
}, 240_000);

test('validation in the engine gives what tfjs gives, within 1e-5', async () => {
  const { train, test: validation } = syntheticCifar10({ train: 40, test: 30, seed: SEED });
  const run = async (engine: 'fused' | 'tfjs') => {
    const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, seed: SEED });
    // A rate of 0: only the moving averages change.
    const { history } = await trainClassifier(model, takeDataset(train, 16), {
      engine,
      learningRate: 0,
      optimizer: 'sgd',
      batchSize: 16,
      validation,
      seed: SEED,
    });
    return history[0]!;
  };
  const [fused, tfjs] = [await run('fused'), await run('tfjs')];
  expect(Math.abs(fused.valLoss! - tfjs.valLoss!)).toBeLessThan(1e-5);
  expect(fused.valAccuracy).toBe(tfjs.valAccuracy);
});
