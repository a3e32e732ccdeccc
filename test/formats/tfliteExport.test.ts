import '@tensorflow/tfjs-backend-cpu';
import { memory, randomUniform, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { exportTflite } from '../../src/formats/exportTflite';
import { loadWeights } from '../../src/formats/loadWeights';
import { readTflite } from '../../src/formats/tflite/readTflite';
import { Op } from '../../src/formats/tflite/schema';
import { openTflite } from '../../src/formats/tflite/tfliteFile';
import { foldBatchNorm } from '../../src/graph/foldBatchNorm';
import { readStages } from '../../src/graph/readStages';
import { setModelMetadata } from '../../src/model/metadata';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import { createRandom } from '../../src/random';
import { chain, randomizeWeights } from '../graph/chains';

const small = { alpha: 0.125, inputShape: [32, 32, 3], classes: 5 } as const;

function network(options: MobilenetV1Options = {}): LayersModel {
  const model = mobilenetV1({ ...small, ...options });
  randomizeWeights(model, createRandom(1));
  return model;
}

/** Kernels and biases as they are run, one behind the other. */
function folded(model: LayersModel): Buffer {
  const read = readStages(model, { anyOutput: true });
  if ('unsupported' in read) throw new Error(read.unsupported.reason);
  const weights = model.weights.map((weight) => weight.read().dataSync());
  const arrays = foldBatchNorm(read.graph, weights).stages.flatMap((stage) =>
    stage.kind === 'pool' ? [] : [stage.kernel, stage.bias],
  );
  return Buffer.concat(arrays.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)));
}

/** A model's weights go through a file and come back, after they were lost. */
async function expectRoundTrip(model: LayersModel): Promise<void> {
  const expected = folded(model);
  const file = await exportTflite(model);
  randomizeWeights(model, createRandom(2));
  expect(folded(model).equals(expected)).toBe(false);
  await loadWeights(model, file);
  expect(folded(model).equals(expected)).toBe(true);
  expect(Buffer.from(await exportTflite(model)).equals(file)).toBe(true);
}

/** The operators of a file, and the shapes of what they make. */
async function outline(bytes: Uint8Array<ArrayBuffer>): Promise<string[]> {
  const file = openTflite(bytes, 'model.tflite');
  return file.operators.map(({ name, outputs }) => `${name} [${file.tensor(outputs[0]!).shape}]`);
}

describe('ours to TFLite to ours gives the same folded kernels and biases, bit for bit, and again the same file', () => {
  test.each<[string, MobilenetV1Options]>([
    ["padding 'same'", { padding: 'same', inputShape: [33, 37, 3] }],
    ["padding 'keras'", { padding: 'keras', inputShape: [33, 37, 3] }],
    ["padding 'torch'", { padding: 'torch', inputShape: [33, 37, 3] }],
    ["padding 'torch' on even maps", { padding: 'torch' }],
    ['grey pictures, two depthwise channels each', { depthMultiplier: 2, inputShape: [32, 40, 1] }],
    ['a stem of stride 1, logits', { stemStride: 1, classifierActivation: 'linear' }],
    ['another epsilon', { batchNormEpsilon: 1e-5 }],
    ['no top', { includeTop: false, padding: 'torch' }],
    ['no top but a mean', { includeTop: false, pooling: 'avg' }],
  ])('%s', async (_, options) => {
    await expectRoundTrip(network(options));
  });

  test('layers that no mobilenetV1 has', async () => {
    const model = chain(
      [9, 8, 2],
      layers.conv2d({ filters: 4, kernelSize: [2, 3], strides: [2, 1], padding: 'same', activation: 'relu' }),
      layers.zeroPadding2d({ padding: [[1, 2] as [number, number], [0, 3] as [number, number]] }),
      layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2, padding: 'same' }),
      layers.batchNormalization(),
      layers.reLU({ maxValue: 1.5 }),
      layers.dropout({ rate: 0.5 }),
      layers.flatten(),
      layers.dense({ units: 6, activation: 'relu6' }),
      layers.dense({ units: 5 }),
      layers.softmax(),
    );
    randomizeWeights(model, createRandom(1));
    await expectRoundTrip(model);
  });
});

