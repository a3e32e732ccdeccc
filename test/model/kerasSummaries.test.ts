import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeMobilenetV1 } from '../../src/model/describeMobilenetV1';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import keras from '../fixtures/kerasSummaries.json';
import { layerRows } from './layerRows';

// The fixture holds every convolution, batch norm and ReLU6 layer that Keras's rules give for these configurations:
// names and classes once, then "HxWxC parameters" a layer.
const configurations: Record<keyof typeof keras.configurations, MobilenetV1Options> = {
  '0.25_224_top': { alpha: 0.25 },
  '0.25_224_notop': { alpha: 0.25, includeTop: false },
  '0.5_224_top': { alpha: 0.5 },
  '0.5_224_notop': { alpha: 0.5, includeTop: false },
  '0.75_224_top': { alpha: 0.75 },
  '0.75_224_notop': { alpha: 0.75, includeTop: false },
  '1.0_224_top': {},
  '1.0_224_notop': { includeTop: false },
  // Odd feature maps: here Keras's padding gives other shapes than 'same'.
  '1.0_200_top': { inputShape: [200, 200, 3], padding: 'keras' },
  '1.0_32_notop': { inputShape: [32, 32, 3], includeTop: false },
  '0.35_96_c10_top': { alpha: 0.35, inputShape: [96, 96, 3], classes: 10 },
  '1.0_128_dm2_top': { inputShape: [128, 128, 3], depthMultiplier: 2 },
};

type Row = { name: string; kind: string; outputShape: unknown; parameters: number };

const counted = ['Conv2D', 'DepthwiseConv2D', 'BatchNormalization', 'ReLU'];
const lines = (rows: readonly Row[]) =>
  rows
    .filter(({ kind }) => counted.includes(kind))
    .map(({ name, kind, outputShape, parameters }) => {
      const [batch, ...shape] = outputShape as (number | null)[];
      expect(batch).toBeNull();
      return `${name} ${kind} ${shape.join('x')} ${parameters}`;
    });

beforeAll(() => setBackend('cpu'));

test('the fixture holds all 12 configurations', () => {
  expect(Object.keys(keras.configurations)).toHaveLength(12);
  expect(keras.layers).toHaveLength(82);
});

describe.each(Object.entries(configurations))('Keras %s', (key, options) => {
  const expected = keras.configurations[key as keyof typeof keras.configurations];
  const expectedLines = expected.rows.map((row, layer) => `${keras.layers[layer]} ${row}`);

  test('describeMobilenetV1: names, shapes, parameters and totals are equal', () => {
    const description = describeMobilenetV1(options);
    expect(lines(description.layers)).toEqual(expectedLines);
    expect(description.parameters).toBe(expected.parameters);
    expect(description.trainableParameters).toBe(expected.trainableParameters);
  });

  test('mobilenetV1: names, shapes, parameters and totals are equal', () => {
    const model = mobilenetV1(options);
    expect(lines(layerRows(model))).toEqual(expectedLines);
    expect(model.countParams()).toBe(expected.parameters);
    const trainable = model.trainableWeights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a! * b!, 1)!, 0);
    expect(trainable).toBe(expected.trainableParameters);
    model.dispose();
  });
});
