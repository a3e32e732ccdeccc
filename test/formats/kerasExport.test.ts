import '@tensorflow/tfjs-backend-cpu';
import { memory, setBackend, tensor2d } from '@tensorflow/tfjs-core';
import { model as createModel, input, type LayersModel, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { unzipSync } from 'fflate';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exportKeras } from '../../src/formats/exportKeras';
import { openHdf5 } from '../../src/formats/keras/hdf5/hdf5Group';
import { layerSettings } from '../../src/formats/keras/layerSettings';
import { loadWeights } from '../../src/formats/loadWeights';
import { freeze } from '../../src/model/freeze';
import { setModelMetadata } from '../../src/model/metadata';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import { replaceHead } from '../../src/model/replaceHead';
import { createRandom } from '../../src/random';
import { chain, randomizeWeights } from '../graph/chains';
import { readFile } from './kerasFiles';
import { bitsOf, narrowNet } from './networks';

beforeAll(() => setBackend('cpu'));

const formats = ['keras', 'h5'] as const;

const read = async (model: LayersModel, format: 'keras' | 'h5') =>
  readFile(`model.${format}`, await exportKeras(model, { format }));

/** A chain whose layers got these names after it was built, as tfjs builds none of other names than ASCII. */
function renamed(names: readonly string[], ...members: layers.Layer[]): LayersModel {
  const model = chain([3, 3, 2], ...members);
  members.forEach((layer, i) => {
    layer.name = names[i]!;
  });
  return model;
}

/** The bits of a model's weights in the order of a file: from the input to the output, and Keras's in a layer. */
function valuesOf(model: LayersModel): Float32Array[] {
  return model.layers.flatMap((layer) => layer.weights.map((weight) => weight.read().dataSync() as Float32Array));
}

const bits = ({ buffer, byteOffset, length }: Float32Array) => [...new Uint32Array(buffer, byteOffset, length)];

/** Parameters of a file's layers, in Keras's order. */
function parametersOf({ layers }: Awaited<ReturnType<typeof read>>): Float32Array[] {
  return layers.flatMap((layer) =>
    (layer.kind === 'batchNorm'
      ? [layer.gamma, layer.beta, layer.movingMean, layer.movingVariance]
      : [layer.kernel, layer.bias]
    ).flatMap((values) => values?.data ?? []),
  );
}

/** The configuration that Keras is given. */
async function configOf(model: LayersModel, format: 'keras' | 'h5') {
  const bytes = await exportKeras(model, { format });
  if (format === 'h5') return JSON.parse(openHdf5(bytes, 'x').strings('model_config')![0]!);
  return JSON.parse(new TextDecoder().decode(unzipSync(bytes)['config.json']));
}