test('batch norms that no convolution takes in come back within 5e-6', async () => {
  const model = chain(
    [4, 4, 3],
    layers.batchNormalization(),
    layers.conv2d({ filters: 4, kernelSize: 1, activation: 'relu', useBias: false }),
    layers.batchNormalization(),
    layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
    layers.dense({ units: 2 }),
  );
  randomizeWeights(model, createRandom(1));
  const predict = () =>
    tidy(() => (model.predict(randomUniform([2, 4, 4, 3], -1, 1, 'float32', 1)) as Tensor).dataSync());
  const expected = predict();
  const file = await exportTflite(model);
  randomizeWeights(model, createRandom(2));
  await loadWeights(model, file);
  predict().forEach((value, i) => void expect(Math.abs(value - expected[i]!)).toBeLessThan(5e-6));
});

describe('what is in a file', () => {
  test('a softmax is over the classes, whatever shape stands behind it', async () => {
    const shaped = chain(
      [4, 4, 2],
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 6, activation: 'softmax' }),
      layers.reshape({ targetShape: [2, 3] }),
    );
    const steps = await outline(await exportTflite(shaped));
    expect(steps.slice(-2)).toEqual(['SOFTMAX [1,6]', 'RESHAPE [1,2,3]']);
  });

  test('a softmax behind a flattened map is over all of it; a pool behind a dense layer reads a map', async () => {
    const spatial = chain([2, 3, 2], layers.conv2d({ filters: 4, kernelSize: 1 }), layers.flatten(), layers.softmax());
    expect((await outline(await exportTflite(spatial))).slice(-2)).toEqual(['RESHAPE [1,24]', 'SOFTMAX [1,24]']);
    const pooled = chain(
      [4, 4, 2],
      layers.flatten(),
      layers.dense({ units: 6 }),
      layers.reshape({ targetShape: [1, 1, 6] }),
      layers.globalAveragePooling2d({}),
    );
    const steps = await outline(await exportTflite(pooled));
    expect(steps.slice(2, 4)).toEqual(['RESHAPE [1,1,1,6]', 'MEAN [1,1,1,6]']);
  });

  test('a convolution behind a dense layer reads a map', async () => {
    const model = chain(
      [4, 4, 2],
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 6 }),
      layers.reshape({ targetShape: [1, 1, 6] }),
      layers.conv2d({ filters: 3, kernelSize: 1 }),
    );
    randomizeWeights(model, createRandom(1));
    const steps = await outline(await exportTflite(model));
    expect(steps.slice(-2)).toEqual(['RESHAPE [1,1,1,6]', 'CONV_2D [1,1,1,3]']);
    await expectRoundTrip(model);
  });

  test('the operators of a network: batch norms and activations are part of the convolutions, dropout is gone', async () => {
    const steps = await outline(await exportTflite(network({ inputShape: [32, 40, 3] })));
    expect(steps.slice(0, 4)).toEqual([
      'CONV_2D [1,16,20,4]',
      'DEPTHWISE_CONV_2D [1,16,20,4]',
      'CONV_2D [1,16,20,8]',
      'DEPTHWISE_CONV_2D [1,8,10,8]',
    ]);
    expect(steps.slice(-5)).toEqual([
      'CONV_2D [1,1,2,128]',
      'MEAN [1,1,1,128]',
      'CONV_2D [1,1,1,5]',
      'RESHAPE [1,5]',
      'SOFTMAX [1,5]',
    ]);
    expect(steps).toHaveLength(31);
  });

  test.each([
    ['same', 0],
    ['keras', 4],
    // The stem, and every depthwise convolution.
    ['torch', 14],
  ] as const)("padding '%s' takes %i PAD, on even maps too, and is read as that", async (padding, count) => {
    const bytes = await exportTflite(network({ padding }));
    const { operators } = openTflite(bytes, 'model.tflite');
    expect(operators.filter(({ code }) => code === Op.PAD)).toHaveLength(count);
    expect((await readTflite({ bytes, where: 'model.tflite' })).padding).toBe(padding);
  });

  test('no top ends in a feature map, a mean in a vector', async () => {
    const map = await outline(await exportTflite(network({ includeTop: false, inputShape: [64, 32, 3] })));
    expect(map.at(-1)).toBe('CONV_2D [1,2,1,128]');
    const vector = await outline(await exportTflite(network({ includeTop: false, pooling: 'avg' })));
    expect(vector.slice(-2)).toEqual(['MEAN [1,1,1,128]', 'RESHAPE [1,128]']);
  });

  test('a batch is part of every shape', async () => {
    const steps = await outline(await exportTflite(network(), { batch: 3 }));
    expect(steps.every((step) => step.includes('[3,'))).toBe(true);
  });

  test('names of the layers, and those of input and output', async () => {
    const model = network();
    const { tensor, input, output, operators } = openTflite(await exportTflite(model), 'model.tflite');
    expect([input, output].map((index) => tensor(index).name)).toEqual([model.inputNames[0], model.outputNames[0]]);
    const depthwise = operators.find(({ code }) => code === Op.DEPTHWISE_CONV_2D)!;
    const names = [...depthwise.inputs.slice(1), ...depthwise.outputs].map((index) => tensor(index).name);
    expect(names).toEqual(['conv_dw_1/kernel', 'conv_dw_1/bias', 'conv_dw_1']);
  });

  test('weights begin at multiples of 16 bytes', async () => {
    const bytes = await exportTflite(network());
    const { tensor, operators } = openTflite(bytes, 'model.tflite');
    const weights = operators.flatMap(({ inputs }) => inputs.slice(1).map((index) => tensor(index).data));
    expect(weights.length).toBeGreaterThan(56);
    for (const { byteOffset } of weights) expect(byteOffset % 16).toBe(0);
  });

  test('the metadata, of which the input range is read again, bit for bit; without it there is none', async () => {
    const model = network();
    const inputRange = [
      [-2.1, 2.2],
      [-2, 2.4],
      [-1.8, 2.6],
    ] as const;
    const known = { classNames: ['a', 'b', 'c', 'd', 'é'], inputRange, cropFraction: 0.875 };
    const without = await exportTflite(model);
    setModelMetadata(model, known);
    const bytes = await exportTflite(model);
    const entry = openTflite(bytes, 'model.tflite').metadata('mobilenet-v1-ts');
    expect(JSON.parse(new TextDecoder().decode(entry))).toEqual({ ...known, inputShape: [32, 32, 3] });
    expect((await readTflite({ bytes, where: 'model.tflite' })).inputRange).toEqual(inputRange);
    expect((await readTflite({ bytes: without, where: 'model.tflite' })).inputRange).toBeUndefined();
  });
});

