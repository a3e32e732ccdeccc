import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { imagesPerUnit, mostUnits } from '../../src/engine/blocking';
import type { OptimizerSettings } from '../../src/engine/optimizer';
import { flavours } from '../kernels/engine/arena';
import { createInlineEngine } from './inlineEngine';
import { graphOf, randomBatch, randomizeWeights, weightsOf } from './models';
import { softTargets } from './referenceLoss';

// The last batch of an epoch is smaller than the engine was laid out for, and its sums are cut into other parts.

const SEED = 31;
const optimizer: OptimizerSettings = { kind: 'sgd', weightDecay: 0 };

beforeAll(() => setBackend('cpu'));

test('no batch has more groups of pictures than there is room for', () => {
  for (let most = 1; most <= 300; most++) {
    const groups = Array.from({ length: most }, (_, i) => Math.ceil((i + 1) / imagesPerUnit(i + 1)));
    expect(Math.max(...groups), `${most}`).toBe(mostUnits(most));
  }
});

describe.each(flavours)('%s', (_, bytes) => {
  test.each([9, 10, 12, 14, 25])(`8 pictures, in an engine for %i: the same bits (seed ${SEED})`, (batchSize) => {
    // Little follows the depthwise stage, so that what is written past its partial sums is not overwritten.
    const model = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [4, 4, 3], filters: 256, kernelSize: 4, useBias: false }),
        tfl.layers.batchNormalization(),
        tfl.layers.reLU({ maxValue: 6 }),
        tfl.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', useBias: false }),
        tfl.layers.batchNormalization(),
        tfl.layers.reLU({ maxValue: 6 }),
        tfl.layers.conv2d({ filters: 8, kernelSize: 1 }),
        tfl.layers.flatten(),
      ],
    });
    randomizeWeights(model, SEED);
    const { bytes: pictures } = randomBatch(model, 8, SEED);
    const batch = { ...pictures, targets: softTargets(pictures.labels, pictures.classes, 0.1) };
    const gradientsWith = (size: number) => {
      const weights = weightsOf(model);
      const options = { graph: graphOf(model), weights, batchSize: size, optimizer, inputRange: [-1, 1] } as const;
      const engine = createInlineEngine(bytes, options);
      engine.step(batch, { learningRate: 0.1, dropoutSeed: 1 });
      return engine.gradients().map((values) => values && Array.from(values));
    };
    expect(gradientsWith(batchSize)).toEqual(gradientsWith(8));
    model.dispose();
  });
});
