import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, expect, test } from 'vitest';
import { recipes, syntheticCifar10, trainClassifier } from '../../src/index';
import { tinyModel, train, validation, weightsOf } from './models';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

for (const optimizer of ['sgd', 'momentum', 'adam', 'rmsprop'] as const) {
  test(`${optimizer} lowers the loss`, async () => {
    const learningRate = optimizer === 'sgd' || optimizer === 'momentum' ? 0.05 : 0.01;
    const { history } = await trainClassifier(tinyModel(), train, {
      epochs: 8,
      batchSize: 10,
      optimizer,
      learningRate,
      seed: 1,
    });
    expect(history.at(-1)!.loss).toBeLessThan(0.7 * history[0]!.loss);
  });
}

test('learns the synthetic pictures on wasm: more than three times as good as chance from 600 of them', async () => {
  await tf.setBackend('wasm');
  const sets = syntheticCifar10({ train: 600, test: 200, seed: 1 });
  const model = tfl.sequential();
  model.add(
    tfl.layers.conv2d({
      inputShape: [32, 32, 3],
      filters: 16,
      kernelSize: 5,
      strides: 2,
      kernelInitializer: tfl.initializers.glorotUniform({ seed: 1 }),
    }),
  );
  model.add(tfl.layers.batchNormalization({ momentum: 0.8 }));
  model.add(tfl.layers.reLU());
  model.add(
    tfl.layers.separableConv2d({
      filters: 32,
      kernelSize: 3,
      strides: 2,
      depthwiseInitializer: tfl.initializers.glorotUniform({ seed: 2 }),
      pointwiseInitializer: tfl.initializers.glorotUniform({ seed: 3 }),
    }),
  );
  model.add(tfl.layers.batchNormalization({ momentum: 0.8 }));
  model.add(tfl.layers.reLU());
  model.add(tfl.layers.globalAveragePooling2d({}));
  model.add(
    tfl.layers.dense({
      units: 10,
      activation: 'softmax',
      kernelInitializer: tfl.initializers.glorotUniform({ seed: 4 }),
    }),
  );
  const { history } = await trainClassifier(model, sets.train, {
    epochs: 12,
    batchSize: 32,
    learningRate: ({ progress }) => 0.02 * (1 - progress) + 1e-4,
    validation: sets.test,
    seed: 1,
  });
  expect(history.at(-1)!.valAccuracy).toBeGreaterThan(0.3);
  model.dispose();
});

test.each(['tfjs', 'fused'] as const)(
  '%s: the same seed gives the same bits, dropout and order included',
  async (engine) => {
    const run = async (seed: number) => {
      const model = tinyModel({ dropout: 0.5 });
      await trainClassifier(model, train, { epochs: 2, batchSize: 16, seed, engine });
      return weightsOf(model);
    };
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  },
);

/** What a dropout is seeded with whenever it runs. */
function seedsOf(dropout: tfl.layers.Layer & { seed?: number }): (number | undefined)[] {
  const seeds: (number | undefined)[] = [];
  const call = dropout.call.bind(dropout);
  dropout.call = (inputs, kwargs) => {
    seeds.push(dropout.seed);
    return call(inputs, kwargs);
  };
  return seeds;
}

test('dropout draws another mask at each step', async () => {
  const model = tinyModel({ dropout: 0.5 });
  const seeds = seedsOf(model.layers.find((layer) => layer.getClassName() === 'Dropout')!);
  await trainClassifier(model, train, { engine: 'tfjs', batchSize: 10 });
  expect(new Set(seeds).size).toBe(5);
});

test('which mask goes by the seed of the training', async () => {
  const lossWith = async (seed: number) => {
    const model = tinyModel({ dropout: 0.5 });
    const { history } = await trainClassifier(model, train, { seed, shuffle: false, batchSize: 50 });
    model.dispose();
    return history[0]!.loss;
  };
  expect(await lossWith(1)).toBe(await lossWith(1));
  expect(await lossWith(1)).not.toBe(await lossWith(2));
});

test("the tutorial's recipe is one call", async () => {
  const { history } = await trainClassifier(tinyModel(), train, { ...recipes.tutorial, validation });
  expect(history).toHaveLength(30);
  expect(history[29]!.learningRate).toBe(1e-5);
});

test('the quick recipe too: its rate warms up, then falls to 0', async () => {
  const rates: number[] = [];
  await trainClassifier(tinyModel(), train, {
    ...recipes.quick,
    // The tiny net does not pool, and has two channels.
    pictureScales: [],
    inputRange: [-1, 1],
    epochs: 8,
    batchSize: 25,
    onBatch: ({ learningRate }) => void rates.push(learningRate),
  });
  expect(rates).toHaveLength(16);
  const highest = Math.max(...rates);
  expect(rates.indexOf(highest)).toBe(4);
  expect(rates[0]).toBeLessThan(0.1 * highest);
  expect(rates.at(-1)).toBeLessThan(0.1 * highest);
});

test('a dropout with a seed of its own draws another mask at each step too, and gets its seed back', async () => {
  const seeded = tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [6, 6, 2] }),
      tfl.layers.dropout({ rate: 0.5, seed: 7 }),
      tfl.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
  const dropout = seeded.layers[1] as tfl.layers.Layer & { seed?: number };
  const seeds = seedsOf(dropout);
  const between = new Set<number | undefined>();
  await trainClassifier(seeded, train, {
    engine: 'tfjs',
    batchSize: 10,
    onBatch: () => void between.add(dropout.seed),
  });
  expect(new Set(seeds).size).toBe(5);
  expect([...between, dropout.seed]).toEqual([7, 7]);
});