test('float16 takes half the bytes; kernels move by at most 1/2048 of themselves, biases not at all', async () => {
  const model = network();
  const bytes = await exportTflite(model, { quantize: 'float16' });
  const whole = await exportTflite(model);
  expect(bytes.length).toBeLessThan(0.65 * whole.length);
  const [halves, exact] = await Promise.all([bytes, whole].map((file) => readTflite({ bytes: file, where: 'x' })));
  halves!.layers.forEach((layer, i) => {
    const other = exact!.layers[i]!;
    if (layer.kind === 'batchNorm' || other.kind === 'batchNorm') throw new Error('not folded');
    expect(layer.bias).toEqual(other.bias);
    const excess = layer.kernel.data.map((value, j) => {
      const original = other.kernel.data[j]!;
      return Math.abs(value - original) - Math.max(Math.abs(original) / 2048, 2 ** -25);
    });
    expect(Math.max(...excess)).toBeLessThanOrEqual(0);
  });
});

test('a kernel beyond the range of float16 stays float32', async () => {
  const model = chain([1, 1, 2], layers.conv2d({ filters: 2, kernelSize: 1, useBias: false }));
  model.setWeights([tensor([1, 70_000, 3, 4], [1, 1, 2, 2])]);
  expect(await exportTflite(model, { quantize: 'float16' })).toEqual(await exportTflite(model));
});

test('no tensor is left behind', async () => {
  const model = network();
  const before = memory().numTensors;
  await exportTflite(model, { quantize: 'float16' });
  expect(memory().numTensors).toBe(before);
});

describe('is refused', () => {
  test.each([
    [{ batch: 0 }, 'exportTflite: expected batch to be an integer of at least 1, received 0.'],
    [{ batch: 1.5 }, 'exportTflite: expected batch to be an integer of at least 1, received 1.5.'],
    [
      { quantize: 'int8' as 'float16' },
      "exportTflite: expected quantize to be 'float16', received int8. Leave it out for float32.",
    ],
  ])('%o', async (options, message) => {
    await expect(exportTflite(network(), options)).rejects.toMatchObject({ code: 'invalid-argument', message });
  });

  test('a layer that cannot be expressed, by its name', async () => {
    const model = network({ includeTop: false, pooling: 'max' });
    const { name } = model.layers.at(-1)!;
    await expect(exportTflite(model)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: `exportTflite: expected a chain of layers that can be written as TFLite, received layer '${name}' (GlobalMaxPooling2D), which is of a class that has no fused stage.`,
    });
  });

  test('an input range that is none', async () => {
    const model = network();
    setModelMetadata(model, { inputRange: [1, 0] });
    await expect(exportTflite(model)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});