describe.each(formats)('%s: out and in again gives the same bits', (format) => {
  test.each<[string, MobilenetV1Options]>([
    ['the usual network', {}],
    ["padding 'keras'", { padding: 'keras', inputShape: [33, 37, 3] }],
    ["padding 'torch' and epsilon 1e-5", { padding: 'torch', batchNormEpsilon: 1e-5, inputShape: [33, 37, 3] }],
    ['two depthwise channels for each, grey pictures', { depthMultiplier: 2, inputShape: [32, 32, 1] }],
    ['a softmax and a stem of stride 1', { classifierActivation: 'softmax', stemStride: 1 }],
    ['no top', { includeTop: false }],
    ['no top, pooled', { includeTop: false, pooling: 'max' }],
  ])('%s', async (_, options) => {
    const model = narrowNet({ ...options, seed: 3 });
    const weights = await read(model, format);
    expect(parametersOf(weights).map(bits)).toEqual(valuesOf(model).map(bits));
    expect(weights.layers.map(({ name }) => name)).toEqual(
      model.layers.filter((layer) => layer.weights.length > 0).map(({ name }) => name),
    );
    const epsilons = new Set(weights.layers.flatMap((layer) => (layer.kind === 'batchNorm' ? [layer.epsilon] : [])));
    expect([...epsilons]).toEqual([options.batchNormEpsilon ?? 1e-3]);
    expect(weights.padding).toBe(options.padding ?? 'same');

    const other = narrowNet(options);
    const { skipped } = await loadWeights(other, await exportKeras(model, { format }));
    expect(skipped).toEqual([]);
    expect(bitsOf(other)).toEqual(bitsOf(model));
  });

  test('a model with a new head, whose layers are part of two models', async () => {
    const model = replaceHead(narrowNet({ seed: 4 }), { classes: 3, seed: 1 });
    expect(parametersOf(await read(model, format)).map(bits)).toEqual(valuesOf(model).map(bits));
  });

  test('values that are not finite, and signed zeros', async () => {
    const model = chain([1, 1, 2], layers.flatten(), layers.dense({ units: 2, useBias: false }));
    model.setWeights([
      tensor2d([
        [-0, Number.NaN],
        [Number.NEGATIVE_INFINITY, 1e-45],
      ]),
    ]);
    expect(parametersOf(await read(model, format)).map(bits)).toEqual(valuesOf(model).map(bits));
  });

  test('names of layers in any script', async () => {
    const names = ['Blüte', '花', 'ｆ', '😀', 'é'.repeat(200), 'Ω'];
    const convolutions = names.slice(1).map(() => layers.conv2d({ filters: 2, kernelSize: 1 }));
    const model = renamed(names, ...convolutions, layers.batchNormalization());
    randomizeWeights(model, createRandom(8));
    const weights = await read(model, format);
    expect(weights.layers.map(({ name }) => name)).toEqual(names);
    expect(parametersOf(weights).map(bits)).toEqual(valuesOf(model).map(bits));
  });

  test('metadata comes back', async () => {
    const model = narrowNet();
    const classNames = ['Blüte', '花', 'a"\\'];
    const resizing = { fit: 'stretch', cropFraction: 0.875, cropAfterResize: true, interpolation: 'bicubic' } as const;
    const metadata = { classNames, ...resizing };
    setModelMetadata(model, {
      ...metadata,
      inputRange: [
        [-2, 2],
        [-1, 1],
        [0, 1],
      ],
    });
    expect(await read(model, format)).toMatchObject({
      ...metadata,
      inputRange: [
        [-2, 2],
        [-1, 1],
        [0, 1],
      ],
    });
  });

  test('a network for ImageNet without an input range does not get one', async () => {
    expect((await read(narrowNet({ classes: 1000 }), format)).inputRange).toBeUndefined();
  });
});

describe.each(formats)('%s', (format) => {
  let model: LayersModel;
  beforeEach(() => {
    model = narrowNet({ seed: 5 });
  });

  test('the same model gives the same bytes, and is not changed', async () => {
    const before = bitsOf(model);
    const first = await exportKeras(model, { format });
    expect(await exportKeras(model, { format })).toEqual(first);
    expect(bitsOf(model)).toEqual(before);
  });

  test('no tensor stays behind, after errors neither', async () => {
    const { numTensors } = memory();
    await exportKeras(model, { format });
    expect(memory().numTensors).toBe(numTensors);
    const odd = chain([4, 4, 3], layers.leakyReLU());
    await expect(exportKeras(odd, { format })).rejects.toThrow();
    expect(memory().numTensors).toBe(numTensors);
  });

  test('frozen layers stay frozen in Keras', async () => {
    freeze(model, { until: 'conv_pw_3_relu' });
    const { config } = await configOf(model, format);
    const flags = config.layers.slice(1).map(({ config }: { config: { trainable: boolean } }) => config.trainable);
    expect(flags).toEqual(model.layers.slice(1).map(({ trainable }) => trainable));
    // Keras gives all layers the flag that a model has.
    expect(config.trainable ?? null).toBeNull();
  });

  test('models inside of a model are taken apart, and names made unique', async () => {
    const convolution = (name: string) => {
      const pictures = input({ shape: [4, 4, 3] });
      const features = layers.conv2d({ filters: 3, kernelSize: 1, name: 'conv' }).apply(pictures) as SymbolicTensor;
      return createModel({ inputs: pictures, outputs: features, name });
    };
    const nested = chain([4, 4, 3], convolution('first'), convolution('second'), layers.flatten({ name: 'flat' }));
    const { config } = await configOf(nested, format);
    const names = config.layers.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['picture', 'conv', 'conv_1', 'flat']);
    expect((await read(nested, format)).layers.map(({ name }) => name)).toEqual(['conv', 'conv_1']);
  });
});

