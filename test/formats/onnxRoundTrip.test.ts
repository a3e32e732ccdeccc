import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ExportOnnxOptions, exportOnnx } from '../../src/formats/exportOnnx';
import { loadWeights } from '../../src/formats/loadWeights';
import type { NetworkWeights, Values } from '../../src/formats/networkWeights';
import { readOnnx } from '../../src/formats/onnx/readOnnx';
import { foldBatchNorm } from '../../src/graph/foldBatchNorm';
import { decodeFloat16, encodeFloat16 } from '../../src/io/float16';
import { setModelMetadata } from '../../src/model/metadata';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { createRandom } from '../../src/random';
import { tinyNet } from '../classify/models';
import { graphOf, randomizeWeights } from '../graph/chains';
import { buildVariant, variants } from './onnxVariants';

beforeAll(() => setBackend('cpu'));

async function roundTrip(model: LayersModel, options?: ExportOnnxOptions): Promise<NetworkWeights> {
  return readOnnx({ bytes: await exportOnnx(model, options), where: 'model.onnx' });
}

/** All values in the order of a model's own weights. */
function valuesOf({ layers }: NetworkWeights): Float32Array[] {
  const weights = layers.flatMap((layer): (Values | undefined)[] =>
    layer.kind === 'batchNorm'
      ? [layer.gamma, layer.beta, layer.movingMean, layer.movingVariance]
      : [layer.kernel, layer.bias],
  );
  return weights.flatMap((values) => values?.data ?? []);
}

function weightsOf({ layers }: LayersModel): Float32Array[] {
  return layers.flatMap((layer) => layer.getWeights().map((weight) => weight.dataSync<'float32'>()));
}

/** float32 bits, so that -0 is not 0. */
const bits = (values: Float32Array[]) => values.map((data) => new Uint32Array(Float32Array.from(data).buffer));

test.each(Object.entries(variants))('%s: all weights come back, bit by bit', async (_name, variant) => {
  const model = buildVariant(variant);
  const read = await roundTrip(model, variant.options);
  expect(bits(valuesOf(read))).toEqual(bits(weightsOf(model)));
  expect(read).toMatchObject({ format: 'onnx', where: 'model.onnx', inputRange: [-1, 1] });
});

test('names, kinds, shapes and epsilon are those of the model', async () => {
  const model = mobilenetV1({ alpha: 0.125, depthMultiplier: 2, classes: 5, inputShape: [32, 32, 3] });
  const { layers } = await roundTrip(model);
  expect(layers.map(({ name }) => name)).toEqual(
    model.layers.filter((layer) => layer.weights.length > 0).map(({ name }) => name),
  );
  const shapes = layers
    .slice(0, 4)
    .map((layer) => [layer.kind, 'kernel' in layer ? layer.kernel.shape : layer.epsilon]);
  expect(shapes).toEqual([
    ['conv', [3, 3, 3, 4]],
    ['batchNorm', 0.001],
    ['depthwise', [3, 3, 4, 2]],
    ['batchNorm', 0.001],
  ]);
  // A bias of zeros is none.
  expect(layers.at(-1)).toMatchObject({ kind: 'conv', kernel: { shape: [1, 1, 128, 5] }, bias: undefined });
});

describe('padding', () => {
  test.each([
    ['same', 33],
    ['keras', 33],
    ['torch', 32],
    // The same zeros as of 'same', at this size.
    ['keras', 32],
    ['torch', 33],
  ] as const)("'%s' at %i pixels is told", async (padding, size) => {
    const model = mobilenetV1({ alpha: 0.05, inputShape: [size, size, 3], classes: 2, padding });
    expect((await roundTrip(model)).padding).toBe(padding);
  });

  test('of a file whose maps were even is checked on odd ones', async () => {
    const of = (size: number, padding: 'keras' | 'same') =>
      mobilenetV1({ alpha: 0.05, inputShape: [size, size, 3], classes: 2, padding });
    const file = await exportOnnx(of(32, 'keras'));
    await loadWeights(of(33, 'keras'), file);
    await expect(loadWeights(of(33, 'same'), file)).rejects.toThrow(/'keras'/);
  });
});

test.each([
  ['a file that takes bytes', { embedPreprocessing: true }],
  ['a file that takes floats', {}],
])('the range of every channel comes back from %s', async (_title, options) => {
  const model = tinyNet();
  const inputRange = [
    [-2, 1],
    [-1, 3],
    [0, 1],
  ] as const;
  setModelMetadata(model, { inputRange });
  expect((await roundTrip(model, options)).inputRange).toEqual(inputRange);
});

test('a file that takes bytes says its range itself, where the model does not', async () => {
  const model = tinyNet({ metadata: false });
  expect((await roundTrip(model, { embedPreprocessing: true })).inputRange).toEqual([0, 1]);
  expect((await roundTrip(model)).inputRange).toBeUndefined();
});

/** The folded weights that the other precisions are made from. */
function foldedOf(model: LayersModel): Float32Array[] {
  const { stages } = foldBatchNorm(
    graphOf(model),
    model.weights.map((weight) => weight.read().dataSync<'float32'>()),
  );
  return stages.flatMap((stage) => ('kernel' in stage ? [stage.kernel, stage.bias] : []));
}

test('float16 comes back as what float16 makes of the folded weights', async () => {
  const model = mobilenetV1({ alpha: 0.125, classes: 5, inputShape: [32, 32, 3] });
  randomizeWeights(model, createRandom(2));
  const expected = foldedOf(model).map((values) => decodeFloat16(encodeFloat16(values)));
  expect(valuesOf(await roundTrip(model, { precision: 'float16' }))).toEqual(expected);
});

test('int8 comes back within a hundredth of the largest folded weight', async () => {
  const model = mobilenetV1({ alpha: 0.125, classes: 5, inputShape: [32, 32, 3] });
  randomizeWeights(model, createRandom(2));
  const expected = foldedOf(model);
  const received = valuesOf(await roundTrip(model, { precision: 'int8' }));
  expect(received.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  for (const [i, values] of expected.entries()) {
    const largest = Math.max(...values.map(Math.abs));
    const errors = values.map((value, at) => Math.abs(received[i]![at]! - value));
    expect(Math.max(...errors)).toBeLessThanOrEqual(0.01 * largest);
  }
});

test.each(['same', 'keras', 'torch'] as const)(
  "loadWeights puts them into another model, padding '%s', bit by bit",
  async (padding) => {
    const build = () => mobilenetV1({ alpha: 0.05, inputShape: [33, 37, 3], classes: 3, padding });
    const [model, other] = [build(), build()];
    randomizeWeights(model, createRandom(5));
    const { format, inputRange } = await loadWeights(other, await exportOnnx(model));
    expect({ format, inputRange }).toEqual({ format: 'onnx', inputRange: undefined });
    expect(bits(weightsOf(other))).toEqual(bits(weightsOf(model)));
  },
);
