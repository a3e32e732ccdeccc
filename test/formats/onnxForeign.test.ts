import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { setBackend } from '@tensorflow/tfjs-core';
import { model as createModel, input, type LayersModel, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { assignWeights } from '../../src/formats/assignWeights';
import type { NetworkWeights } from '../../src/formats/networkWeights';
import { readOnnx } from '../../src/formats/onnx/readOnnx';
import type { PaddingStyle } from '../../src/model/architecture';
import { convBlock, depthwiseConvBlock } from '../../src/model/blocks';
import { largestError, runTfjs } from './onnxSessions';

beforeAll(() => setBackend('cpu'));

const folder = new URL('../golden/formats/onnx/', import.meta.url);
const readFile = (name: string) => Uint8Array.from(readFileSync(new URL(name, folder)));
const logitsOf = (name: string): number[] => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));

const read = (name: string): Promise<NetworkWeights> => readOnnx({ bytes: readFile(`${name}.onnx`), where: name });

/** The network of test/golden/formats/onnx_net.py. */
function smallNet(padding: PaddingStyle): LayersModel {
  const picture = input({ shape: [33, 37, 3] });
  let features = convBlock(picture, { filters: 8, strides: 2, padding });
  for (const [filters, strides] of [
    [12, 1],
    [16, 2],
    [24, 2],
  ] as const) {
    features = depthwiseConvBlock(features, { filters, strides, padding });
  }
  const pooled = layers.globalAveragePooling2d({}).apply(features);
  const outputs = layers.dense({ units: 7 }).apply(pooled) as SymbolicTensor;
  return createModel({ inputs: picture, outputs });
}

const shape: [number, number, number, number] = [2, 33, 37, 3];
const pictures = Float32Array.from({ length: 2 * 33 * 37 * 3 }, (_, i) => ((7919 * i) % 256) / 127.5 - 1);

test.each([
  ['torch_folded', 'torch', 1e-5],
  ['torch_batch_norm', 'torch', 1e-5],
  ['torch_dynamo', 'torch', 1e-5],
  ['torch_open_size', 'torch', 1e-5],
  ['torch_float16', 'torch', 0.001],
  ['onnxruntime_qdq', 'torch', 0.05],
  ['tf2onnx', 'keras', 1e-5],
] as const)(
  "%s: its weights make the logits of the network, which pads as '%s', within %d",
  async (name, source, bound) => {
    const model = smallNet(source);
    const weights = await read(name);
    expect(weights.padding).toBe(source);
    assignWeights(model, weights);
    expect(largestError(runTfjs(model, pictures, shape), logitsOf(`${source}.json`))).toBeLessThan(bound);
  },
);

test('kinds and shapes are those of the layers, batch norms of the file as they are', async () => {
  const { layers } = await read('torch_batch_norm');
  expect(
    layers.slice(0, 4).map((layer) => [layer.kind, 'kernel' in layer ? layer.kernel.shape : layer.epsilon]),
  ).toEqual([
    ['conv', [3, 3, 3, 8]],
    ['batchNorm', 1e-5],
    ['depthwise', [3, 3, 8, 1]],
    ['batchNorm', 1e-5],
  ]);
  expect(layers.at(-1)).toMatchObject({ kind: 'dense', kernel: { shape: [24, 7] }, bias: { shape: [7] } });
});

test('what a network does with bytes before its first layer is its input range', async () => {
  expect((await read('tf2onnx')).inputRange).toEqual([-1, 1]);
  expect((await read('torch_folded')).inputRange).toBeUndefined();
});

test('weights in another file are refused, with what to do', async () => {
  await expect(read('external_data')).rejects.toMatchObject({
    code: 'invalid-data',
    message: expect.stringMatching(/external_data: expected the values of .* inside of the file.*external_data=False/),
  });
});