test.each(formats)('%s: a chain of all layer classes that Keras has too', async (format) => {
  const model = chain(
    [20, 21, 3],
    layers.zeroPadding2d({
      padding: [
        [1, 0],
        [0, 1],
      ],
    }),
    layers.conv2d({ filters: 6, kernelSize: [3, 2], strides: [2, 1], activation: 'relu6' }),
    layers.maxPooling2d({ poolSize: 2, strides: 1, padding: 'same' }),
    layers.batchNormalization({ center: false, momentum: 0.9, epsilon: 0.01 }),
    layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, activation: 'relu' }),
    layers.batchNormalization({ scale: false, center: false }),
    layers.activation({ activation: 'relu6' }),
    layers.averagePooling2d({ poolSize: [2, 2] }),
    layers.batchNormalization({ scale: false }),
    layers.reLU({ maxValue: 6 }),
    layers.flatten(),
    layers.dropout({ rate: 0.2 }),
    layers.dense({ units: 9, activation: 'elu', useBias: false }),
    layers.reshape({ targetShape: [3, 3] }),
    layers.flatten(),
    layers.dense({ units: 3 }),
    layers.softmax(),
  );
  randomizeWeights(model, createRandom(6));
  expect(parametersOf(await read(model, format)).map(bits)).toEqual(valuesOf(model).map(bits));
  const { config } = await configOf(model, format);
  const settings = config.layers.slice(1).map(({ config }: { config: Record<string, unknown> }) => {
    const { name: _, trainable: __, dtype: ___, ...rest } = config;
    return rest;
  });
  const convolution = { padding: 'valid', data_format: 'channels_last', dilation_rate: [1, 1], use_bias: true };
  const pooling = { pool_size: [2, 2], data_format: 'channels_last' };
  const batchNorm = { axis: -1, momentum: 0.99, epsilon: 0.001 };
  expect(settings).toEqual([
    {
      padding: [
        [1, 0],
        [0, 1],
      ],
      data_format: 'channels_last',
    },
    { ...convolution, filters: 6, kernel_size: [3, 2], strides: [2, 1], activation: 'relu6' },
    { ...pooling, strides: [1, 1], padding: 'same' },
    { axis: -1, momentum: 0.9, epsilon: 0.01, center: false, scale: true },
    { ...convolution, kernel_size: [3, 3], strides: [1, 1], depth_multiplier: 2, activation: 'relu' },
    { ...batchNorm, center: false, scale: false },
    { activation: 'relu6' },
    { ...pooling, strides: [2, 2], padding: 'valid' },
    { ...batchNorm, center: true, scale: false },
    { max_value: 6 },
    { data_format: 'channels_last' },
    { rate: 0.2, noise_shape: null },
    { units: 9, activation: 'elu', use_bias: false },
    { target_shape: [3, 3] },
    { data_format: 'channels_last' },
    { units: 3, activation: 'linear', use_bias: true },
    { axis: 1 },
  ]);
});

test.each(formats)('%s: pictures of any size', async (format) => {
  const convolution = layers.conv2d({ filters: 2, kernelSize: 3, name: 'c' });
  const model = chain([null, null, 3], convolution, layers.globalAveragePooling2d({ name: 'g' }));
  const [pictures] = (await configOf(model, format)).config.layers;
  expect(pictures.config.batch_shape ?? pictures.config.batch_input_shape).toEqual([null, null, null, 3]);
});

