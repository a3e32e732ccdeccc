import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { io, mean, randomUniform, sub, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { type LayersModel, layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quantizeChannels } from '../../src/graph/quantizeChannels';
import { loadModel } from '../../src/io/loadModel';
import { type SaveModelOptions, saveModel } from '../../src/io/saveModel';
import { getModelMetadata, setModelMetadata } from '../../src/model/metadata';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { createRandom } from '../../src/random';
import { expectFailure, folderListener, footprint, predictOnes, smallConvNet, weightBits, withServer } from './models';
import { type Artifacts, savedArtifacts } from './quantizedModels';

let root: string;
let count = 0;
const newFolder = () => join(root, `${count++}`);
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'saveQuantized-'));
});
afterAll(() => rm(root, { recursive: true }));

const modes = ['float16', 'int8'] as const;
const load = ({ weightSpecs, weightData, ...header }: Artifacts): Promise<LayersModel> =>
  loadModel({ load: async () => ({ ...header, weightSpecs, weightData }) });
const weightsByName = (model: LayersModel) =>
  new Map(model.weights.map((weight) => [weight.originalName, Float32Array.from(weight.read().dataSync())]));
const farthest = (values: number[], expected: number[]) =>
  Math.max(...values.map((value, i) => Math.abs(value - expected[i]!)));
const quantizations = ({ weightSpecs }: Artifacts) =>
  Object.fromEntries(weightSpecs.map(({ name, quantization }) => [name, quantization]));

