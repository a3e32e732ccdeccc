import '@tensorflow/tfjs-backend-cpu';
import { setBackend, type Tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { isRelu6 } from '../../src/formats/activation';
import { loadWeights } from '../../src/formats/loadWeights';
import { bytesOf } from '../golden/generator';
import { goldenFile, readFile } from './kerasFiles';
import { narrowNet, outputsOf, readJson, relativeError } from './networks';

beforeAll(() => setBackend('cpu'));

const { logits, transfer } = readJson('keras/logits.json');

/** By their names: what Keras 2 and 3 make of one network. */
const wholeNetworks = [
  'keras2.h5',
  'keras2_published.h5',
  'keras2.keras',
  'keras2.weights.h5',
  'keras3.h5',
  'keras3.keras',
  'keras3.weights.h5',
];

describe.each(wholeNetworks)('%s', (name) => {
  test.each([32, 33, 37])('%i pixels: loadWeights gives its logits', async (size) => {
    const network = narrowNet({ padding: 'keras', inputShape: [size, size, 3] });
    const loaded = await loadWeights(network, goldenFile(name));
    expect([loaded.format, loaded.layers.length, loaded.skipped]).toEqual([
      name.endsWith('.keras') ? 'keras' : 'keras-h5',
      55,
      [],
    ]);
    expect(relativeError(outputsOf(network), logits[size])).toBeLessThan(1e-5);
  });

  test('the padding is read', async () => {
    const { padding, inputRange } = await readFile(name, goldenFile(name));
    expect([padding, inputRange]).toEqual(['keras', undefined]);
  });
});

test.each(wholeNetworks)('%s has the bits of all the others', async (name) => {
  const values = async (file: string) =>
    (await readFile(file, goldenFile(file))).layers.map(({ name: _, activation: __, ...layer }) => ({
      ...layer,
      strides: 0,
      dilationRate: 0,
    }));
  expect(await values(name)).toEqual(await values('keras2.h5'));
});

test.each(wholeNetworks)('%s: ReLU6 behind every batch norm, where a configuration tells it', async (name) => {
  const { layers } = await readFile(name, goldenFile(name));
  const hasConfig = !/weights|published/.test(name);
  const behind = (kind: string) => new Set(layers.flatMap((layer) => (layer.kind === kind ? [layer.activation] : [])));
  expect([...behind('batchNorm')].every((one) => isRelu6(one))).toBe(hasConfig);
  expect(behind('depthwise')).toEqual(new Set([hasConfig ? [] : undefined]));
});

test('names in messages are those of the layers, where the file has them', async () => {
  const namesOf = async (name: string) => (await readFile(name, goldenFile(name))).layers.map((layer) => layer.name);
  const named = await namesOf('keras3.h5');
  expect(named.slice(0, 3)).toEqual(['conv1', 'conv1_bn', 'conv_dw_1']);
  for (const name of ['keras2.h5', 'keras2_published.h5', 'keras2.keras', 'keras3.keras', 'keras3.weights.h5']) {
    expect(await namesOf(name), name).toEqual(named);
  }
  expect((await namesOf('keras2.weights.h5')).slice(-2)).toEqual(['layers/batch_normalization_26', 'layers/conv2d_14']);
});

test('without a top: 54 layers, which take -1 to 1', async () => {
  const network = narrowNet({ padding: 'keras', includeTop: false });
  const loaded = await loadWeights(network, goldenFile('keras3_no_top.weights.h5'));
  expect([loaded.layers.length, loaded.skipped, loaded.inputRange]).toEqual([54, [], [-1, 1]]);
});

/** The network of the golden script: a body, pooled, and a dense layer for three classes. */
function transferNet(): LayersModel {
  const body = narrowNet({ padding: 'keras', includeTop: false, pooling: 'avg' });
  const outputs = layers.dense({ units: 3 }).apply(body.outputs[0]!) as SymbolicTensor;
  return model({ inputs: body.inputs, outputs });
}

describe.each(['keras2_transfer.h5', 'keras2_transfer.keras', 'keras3_transfer.h5', 'keras3_transfer.keras'])(
  '%s: a model inside of a model, partly frozen, behind a Rescaling layer',
  (name) => {
    test('loadWeights gives its logits', async () => {
      const network = transferNet();
      const { inputRange } = await loadWeights(network, goldenFile(name));
      expect(inputRange).toEqual([-1, 1]);
      const scaled = Float32Array.from(bytesOf('formats/32', 32 * 32 * 3), (byte) => byte / 127.5 - 1);
      const scores = tidy(() => [...(network.predict(tensor4d(scaled, [1, 32, 32, 3])) as Tensor).dataSync()]);
      expect(relativeError(scores, transfer)).toBeLessThan(1e-5);
    });

    test('the padding of the model inside is read', async () => {
      expect((await readFile(name, goldenFile(name))).padding).toBe('keras');
    });
  },
);

test('a padding other than that of the file is refused', async () => {
  await expect(loadWeights(narrowNet({ inputShape: [33, 33, 3] }), goldenFile('keras3.keras'))).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining("mobilenetV1({ padding: 'keras' })"),
  });
});
