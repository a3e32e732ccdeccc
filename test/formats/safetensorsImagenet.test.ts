import { existsSync, readFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-wasm';
import { setBackend, type Tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { PNG } from 'pngjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { exportSafetensors } from '../../src/formats/exportSafetensors';
import { loadWeights } from '../../src/formats/loadWeights';
import { loadModel } from '../../src/io/loadModel';
import { setModelMetadata } from '../../src/model/metadata';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { bitsOf } from './networks';

// Weights by Google, photos and reference logits: none of it is part of the project.
const folder = '../shared/imagenet';
const missing = !existsSync(folder);
const reason = missing ? ` (skipped: no ${folder})` : '';

function readPhoto(name: string): Float32Array {
  const { data } = PNG.sync.read(readFileSync(`${folder}/photos/${name}.224.png`));
  return Float32Array.from(data.filter((_, index) => index % 4 < 3)).map((value) => value / 127.5 - 1);
}

/** The largest difference from the reference over eight photos. */
function largestError(model: LayersModel): number {
  const golden: Record<string, { logits: number[] }> = JSON.parse(
    readFileSync(`${folder}/golden_0.25_224.json`, 'utf8'),
  );
  const errors = Object.entries(golden).map(([name, { logits }]) => {
    const actual = tidy(() => (model.predict(tensor4d(readPhoto(name), [1, 224, 224, 3])) as Tensor).dataSync());
    expect(logits).toHaveLength(1000);
    return Math.max(...logits.map((logit, c) => Math.abs(logit - actual[c]!)));
  });
  expect(errors).toHaveLength(8);
  return Math.max(...errors);
}

describe.skipIf(missing)(`ImageNet weights, alpha 0.25${reason}`, () => {
  const build = () => mobilenetV1({ alpha: 0.25, classifierActivation: 'linear' });
  let model: LayersModel;

  beforeAll(async () => {
    await setBackend('wasm');
    model = build();
    const { format, layers, inputRange } = await loadWeights(model, `${folder}/mobilenet_v1_0.25_224`);
    expect([format, layers.length, inputRange]).toEqual(['tfjs-layers', 55, [-1, 1]]);
    setModelMetadata(model, { inputRange: inputRange! });
  });

  test('from the tfjs model: the bits that loadModel gives, and the logits within 1e-4 of the truth', async () => {
    const loaded = await loadModel(`${folder}/mobilenet_v1_0.25_224`);
    expect(bitsOf(model)).toEqual(bitsOf(loaded));
    expect(largestError(model)).toBeLessThan(1e-4);
  });

  test.each(['timm', 'keras'] as const)('through safetensors, %s: the same bits', async (layout) => {
    const back = build();
    const { inputRange } = await loadWeights(back, await exportSafetensors(model, { layout }));
    expect(inputRange).toEqual([-1, 1]);
    expect(bitsOf(back)).toEqual(bitsOf(model));
  });

  test("with timm's epsilon: the logits within 1e-4 of the truth", async () => {
    const back = mobilenetV1({ alpha: 0.25, classifierActivation: 'linear', batchNormEpsilon: 1e-5 });
    await loadWeights(back, await exportSafetensors(model, { epsilon: 1e-5 }));
    expect(largestError(back)).toBeLessThan(1e-4);
  });
});
