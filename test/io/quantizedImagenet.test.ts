import { existsSync, readFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-wasm';
import { io, setBackend, type Tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { loadModel } from '../../src/io/loadModel';
import { savedArtifacts } from './quantizedModels';

// Weights by Google and photos: none of it is part of the project.
const folder = '../shared/imagenet';
const missing = !existsSync(folder);
const reason = missing ? ` (skipped: no ${folder})` : '';
const names = ['basketball', 'burger', 'cat', 'coffee', 'daisy', 'elephants', 'pizza', 'turtle'];

function readPhotos() {
  const pixels = names.flatMap((name) => {
    const { data } = PNG.sync.read(readFileSync(`${folder}/photos/${name}.224.png`));
    return [...data].filter((_, index) => index % 4 < 3).map((value) => value / 127.5 - 1);
  });
  return tensor4d(pixels, [names.length, 224, 224, 3]);
}

function classify(model: LayersModel): number[][] {
  return tidy(() => (model.predict(readPhotos()) as Tensor).arraySync() as number[][]);
}

test.skipIf(missing).each([
  ['float16', 0.03],
  ['int8', 0.3],
] as const)(
  `ImageNet weights, alpha 0.25, %s: the top 1 of 8 photos stays, its probability moves by less than %d${reason}`,
  async (quantize, bound) => {
    await setBackend('wasm');
    const model = await loadModel(`${folder}/mobilenet_v1_0.25_224`);
    const small = await loadModel(io.fromMemory(await savedArtifacts(model, quantize)));
    const [expected, received] = [classify(model), classify(small)];
    names.forEach((name, photo) => {
      const before = Math.max(...expected[photo]!);
      const after = Math.max(...received[photo]!);
      expect(received[photo]!.indexOf(after), name).toBe(expected[photo]!.indexOf(before));
      expect(Math.abs(after - before), name).toBeLessThan(bound);
    });
  },
);
