import '@tensorflow/tfjs-backend-cpu';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { importPeer, peerModules } from '../../bench/peers.mjs';
import { exportOnnx } from '../../src/formats/exportOnnx';
import { largestError, randomPictures, runOnnx, runTfjs, toPlanes } from './onnxSessions';
import { buildVariant, pictureShape, variants } from './onnxVariants';

// Not a dependency: some hundred megabytes.
const missing = !existsSync(join(peerModules, 'onnxruntime-node'));
const reason = missing ? ' (skipped: npm run bench:inference fetches it)' : '';

describe.skipIf(missing)(`onnxruntime-node${reason}`, () => {
  beforeAll(() => setBackend('cpu'));

  test.each([
    ['alpha 0.25', 3],
    ['alpha 0.25', 1],
    ['torch padding, 33 x 37', 3],
    ['keras padding, 33 x 37', 3],
    ['same padding, 33 x 37, NCHW', 3],
    ['two depthwise channels for each', 2],
    ['dense layers with batch norm and ReLU between', 3],
    ['operators of 2021', 2],
    ['operators of 2024', 2],
  ] as const)('%s, %i at a time: within 2e-5 of tfjs', async (name, batch) => {
    const { default: runtime } = await importPeer('onnxruntime-node');
    const variant = variants[name]!;
    const model = buildVariant(variant);
    const shape = pictureShape(model, batch);
    const pictures = randomPictures(shape);
    const file = await exportOnnx(model, variant.options);
    const [n, height, width, channels] = shape;
    const { data } =
      variant.options?.inputLayout === 'NCHW'
        ? await runOnnx(file, toPlanes(pictures, shape), [n, channels, height, width], runtime, 'cpu')
        : await runOnnx(file, pictures, shape, runtime, 'cpu');
    expect(largestError(data, runTfjs(model, pictures, shape))).toBeLessThan(2e-5);
    model.dispose();
  });
});