describe('without quantize', () => {
  test.each([undefined, {}, { quantize: undefined }])(
    'options %j: what tfjs itself saves, bit for bit',
    async (options) => {
      const model = smallConvNet();
      const plain: Artifacts[] = [];
      const result = { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' as const } };
      const handler = io.withSaveHandler(async (artifacts) => {
        plain.push(artifacts as Artifacts);
        return result;
      });
      await model.save(handler);
      await saveModel(model, handler, options);
      expect(plain[1]).toEqual({ ...plain[0], userDefinedMetadata: { inputShape: [5, 4, 3] } });
    },
  );
});

describe.each(modes)('%s', (quantize) => {
  test('comes back from a folder: an ordinary model with its flags and its metadata', async () => {
    const model = smallConvNet({ seed: 3 });
    setModelMetadata(model, { classNames: ['cat', 'dog'], inputRange: [-1, 1] });
    const bits = weightBits(model);
    const before = footprint();
    const folder = newFolder();
    await saveModel(model, folder, { quantize });
    expect(footprint()).toEqual(before);
    expect(weightBits(model)).toEqual(bits);

    const loaded = await loadModel(folder);
    expect(footprint().numTensors - before.numTensors).toBe(loaded.weights.length);
    expect(loaded.weights.every(({ dtype }) => dtype === 'float32')).toBe(true);
    expect(loaded.layers.map(({ trainable }) => trainable)).toEqual(model.layers.map(({ trainable }) => trainable));
    expect(getModelMetadata(loaded)).toEqual({
      classNames: ['cat', 'dog'],
      inputRange: [-1, 1],
      inputShape: [5, 4, 3],
    });
    expect(farthest(predictOnes(loaded), predictOnes(model))).toBeLessThan(0.01);
    loaded.dispose();
    expect(footprint()).toEqual(before);
  });

  test('saved, loaded and saved again, the bytes are the same', async () => {
    const first = await savedArtifacts(smallConvNet({ seed: 5 }), quantize);
    const second = await savedArtifacts(await load(first), quantize);
    expect(second.weightSpecs).toEqual(first.weightSpecs);
    expect(Buffer.compare(new Uint8Array(second.weightData), new Uint8Array(first.weightData))).toBe(0);
  });

  test('a handler and a store, which clones what it gets, hold the small model', async () => {
    const model = smallConvNet();
    const artifacts = await savedArtifacts(model, quantize);
    expect(artifacts.weightData.byteLength).toBeLessThan(4 * model.countParams());
    expect(artifacts.userDefinedMetadata).toEqual({ inputShape: [5, 4, 3] });
    const direct = await load(artifacts);
    expect(weightBits(await load(structuredClone(artifacts)))).toEqual(weightBits(direct));
  });

  test('an http address gets the small model in its POST', async () => {
    const model = mobilenetV1({ alpha: 0.25, inputShape: [32, 32, 3], classes: 10, seed: 1 });
    let bytes = 0;
    await withServer(
      async (request, response) => {
        for await (const chunk of request) bytes += chunk.length;
        response.end();
      },
      (url) => saveModel(model, url, { quantize }),
    );
    expect(bytes).toBeGreaterThan(model.countParams());
    expect(bytes).toBeLessThan(0.6 * 4 * model.countParams());
  });

  test('a model within a model, and one without weights', async () => {
    const nested = sequential({ layers: [smallConvNet({ classes: 4 }), layers.dense({ units: 3, name: 'head' })] });
    const stored = quantizations(await savedArtifacts(nested, quantize));
    expect(stored['depthwise/depthwise_kernel']).toMatchObject({ dtype: quantize });
    expect(stored['head/kernel']).toMatchObject({ dtype: quantize });
    expect(weightBits(await load(await savedArtifacts(nested, quantize)))).toHaveLength(nested.weights.length);

    const empty = sequential({ layers: [layers.flatten({ inputShape: [2, 2, 1] })] });
    expect(predictOnes(await load(await savedArtifacts(empty, quantize)))).toEqual([1, 1, 1, 1]);
  });

  test('weights that it cannot hold stay float32, bit for bit', async () => {
    const model = sequential({
      layers: [1, 2, 3, 4].map((i) => layers.dense({ inputShape: [2], units: 2, useBias: false, name: `d${i}` })),
    });
    const values = [
      [65504, -65504, 1, 2],
      [65505, 1, 2, 3],
      [Number.NaN, Number.NEGATIVE_INFINITY, 1, 0],
      [3.4e38, -3.4e38, 1, 1],
    ];
    tidy(() => model.setWeights(values.map((kernel) => tensor(kernel, [2, 2]))));
    const artifacts = await savedArtifacts(model, quantize);
    const isStored = Object.values(quantizations(artifacts)).map((quantization) => quantization?.dtype === quantize);
    expect(isStored).toEqual(quantize === 'float16' ? [true, false, true, false] : [true, true, false, false]);
    const before = weightBits(model);
    const after = weightBits(await load(artifacts));
    isStored.forEach((stored, i) => {
      if (!stored) expect(after[i]).toEqual(before[i]);
    });
    const infinite = (await load(artifacts)).getWeights()[2]!.dataSync();
    expect([...infinite]).toEqual(values[2]);
  });
});

test.each(['int4', 'uint8', '', null, 8, {}])('quantize: %j is refused, and nothing is written', async (quantize) => {
  const folder = newFolder();
  const model = smallConvNet();
  const save = () => saveModel(model, folder, { quantize } as never);
  await expectFailure(save, 'invalid-argument', 'saveModel', "'float16' or 'int8'");
  expect(existsSync(folder)).toBe(false);
});

describe('float16', () => {
  test('is read by plain tf.loadLayersModel over http, bit for bit as by loadModel', async () => {
    const folder = newFolder();
    await saveModel(smallConvNet({ seed: 7 }), folder, { quantize: 'float16' });
    const plain = await withServer(folderListener(folder), (url) => loadLayersModel(`${url}/model.json`));
    const ours = await loadModel(folder);
    expect(weightBits(plain)).toEqual(weightBits(ours));
    expect(predictOnes(plain)).toEqual(predictOnes(ours));
  });

  test('takes half of the bytes, and weights change by at most 2^-11 of themselves', async () => {
    const model = smallConvNet();
    const artifacts = await savedArtifacts(model, 'float16');
    expect(artifacts.weightData.byteLength).toBe(2 * model.countParams());
    const loaded = weightsByName(await load(artifacts));
    for (const [name, values] of weightsByName(model)) {
      values.forEach((value, i) => {
        const bound = Math.max(2 ** -11 * Math.abs(value), 2 ** -25);
        expect(Math.abs(loaded.get(name)![i]! - value), name).toBeLessThanOrEqual(bound);
      });
    }
  });
});

test.each([['float16'], ['int8'], 'int4', 7, null])('a stored dtype of %j is refused', async (dtype) => {
  const artifacts = await savedArtifacts(smallConvNet(), 'float16');
  const quantization = { dtype, scale: 1, min: 0, channelAxes: 1 };
  Object.assign(artifacts.weightSpecs[0]!, { quantization });
  await expectFailure(() => load(artifacts), 'invalid-data', 'the quantization of float32 weight conv/kernel');
});

describe('int8', () => {
  test('kernels get a scale per output channel; biases and batch norms stay bit for bit', async () => {
    const model = smallConvNet({ classes: 5 });
    const artifacts = await savedArtifacts(model, 'int8');
    expect(quantizations(artifacts)).toEqual({
      'conv/kernel': { dtype: 'int8', channelAxes: 1 },
      'norm/gamma': undefined,
      'norm/beta': undefined,
      'norm/moving_mean': undefined,
      'norm/moving_variance': undefined,
      'depthwise/depthwise_kernel': { dtype: 'int8', channelAxes: 2 },
      'depthwise/bias': undefined,
      'dense/kernel': { dtype: 'int8', channelAxes: 1 },
      'dense/bias': undefined,
    });
    const channels = new Map([
      ['conv/kernel', 4],
      ['depthwise/depthwise_kernel', 4],
      ['dense/kernel', 5],
    ]);
    const loaded = weightsByName(await load(artifacts));
    for (const [name, values] of weightsByName(model)) {
      const size = channels.get(name);
      if (size === undefined) {
        expect(loaded.get(name), name).toEqual(values);
      } else {
        const { values: integers, scales } = quantizeChannels(values, size);
        expect(quantizeChannels(loaded.get(name)!, size).values, name).toEqual(integers);
        const steps = values.map((value, i) => Math.abs(loaded.get(name)![i]! - value) / scales[i % size]!);
        expect(Math.max(...steps), name).toBeLessThanOrEqual(0.5 + 127 * 2 ** -22);
      }
    }
  });

  test('each kind of layer: separable too, transposed and recurrent ones stay float32', async () => {
    const picture = sequential({
      layers: [
        layers.separableConv2d({ inputShape: [6, 6, 2], filters: 3, kernelSize: 2, name: 'sep' }),
        layers.conv2dTranspose({ filters: 2, kernelSize: 2, name: 'up' }),
        layers.reshape({ targetShape: [36, 2], name: 'line' }),
        layers.conv1d({ filters: 4, kernelSize: 3, name: 'one' }),
        layers.simpleRNN({ units: 3, name: 'rnn', recurrentInitializer: 'glorotUniform' }),
      ],
    });
    const artifacts = await savedArtifacts(picture, 'int8');
    const stored = Object.entries(quantizations(artifacts)).filter(([, quantization]) => quantization);
    expect(Object.fromEntries(stored)).toEqual({
      'sep/depthwise_kernel': { dtype: 'int8', channelAxes: 2 },
      'sep/pointwise_kernel': { dtype: 'int8', channelAxes: 1 },
      'one/kernel': { dtype: 'int8', channelAxes: 1 },
    });
    expect(farthest(predictOnes(await load(artifacts)), predictOnes(picture))).toBeLessThan(0.05);
  });

  test('plain tf.loadLayersModel says that it does not know int8', async () => {
    const artifacts = await savedArtifacts(smallConvNet(), 'int8');
    await expect(loadLayersModel(io.fromMemory(artifacts))).rejects.toThrow(
      'Weight conv/kernel has unknown quantization dtype int8',
    );
  });

  test.each([
    ['NaN', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
    ['negative', -1],
  ])('a scale that is %s is refused', async (_, scale) => {
    const artifacts = await savedArtifacts(smallConvNet(), 'int8');
    new Float32Array(artifacts.weightData, 0, 4)[2] = scale;
    await expectFailure(() => load(artifacts), 'invalid-data', 'scales of weight conv/kernel', `${scale}`);
  });

  test.each([undefined, 0, -1, 1.5, 5, '1', null])('channelAxes %j is refused', async (channelAxes) => {
    const artifacts = await savedArtifacts(smallConvNet(), 'int8');
    Object.assign(artifacts.weightSpecs[0]!.quantization!, { channelAxes });
    await expectFailure(() => load(artifacts), 'invalid-data', 'conv/kernel', 'channelAxes');
  });

  test('int8 of integers is refused', async () => {
    const artifacts = await savedArtifacts(smallConvNet(), 'int8');
    Object.assign(artifacts.weightSpecs[0]!, { dtype: 'int32' });
    await expectFailure(() => load(artifacts), 'invalid-data', 'int8 quantization of int32 weight conv/kernel');
  });

  test('other channelAxes than the bytes have are refused', async () => {
    const artifacts = await savedArtifacts(smallConvNet(), 'int8');
    Object.assign(artifacts.weightSpecs[0]!.quantization!, { channelAxes: 2 });
    await expectFailure(() => load(artifacts), 'invalid-data', 'bytes of weights');
  });
});

describe('MobileNetV1, alpha 0.25', () => {
  const seed = 21;
  let model: LayersModel;
  beforeAll(() => {
    model = mobilenetV1({ alpha: 0.25, inputShape: [32, 32, 3], classes: 100, classifierActivation: 'linear', seed });
    const random = createRandom(seed);
    // Batch norms as after a training: no two channels alike, and the signal does not fade.
    for (const layer of model.layers.filter((each) => each.getClassName() === 'BatchNormalization')) {
      const vector = (low: number, high: number, size: number) =>
        tensor(Array.from({ length: size }, () => low + (high - low) * random.uniform()));
      const size = layer.weights[0]!.shape[0]!;
      tidy(() =>
        layer.setWeights([vector(0.5, 3, size), vector(-0.5, 1, size), vector(-0.2, 0.2, size), vector(0.1, 1, size)]),
      );
    }
  });
  /** Less their mean over the four pictures, so that only what tells pictures apart counts. */
  const logits = (each: LayersModel) =>
    tidy(() => {
      const scores = each.predict(randomUniform([4, 32, 32, 3], -1, 1, 'float32', seed)) as Tensor;
      return [...sub(scores, mean(scores, 0)).dataSync()];
    });
  const length = (vector: number[]) => Math.hypot(...vector);

  test.each([
    ['float16', 0.03],
    ['int8', 0.3],
  ] as const)(
    `%s: what tells pictures apart changes by less than %d of itself (seed ${seed})`,
    async (quantize, change) => {
      const expected = logits(model);
      const loaded = await load(await savedArtifacts(model, quantize));
      const differences = logits(loaded).map((value, i) => value - expected[i]!);
      expect(length(differences)).toBeGreaterThan(0);
      expect(length(differences) / length(expected)).toBeLessThan(change);
    },
  );
});

test.each([
  ['float16', 1.98],
  ['int8', 3.75],
] as const)('alpha 1, %s: the files are more than %d times smaller', async (quantize, times) => {
  const model = mobilenetV1({ inputShape: [32, 32, 3], seed: 1 });
  const bytes = async (options?: SaveModelOptions) => {
    const folder = newFolder();
    await saveModel(model, folder, options);
    const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
    return (await Promise.all(sizes)).reduce((total, size) => total + size);
  };
  expect((await bytes()) / (await bytes({ quantize }))).toBeGreaterThan(times);
});
