import { existsSync, readFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-wasm';
import { setBackend, type Tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { exportTflite } from '../../src/formats/exportTflite';
import { loadWeights } from '../../src/formats/loadWeights';
import { loadModel } from '../../src/io/loadModel';
import { mobilenetV1 } from '../../src/model/mobilenetV1';

// Weights by Google and photos: none of it is part of the project.
const folder = '../shared/imagenet';
const missing = !existsSync(folder);
const reason = missing ? ` (skipped: no ${folder})` : '';

function readPhoto(name: string): Float32Array {
  const { data } = PNG.sync.read(readFileSync(`${folder}/photos/${name}`));
  return Float32Array.from(data.filter((_, index) => index % 4 < 3)).map((value) => value / 127.5 - 1);
}

test.skipIf(missing)(
  `ImageNet weights, alpha 0.25, through a TFLite file: logits of 8 photos within 1e-4 of the truth${reason}`,
  async () => {
    await setBackend('wasm');
    const source = await loadModel(`${folder}/mobilenet_v1_0.25_224`);
    const model = mobilenetV1({ alpha: 0.25, classifierActivation: 'linear' });
    const { layers, skipped } = await loadWeights(model, await exportTflite(source));
    expect(layers).toHaveLength(55);
    expect(skipped).toEqual([]);
    const golden: Record<string, { logits: number[] }> = JSON.parse(
      readFileSync(`${folder}/golden_0.25_224.json`, 'utf8'),
    );
    const names = Object.keys(golden);
    expect(names).toHaveLength(8);
    for (const name of names) {
      const pixels = tensor4d(readPhoto(`${name}.224.png`), [1, 224, 224, 3]);
      const logits = tidy(() => (model.predict(pixels) as Tensor).dataSync());
      pixels.dispose();
      const differences = golden[name]!.logits.map((logit, c) => Math.abs(logit - logits[c]!));
      expect(differences).toHaveLength(1000);
      expect(Math.max(...differences), name).toBeLessThan(1e-4);
    }
  },
);
