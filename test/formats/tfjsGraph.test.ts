import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadWeights } from '../../src/formats/loadWeights';
import { golden, narrowNet, outputsOf, readJson, relativeError } from './networks';

beforeAll(() => setBackend('cpu'));

const { logits } = readJson('tfjs/logits.json');

describe('a graph of TensorFlow, optimized', () => {
  test.each([32, 33, 37])('%i pixels: its logits', async (size) => {
    const model = narrowNet({ padding: 'keras', inputShape: [size, size, 3] });
    const { format, layers, skipped } = await loadWeights(model, golden('tfjs/graph.model'));
    expect([format, layers.length, skipped]).toEqual(['tfjs-graph', 55, []]);
    expect(relativeError(outputsOf(model), logits[size])).toBeLessThan(1e-5);
  });
});
