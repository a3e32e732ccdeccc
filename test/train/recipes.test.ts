import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeEach, expect, test } from 'vitest';
import { mobilenetV1, recipeNetworks, recipes, syntheticCifar10, trainClassifier } from '../../src/index';
import { learningRateAt } from '../../src/train/learningRate';
import { relativeL2 } from '../engine/models';
import { largestDifference, weightsOf } from './models';

beforeEach(() => setBackend('cpu').then(() => {}));

const { train } = syntheticCifar10({ train: 48, test: 1, seed: 4 });

test('the tutorial is what it says, exactly', () => {
  expect(recipes.tutorial).toEqual({
    ...{ epochs: 30, batchSize: 128, shuffle: 10_000, optimizer: 'adam', learningRate: 1e-5, inputRange: [0, 1] },
  });
  expect(recipeNetworks.tutorial).toEqual({ alpha: 1 });
});

test('quick takes a minute, unless it is told otherwise', () => {
  expect(recipes.quick.maxMinutes).toBe(1);
});

const names = Object.keys(recipes) as (keyof typeof recipes)[];

test.each(names)('%s, a few steps on its narrowed network: both engines agree within 1e-4', async (name) => {
  const [fused, tfjs] = await Promise.all(
    (['fused', 'tfjs'] as const).map(async (engine) => {
      // Without dropout, whose masks are each engine's own; and at small rates, as large ones multiply what rounding leaves.
      const network = { ...recipeNetworks[name], alpha: 0.05, stemStride: 2, dropout: 0 } as const;
      const model = mobilenetV1({ ...network, classes: 10, inputShape: [32, 32, 3], seed: 2 });
      const before = weightsOf(model);
      const losses: number[] = [];
      const result = await trainClassifier(model, train, {
        ...recipes[name],
        ...{ maxMinutes: undefined, epochs: 2, batchSize: 16, seed: 3, engine },
        learningRate: (position) => 0.001 * learningRateAt(recipes[name].learningRate, position),
        onBatch: ({ loss }) => void losses.push(loss),
      });
      expect(result.engine).toBe(engine);
      const weights = weightsOf(model);
      model.dispose();
      return { before, weights, losses };
    }),
  );
  expect(fused!.losses).toHaveLength(6);
  expect(largestDifference(fused!.before, fused!.weights)).toBeGreaterThan(1e-7);
  expect(largestDifference([fused!.losses], [tfjs!.losses])).toBeLessThan(1e-4);
});

test.each(names)('%s, an update at its own rate: both engines move the weights alike, within 0.1 %', async (name) => {
  const moved = await Promise.all(
    (['fused', 'tfjs'] as const).map(async (engine) => {
      const network = { ...recipeNetworks[name], alpha: 0.05, stemStride: 2, dropout: 0 } as const;
      const model = mobilenetV1({ ...network, classes: 10, inputShape: [32, 32, 3], seed: 2 });
      const learned = () => model.trainableWeights.flatMap((weight) => Array.from(weight.read().dataSync()));
      const before = learned();
      // All pictures of the first epoch in one batch.
      const options = { ...recipes[name], maxMinutes: undefined, epochs: 1, batchSize: 48, seed: 3, engine };
      await trainClassifier(model, train, options);
      const after = learned();
      model.dispose();
      return after.map((value, i) => value - before[i]!);
    }),
  );
  expect(relativeL2(moved[0]!, moved[1]!)).toBeLessThan(1e-3);
});
