import '@tensorflow/tfjs-backend-wasm';
import { existsSync } from 'node:fs';
import { setBackend } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { exportKeras } from '../../src/formats/exportKeras';
import { loadWeights } from '../../src/formats/loadWeights';
import { loadModel } from '../../src/io/loadModel';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { bitsOf } from './networks';

// Weights by Google: none of it is part of the project.
const folder = '../shared/imagenet';
const missing = !existsSync(folder);
const reason = missing ? ` (skipped: no ${folder})` : '';

test.skipIf(missing)(
  `ImageNet weights, alpha 0.25, as .keras and as .h5 and back: the same bits${reason}`,
  async () => {
    await setBackend('wasm');
    const source = await loadModel(`${folder}/mobilenet_v1_0.25_224`);
    for (const format of ['keras', 'h5'] as const) {
      const model = mobilenetV1({ alpha: 0.25, padding: 'keras' });
      const { layers, skipped } = await loadWeights(model, await exportKeras(source, { format }), {
        ignorePadding: true,
      });
      expect([layers.length, skipped]).toEqual([55, []]);
      expect([...bitsOf(model).values()]).toEqual([...bitsOf(source).values()]);
      model.dispose();
    }
    source.dispose();
  },
);