test('groups are in the order of their UTF-8, in which libhdf5 looks for them', async () => {
  const names = ['😀', 'ｆ', 'Blüte', 'z'];
  const model = renamed(names, ...names.map(() => layers.activation({ activation: 'relu' })));
  const group = openHdf5(await exportKeras(model, { format: 'h5' }), 'x').group('model_weights')!;
  expect(group.names).toEqual(['Blüte', 'picture', 'z', 'ｆ', '😀']);
});

test('long names in other scripts fill several attributes, by their bytes', async () => {
  const names = Array.from({ length: 500 }, (_, i) => `${'花'.repeat(60)}${i}`);
  const model = renamed(names, ...names.map(() => layers.activation({ activation: 'relu' })));
  const bytes = await exportKeras(model, { format: 'h5' });
  const group = openHdf5(bytes, 'x').group('model_weights')!;
  const lists = [0, 1].map((part) => group.strings(`layer_names${part}`)!);
  expect(lists.flat()).toEqual(['picture', ...names]);
});

test('a chain of so many layers that their names fill several attributes', async () => {
  const name = (i: number) => `a_layer_with_a_name_as_long_as_some_${'x'.repeat(60)}_${i}`;
  const model = chain(
    [1, 1, 1],
    ...Array.from({ length: 700 }, (_, i) => layers.activation({ activation: 'relu', name: name(i) })),
  );
  const bytes = await exportKeras(model, { format: 'h5' });
  const group = openHdf5(bytes, 'x').group('model_weights')!;
  expect(group.strings('layer_names')).toBeUndefined();
  const names = [...group.strings('layer_names0')!, ...group.strings('layer_names1')!];
  expect(names).toEqual(['picture', ...Array.from({ length: 700 }, (_, i) => name(i))]);
  await expect(readFile('x.h5', bytes)).rejects.toThrow('layers with weights, received none');
});

describe('refused', () => {
  const conv = (settings: object) => layers.conv2d({ filters: 2, kernelSize: 1, name: 'c', ...settings });
  const twoInputs = () => {
    const model = mobilenetV1({ alpha: 0.25, inputShape: [32, 32, 3] });
    return Object.assign(Object.create(model), { inputs: [model.inputs[0], model.inputs[0]] }) as LayersModel;
  };

  test.each<[string, () => LayersModel, string]>([
    ['a class that Keras has not the same', () => chain([4, 4, 3], layers.leakyReLU({ name: 'l' })), "'l' (LeakyReLU)"],
    ['an activation', () => chain([4, 4, 3], conv({ activation: 'hardSigmoid' })), "activation 'hardSigmoid'"],
    ['a regularizer', () => chain([4, 4, 3], conv({ kernelRegularizer: 'l1l2' })), 'kernelRegularizer'],
    ['a constraint', () => chain([4, 4, 3], conv({ kernelConstraint: 'nonNeg' })), 'kernelConstraint'],
    ['a name with a slash', () => chain([4, 4, 3], conv({ name: 'a/b' })), 'a/b'],
    ['a model that is no chain', twoInputs, 'has 2 inputs'],
  ])('%s', async (_, build, expected) => {
    for (const format of formats) {
      const refusal = expect(exportKeras(build(), { format })).rejects;
      await refusal.toMatchObject({ name: 'MobilenetError', code: 'invalid-argument' });
      await refusal.toThrow(expected);
    }
  });

  test('but not a name of the model with a slash, or of another script', async () => {
    const { config } = await configOf(narrowNet({ name: 'a/Blüte' }), 'h5');
    expect(config.name).toBe('a_Blüte');
  });

  test('another format', async () => {
    await expect(exportKeras(narrowNet(), { format: 'hdf5' as 'h5' })).rejects.toThrow(
      "exportKeras: expected format to be 'keras', 'h5', received 'hdf5'.",
    );
  });
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
