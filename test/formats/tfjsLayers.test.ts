import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadWeights } from '../../src/formats/loadWeights';
import { loadModel } from '../../src/io/loadModel';
import { golden, narrowNet, outputsOf, readJson, relativeError } from './networks';

beforeAll(() => setBackend('cpu'));

const { logits, sequential } = readJson('tfjs/logits.json');

describe('Keras 3', () => {
  test.each([32, 33, 37])('%i pixels: loadWeights gives its logits', async (size) => {
    const model = narrowNet({ padding: 'keras', inputShape: [size, size, 3] });
    const { format, layers, skipped } = await loadWeights(model, golden('tfjs/keras3.model'));
    expect([format, layers.length, skipped]).toEqual(['tfjs-layers', 55, []]);
    expect(relativeError(outputsOf(model), logits[size])).toBeLessThan(1e-5);
  });

  test('loadModel builds the model', async () => {
    const model = await loadModel(golden('tfjs/keras3.model').href);
    expect(relativeError(outputsOf(model), logits[32])).toBeLessThan(1e-5);
  });

  test('loadModel builds a Sequential model with another inside', async () => {
    const model = await loadModel(golden('tfjs/sequential.model').href);
    expect(relativeError(outputsOf(model), sequential)).toBeLessThan(1e-5);
  });
});
