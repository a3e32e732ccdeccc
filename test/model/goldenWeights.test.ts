import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { existsSync, readFileSync } from 'node:fs';
import { dispose, io, setBackend, type Tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { PNG } from 'pngjs';
import { describe, expect, test } from 'vitest';
import { mobilenetV1 } from '../../src/model/mobilenetV1';

// Weights by Google, photos and reference logits: none of it is part of the project.
const folder = new URL('../../../shared/imagenet/', import.meta.url);
const missing = !existsSync(folder);
const reason = missing ? ' (skipped: ../shared/imagenet is missing)' : '';

type Golden = Record<string, { top5: { class: number }[]; logits: number[] }>;

const readJson = (path: string) => JSON.parse(readFileSync(new URL(path, folder), 'utf8'));
const modelJson = (): io.ModelJSON => readJson('mobilenet_v1_0.25_224/model.json');

function readWeights() {
  const { weightsManifest } = modelJson();
  const shards = weightsManifest.flatMap(({ paths }) => paths);
  const bytes = Buffer.concat(shards.map((path) => readFileSync(new URL(`mobilenet_v1_0.25_224/${path}`, folder))));
  return io.decodeWeights(
    new Uint8Array(bytes).buffer,
    weightsManifest.flatMap(({ weights }) => weights),
  );
}

function readPhotos(names: string[]) {
  const pixels = names.flatMap((name) => {
    const { data } = PNG.sync.read(readFileSync(new URL(`photos/${name}.224.png`, folder)));
    return Array.from(
      data.filter((_, index) => index % 4 < 3),
      (value) => value / 127.5 - 1,
    );
  });
  return tensor4d(pixels, [names.length, 224, 224, 3]);
}

function top5(logits: readonly number[]): number[] {
  return [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!).slice(0, 5);
}

describe.skipIf(missing)(`real ImageNet weights, alpha 0.25${reason}`, () => {
  test('our layers are those of the classic model file, in its order', async () => {
    await setBackend('cpu');
    const topology = modelJson().modelTopology as { model_config: { config: { layers: { name: string }[] } } };
    const model = mobilenetV1({ alpha: 0.25 });
    expect(model.layers.map(({ name }) => name)).toEqual(topology.model_config.config.layers.map(({ name }) => name));
    model.dispose();
  });

  test.each(['cpu', 'wasm'])(
    '%s: the logits of eight photos agree within 1e-3, and so does the top 5',
    async (backend) => {
      await setBackend(backend);
      const golden: Golden = readJson('golden_0.25_224.json');
      const model = mobilenetV1({ alpha: 0.25, classifierActivation: 'linear' });
      const weights = readWeights();
      model.loadWeights(weights);
      const names = Object.keys(golden);
      expect(names).toHaveLength(8);
      const logits = tidy(() => (model.predict(readPhotos(names)) as Tensor).arraySync() as number[][]);
      names.forEach((name, photo) => {
        const expected = golden[name]!;
        const differences = logits[photo]!.map((logit, index) => Math.abs(logit - expected.logits[index]!));
        expect(differences).toHaveLength(1000);
        expect(Math.max(...differences), name).toBeLessThan(1e-3);
        expect(top5(logits[photo]!), name).toEqual(expected.top5.map((entry) => entry.class));
      });
      dispose(weights);
      model.dispose();
    },
  );
});
