import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadWeights } from '../../src/formats/loadWeights';
import { golden, narrowNet, outputsOf, readJson, relativeError } from './networks';

beforeAll(() => setBackend('cpu'));

const { logits } = readJson('timm/logits.json');
const SIZES = [32, 33, 37] as const;

describe.each([
  ['timm', { padding: 'torch', batchNormEpsilon: 1e-5 }],
  ['transformers', { padding: 'same', batchNormEpsilon: 1e-3 }],
] as const)('%s', (name, options) => {
  const path = golden(`timm/${name}.safetensors`);

  test.each(SIZES)('%i pixels: its logits, within a relative 1e-5', async (size) => {
    const model = narrowNet({ ...options, inputShape: [size, size, 3] });
    const { format, layers, skipped } = await loadWeights(model, path);
    expect([format, layers.length, skipped]).toEqual(['safetensors', 55, []]);
    expect(relativeError(outputsOf(model), logits[name][size])).toBeLessThan(1e-5);
  });

  test.each([1e-3, 1e-5, 0.1])('the same in a network of epsilon %f', async (batchNormEpsilon) => {
    const model = narrowNet({ ...options, batchNormEpsilon, inputShape: [37, 37, 3] });
    await loadWeights(model, path);
    expect(relativeError(outputsOf(model), logits[name][37])).toBeLessThan(1e-5);
  });
});
