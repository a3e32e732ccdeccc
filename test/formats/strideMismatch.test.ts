import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { graphModel } from '../../bench/graphModel.mjs';
import { foldedLayers } from '../../bench/inferenceLayers.mjs';
import { exportKeras } from '../../src/formats/exportKeras';
import { exportOnnx } from '../../src/formats/exportOnnx';
import { exportSafetensors } from '../../src/formats/exportSafetensors';
import { exportTflite } from '../../src/formats/exportTflite';
import { layerSettings } from '../../src/formats/keras/layerSettings';
import { loadWeights } from '../../src/formats/loadWeights';
import type { WeightSource } from '../../src/formats/weightSource';
import { readSafetensors } from '../../src/io/safetensors';
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
  ['a layers model', async (model: LayersModel) => pickedOf(await layersModelFile(model))],
] as [string, (model: LayersModel) => Promise<WeightSource>][])('dilation is compared, too: %s', async (_, write) => {
  const source = await write(dilatedBy(2));
  await loadWeights(dilatedBy(2), source);
  const outcome = loadWeights(dilatedBy(1), source);
  await expect(outcome).rejects.toThrow(/strides 1 x 1, dilated by 2 x 2 in layer 'dilated'.*received strides 1 x 1\./);
});

test('a dense layer behind a flattened map is no classifier of timm; the names of Keras have a place for it', async () => {
  const flat = () => {
    const base = narrowNet({ inputShape: [64, 64, 3], includeTop: false, seed: 1 });
    const x = layers.flatten().apply(base.outputs[0]!);
    return model({ inputs: base.inputs, outputs: layers.dense({ units: 3 }).apply(x) as SymbolicTensor });
  };
  const from = flat();
  await expect(exportSafetensors(from)).rejects.toThrow(/for the layout 'timm', received layer 'dense/);
  const to = flat();
  await loadWeights(to, await exportSafetensors(from, { layout: 'keras' }));
  expect(outputsOf(to)).toEqual(outputsOf(from));
});

test('the call of timm is left out where it would pool in another way', async () => {
  const timmOf = async (pooling: 'avg' | 'max') =>
    readSafetensors(await exportSafetensors(narrowNet({ alpha: 1, includeTop: false, pooling })), 'x').metadata.timm;
  expect(await timmOf('avg')).toContain('timm.create_model');
  expect(await timmOf('max')).toBeUndefined();
});

test('settings of Keras 2 are written as Keras 3 takes them', () => {
  const norm = layers.batchNormalization({ axis: [3] as never });
  expect(layerSettings('x', norm)).toMatchObject({ axis: 3 });
  const dropout = layers.dropout({ rate: 0.5, noiseShape: [null, 1, 1, 3] as never });
  expect(layerSettings('x', dropout)).toMatchObject({ noise_shape: [null, 1, 1, 3] });
  expect(layerSettings('x', layers.reshape({ targetShape: [null as never, 3] }))).toMatchObject({
    target_shape: [-1, 3],
  });
});

test("{ head: 'skip' } leaves a head with a sigmoid alone", async () => {
  const net = (seed: number) => {
    const base = narrowNet({ includeTop: false, pooling: 'avg', seed });
    const outputs = layers.dense({ units: 5, activation: 'sigmoid' }).apply(base.outputs[0]!) as SymbolicTensor;
    return model({ inputs: base.inputs, outputs });
  };
  const [from, to] = [net(1), net(2)];
  const before = [...to.layers.at(-1)!.getWeights()[0]!.dataSync()];
  const { skipped } = await loadWeights(to, await exportKeras(from), { head: 'skip' });
  expect(skipped).toEqual([to.layers.at(-1)!.name]);
  expect([...to.layers.at(-1)!.getWeights()[0]!.dataSync()]).toEqual(before);
});
