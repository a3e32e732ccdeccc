import '@tensorflow/tfjs-backend-cpu';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setBackend } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { createClassifier, loadModel } from 'mobilenet-v1-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// Weights by Google, photos and reference logits: none of it is part of the project.
const folder = fileURLToPath(new URL('../../../shared/imagenet/', import.meta.url));
const missing = !existsSync(folder);
const reason = missing ? ' (skipped: ../shared/imagenet is missing)' : '';

type Golden = Record<string, { top5: { class: number }[]; logits: number[] }>;

const readJson = (path: string) => JSON.parse(readFileSync(`${folder}${path}`, 'utf8'));

describe.skipIf(missing)(`eight photos with the real weights of alpha 0.25${reason}`, () => {
  let model: LayersModel;
  let golden: Golden;

  beforeAll(async () => {
    await setBackend('cpu');
    model = await loadModel(`${folder}mobilenet_v1_0.25_224`);
    golden = readJson('golden_0.25_224.json');
  });
  afterAll(() => model.dispose());

  const classifierOf = (options: Parameters<typeof createClassifier>[1]) =>
    createClassifier(model, { engine: 'fused', preprocessing: { inputRange: [-1, 1], fit: 'stretch' }, ...options });

  test.each([1, 2])('float32, %i threads: probabilities within 1e-4, the same five best', async (threads) => {
    const classifier = await classifierOf({ threads });
    for (const [name, { logits, top5 }] of Object.entries(golden)) {
      const found = await classifier.classify(`${folder}photos/${name}.224.png`, { topK: 1000 });
      const expected = softmax(logits);
      const worst = Math.max(...found.map((one) => Math.abs(one.probability - expected[one.classIndex]!)));
      expect(worst, name).toBeLessThan(1e-4);
      expect(found.slice(0, 5).map(({ classIndex }) => classIndex)).toEqual(top5.map((entry) => entry.class));
    }
    await classifier.dispose();
  });

  test.each(['float32', 'int8'] as const)(
    '%s: the best class is the reference’s, of the JPEGs too',
    async (precision) => {
      const classifier = await classifierOf({ precision });
      const files = [...Object.keys(golden).map((name) => `${name}.224.png`), 'cat.jpg', 'elephants.jpg'];
      for (const file of files) {
        const [best] = await classifier.classify(`${folder}photos/${file}`);
        expect(best!.classIndex, file).toBe(golden[file.split('.')[0]!]!.top5[0]!.class);
      }
      await classifier.dispose();
    },
  );
});

function softmax(logits: readonly number[]): number[] {
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
