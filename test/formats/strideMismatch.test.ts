import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { graphModel } from '../../bench/graphModel.mjs';
import { foldedLayers } from '../../bench/inferenceLayers.mjs';
import { exportKeras } from '../../src/formats/exportKeras';
import { exportOnnx } from '../../src/formats/exportOnnx';
import { exportSafetensors } from '../../src/formats/exportSafetensors';
import { exportTflite } from '../../src/formats/exportTflite';
import { loadWeights } from '../../src/formats/loadWeights';
import type { WeightSource } from '../../src/formats/weightSource';
import { chain } from '../graph/chains';
import { expectFailure } from '../io/models';
import { bitsOf, narrowNet, outputsOf, relativeError } from './networks';
import { layersModelFile, pickedOf, SHARD } from './tfjsFiles';

beforeAll(() => setBackend('cpu'));

async function pickedGraph(model: LayersModel): Promise<WeightSource> {
  const { artifacts, weights } = graphModel(foldedLayers(model), 32);
  const { weightSpecs, ...header } = artifacts;
  const json = { ...header, weightsManifest: [{ paths: [SHARD], weights: weightSpecs }] };
  return pickedOf({ json: JSON.parse(JSON.stringify(json)), shard: Uint8Array.from(weights) });
}

const writers: [string, (model: LayersModel) => Promise<WeightSource>][] = [
  ['.keras', exportKeras],
  ['.h5', (model) => exportKeras(model, { format: 'h5' })],
  ['.onnx', exportOnnx],
  ['.onnx of int8', (model) => exportOnnx(model, { precision: 'int8' })],
  ['.tflite', exportTflite],
  ['.safetensors with names of timm', exportSafetensors],
  ['.safetensors with names of Keras', (model) => exportSafetensors(model, { layout: 'keras' })],
  ['a layers model', async (model) => pickedOf(await layersModelFile(model))],
  ['a graph model', pickedGraph],
];

describe.each(writers)('%s of a MobileNetV1 with a stem of stride 1', (_, write) => {
  test('is refused by one of stride 2, which stays as it was', async () => {
    const [source, model] = [await write(narrowNet({ seed: 1, stemStride: 1 })), narrowNet({ seed: 2 })];
    const before = bitsOf(model);
    await expectFailure(
      () => loadWeights(model, source),
      'invalid-argument',
      "expected strides 1 x 1 in layer 'conv1', as in the network of these weights, received strides 2 x 2",
      'the same stemStride; to train it further, { ignoreStrides: true } will do.',
    );
    expect(bitsOf(model)).toEqual(before);
  });

  test('goes into one of stride 1, and into any by ignoreStrides', async () => {
    const from = narrowNet({ seed: 1, stemStride: 1 });
    const source = await write(from);
    const model = narrowNet({ seed: 2, stemStride: 1 });
    await loadWeights(model, source);
    expect(relativeError(outputsOf(model), outputsOf(from))).toBeLessThan(0.1);
    const ignoring = { ignoreStrides: true, ignorePadding: true };
    expect((await loadWeights(narrowNet({ seed: 2 }), source, ignoring)).layers.length).toBeGreaterThan(27);
  });
});

const dilatedBy = (dilationRate: number) =>
  chain(
    [9, 9, 3],
    layers.conv2d({ filters: 4, kernelSize: 3, dilationRate, name: 'dilated' }),
    layers.globalAveragePooling2d({}),
  );

test.each([
  ['.keras', exportKeras],
  ['safetensors', async (model) => exportSafetensors(model, { layout: 'keras' })],
  ['a layers model', async (model: LayersModel) => pickedOf(await layersModelFile(model))],
] as [string, (model: LayersModel) => Promise<WeightSource>][])('dilation is compared, too: %s', async (_, write) => {
  const source = await write(dilatedBy(2));
  await loadWeights(dilatedBy(2), source);
  const outcome = loadWeights(dilatedBy(1), source);
  await expect(outcome).rejects.toThrow(/strides 1 x 1, dilated by 2 x 2 in layer 'dilated'.*received strides 1 x 1\./);
});

test('behind a layer that keeps the size of pictures, padding is compared and told as ever', async () => {
  const scaled = (padding: 'keras' | 'torch') =>
    chain([32, 32, 3], layers.rescaling({ scale: 2 / 255, offset: -1 }), narrowNet({ seed: 1, padding }));
  for (const [padding, other] of [
    ['keras', 'torch'],
    ['torch', 'keras'],
  ] as const) {
    const file = await exportSafetensors(scaled(padding), { layout: 'keras' });
    await loadWeights(scaled(padding), file);
    const otherwise = scaled(other);
    await expectFailure(() => loadWeights(otherwise, file), 'invalid-argument', `padding: '${padding}'`);
  }
});
