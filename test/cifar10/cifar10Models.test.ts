import '@tensorflow/tfjs-backend-cpu';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { io, randomUniform, setBackend, type Tensor } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { cardTables, modelTables } from '../../scripts/cifar10ModelTables.mjs';
import { cifar10Models, loadCifar10Model } from '../../src/cifar10';
import { getModelMetadata } from '../../src/model/metadata';

const folder = fileURLToPath(new URL('../../models/cifar10', import.meta.url));

test('there are two, the wider first, of at most 7 MB together', () => {
  expect(cifar10Models.map(({ alpha }) => alpha)).toEqual([1, 0.25]);
  const bytes = cifar10Models.reduce((sum, model) => sum + model.bytes, 0);
  expect(bytes).toBeLessThanOrEqual(7_000_000);
});

test('the model card says what the records say', () => {
  expect(cardTables()).toBe(modelTables(cifar10Models));
});

describe.each(cifar10Models)('alpha $alpha', ({ alpha, stemStride, parameters, bytes, accuracy, perClass }) => {
  beforeAll(() => setBackend('cpu').then(() => {}));

  test('its files are two, and as large as recorded', () => {
    const files = readdirSync(`${folder}/alpha-${alpha}`).sort();
    expect(files).toEqual(['model.json', 'weights.bin']);
    const sizes = files.map((file) => statSync(`${folder}/alpha-${alpha}/${file}`).size);
    expect(sizes[0]! + sizes[1]!).toBe(bytes);
  });

  test('loads as the network that is recorded, with its classes and input range', async () => {
    const model = await loadCifar10Model({ alpha, url: folder });
    const { filters, strides } = model.getLayer('conv1').getConfig();
    expect([filters, strides]).toEqual([32 * alpha, [stemStride, stemStride]]);
    expect(model.countParams()).toBe(parameters);
    expect(model.outputs[0]!.shape).toEqual([null, 10]);
    const { classNames, inputRange, inputShape } = getModelMetadata(model);
    expect(classNames).toEqual(Object.keys(perClass));
    expect(inputRange).toHaveLength(3);
    expect(inputShape).toEqual([32, 32, 3]);
    model.dispose();
  });

  test('tfjs itself loads it to the same probabilities', async () => {
    const { weightsManifest, ...json } = JSON.parse(readFileSync(`${folder}/alpha-${alpha}/model.json`, 'utf8'));
    const weightData = new Uint8Array(readFileSync(`${folder}/alpha-${alpha}/weights.bin`)).buffer;
    const models = [
      await loadLayersModel(io.fromMemory({ ...json, weightSpecs: weightsManifest[0].weights, weightData })),
      await loadCifar10Model({ alpha, url: folder }),
    ];
    const pictures = randomUniform([2, 32, 32, 3], -2, 2, 'float32', 7);
    const [theirs, ours] = models.map((model) => (model.predict(pictures) as Tensor).dataSync());
    expect(theirs).toEqual(ours);
    for (const model of models) model.dispose();
  });

  test('its accuracy is the mean of those of its classes', () => {
    const values = Object.values(perClass);
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(accuracy, 9);
  });
});
