import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, type ModelAndWeightsConfig, models } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { limitWeights } from '../../src/io/limitWeights';
import { normalizeTopology } from '../../src/io/normalizeTopology';
import type { LooseJson } from '../io/models';

beforeAll(() => setBackend('cpu'));

const build = (topology: object): Promise<LayersModel> =>
  models.modelFromJSON({
    modelTopology: normalizeTopology('file', topology) as ModelAndWeightsConfig['modelTopology'],
  });

// As Keras 3.15 writes them; what no reader looks at is left out.
const policy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' }, registered_name: null };
const layer = (class_name: string, name: string, config: object = {}, ...reads: [string, number][]) => ({
  module: 'keras.layers',
  class_name,
  config: { name, trainable: true, dtype: policy, ...config },
  registered_name: null,
  name,
  inbound_nodes: reads.map(([from, call]) => ({ args: [tensor(from, call)], kwargs: { mask: null } })),
});
const tensor = (from: string, call = 0) => ({
  class_name: '__keras_tensor__',
  config: { shape: [null], dtype: 'float32', keras_history: [from, call, 0] },
});
const picture = (shape = [4, 4, 3]) => layer('InputLayer', 'picture', { batch_shape: [null, ...shape], sparse: false });
const functional = (layers: object[], output: string, name = 'model') => ({
  module: 'keras.src.models.functional',
  class_name: 'Functional',
  config: { name, trainable: true, layers, input_layers: ['picture', 0, 0], output_layers: [output, 0, 0] },
  registered_name: 'Functional',
});
const conv = (name: string, from: string, config: object = {}) =>
  layer('Conv2D', name, { filters: 2, kernel_size: [1, 1], groups: 1, activation: 'linear', ...config }, [from, 0]);

const shapesOf = (model: LayersModel) =>
  model.layers.map(({ name, outputShape }) => [name, (outputShape as number[]).slice(1)]);

describe('Keras 3', () => {
  test('batch_shape, dtype policies, calls that are objects, outputs without a list around them', async () => {
    const model = await build(functional([picture(), conv('a', 'picture')], 'a'));
    expect(shapesOf(model)).toEqual([
      ['picture', [4, 4, 3]],
      ['a', [4, 4, 2]],
    ]);
  });

  test.each([
    ['GlobalAveragePooling2D', 'conv', {}, [1, 1, 2]],
    ['GlobalMaxPooling2D', 'relu', {}, [1, 1, 2]],
    ['GlobalAveragePooling2D', 'dw', {}, [1, 1, 6]],
    ['GlobalAveragePooling2D', 'both', {}, [1, 1, 5]],
    ['GlobalAveragePooling2D', 'picture', {}, [1, 1, 3]],
    ['GlobalAveragePooling2D', 'shaped', {}, [1, 1, 24]],
  ] as const)('keepdims of %s behind %s', async (kind, from, config, expected) => {
    const layers = [
      picture(),
      conv('conv', 'picture'),
      layer('ReLU', 'relu', { max_value: 6, negative_slope: 0, threshold: 0 }, ['conv', 0]),
      layer('DepthwiseConv2D', 'dw', { kernel_size: [2, 2], depth_multiplier: 2 }, ['picture', 0]),
      {
        ...layer('Concatenate', 'both', { axis: -1 }),
        inbound_nodes: [{ args: [[tensor('relu'), tensor('picture')]], kwargs: {} }],
      },
      layer('Reshape', 'shaped', { target_shape: [2, 1, 24] }, ['picture', 0]),
      layer(kind, 'pool', { ...config, keepdims: true, data_format: 'channels_last' }, [from, 0]),
      conv('last', 'pool'),
    ];
    const model = await build(functional(layers, 'last'));
    expect(model.getLayer('pool_keepdims').outputShape).toEqual([null, ...expected]);
    expect(model.outputs[0]!.shape).toEqual([null, 1, 1, 2]);
    const isOutput = await build(functional(layers, 'pool'));
    expect(isOutput.outputs[0]!.shape).toEqual([null, ...expected]);
  });

  test('keepdims in a Sequential model, behind one inside, and of one axis', async () => {
    const inner = {
      module: 'keras',
      class_name: 'Sequential',
      config: { name: 'inner', layers: [picture(), conv('a', 'picture')] },
    };
    const functionalInner = { ...functional([{ ...picture() }, conv('b', 'picture', { filters: 5 })], 'b', 'other') };
    for (const [nested, channels] of [
      [inner, 2],
      [functionalInner, 5],
    ] as const) {
      const model = await build({
        class_name: 'Sequential',
        config: {
          name: 'outer',
          layers: [picture(), nested, layer('GlobalAveragePooling2D', 'pool', { keepdims: true })],
        },
      });
      expect(model.outputs[0]!.shape).toEqual([null, 1, 1, channels]);
    }
    const rows = await build({
      class_name: 'Sequential',
      config: [picture([6, 4]), layer('GlobalMaxPooling1D', 'pool', { keepdims: true })],
    });
    expect(rows.outputs[0]!.shape).toEqual([null, 1, 4]);
  });

  test('keepdims that is false, or of which nothing tells the channels', async () => {
    const pool = (keepdims: boolean) => layer('GlobalAveragePooling2D', 'pool', { keepdims }, ['flat', 0]);
    const layers = (keepdims: boolean) => [picture(), layer('Flatten', 'flat', {}, ['picture', 0]), pool(keepdims)];
    expect(() => normalizeTopology('file', functional(layers(true), 'pool'))).toThrow('the channels of pool');
    expect(() => normalizeTopology('file', functional(layers(false), 'pool'))).not.toThrow();
  });

  test('models inside, whose calls Keras 3 counts from 0 and tfjs from 1', async () => {
    const inner = functional([picture([4, 4, 2]), conv('a', 'picture')], 'a', 'inner');
    const nested = { ...inner, name: 'inner', inbound_nodes: [call('first'), call('first')] };
    const sum = {
      ...layer('Add', 'sum'),
      inbound_nodes: [{ args: [tensor('inner', 0), tensor('inner', 1)], kwargs: {} }],
    };
    const model = await build(functional([picture(), conv('first', 'picture'), nested, sum], 'sum'));
    expect(model.getLayer('inner').inboundNodes).toHaveLength(3);
    // As the last layer a Sequential model is call 0 in Keras 3.
    const last = await build(
      functional([picture(), conv('first', 'picture'), { ...nested, inbound_nodes: [call('first')] }], 'inner'),
    );
    expect([last.outputs[0]!.sourceLayer.name, last.outputs[0]!.nodeIndex]).toEqual(['inner', 1]);
  });

  const call = (from: string) => ({ args: [tensor(from)], kwargs: { training: false } });

  test('mixed precision, functions as objects, other names of settings', async () => {
    const mixed = { ...policy, config: { name: 'mixed_float16' } };
    const relu6 = { module: 'builtins', class_name: 'function', config: 'relu6', registered_name: 'function' };
    const model = await build(
      functional(
        [
          picture(),
          conv('a', 'picture', { dtype: mixed, activation: relu6 }),
          layer('LeakyReLU', 'leaky', { negative_slope: 0.2 }, ['a', 0]),
          layer('Activation', 'swish', { activation: 'silu' }, ['leaky', 0]),
        ],
        'swish',
      ),
    );
    const configOf = (name: string) => model.getLayer(name).getConfig();
    expect([configOf('a').activation, model.getLayer('a').weights[0]!.dtype]).toEqual(['relu6', 'float32']);
    expect([configOf('leaky').alpha, configOf('swish').activation]).toEqual([0.2, 'swish']);
  });

  test('a layer that a wrapper has inside', () => {
    const topology: LooseJson = normalizeTopology('file', {
      class_name: 'Sequential',
      config: [layer('TimeDistributed', 'each', { layer: layer('Dense', 'inner', { units: 2 }) })],
    });
    expect(topology.config[0].config.layer.config.dtype).toBe('float32');
  });

  test('training stays on where the model says so', () => {
    const dropout = {
      ...layer('Dropout', 'd', { rate: 0.5 }),
      inbound_nodes: [{ ...call('picture'), kwargs: { training: true } }],
    };
    const topology: LooseJson = normalizeTopology('file', functional([picture(), dropout], 'd'));
    expect(topology.config.layers[1].inbound_nodes).toEqual([[['picture', 0, 0, { training: true }]]]);
  });
});

describe('Keras 2 and tfjs', () => {
  test('stay as they are', () => {
    const topology = {
      keras_version: '2.1.4',
      model_config: {
        class_name: 'Model',
        config: {
          name: 'm',
          layers: [
            {
              class_name: 'InputLayer',
              name: 'i',
              config: { name: 'i', batch_input_shape: [null, 3], dtype: 'float32' },
              inbound_nodes: [],
            },
            {
              class_name: 'Dense',
              name: 'd',
              config: { name: 'd', units: 2, activation: 'relu' },
              inbound_nodes: [[['i', 0, 0, {}]]],
            },
          ],
          input_layers: [['i', 0, 0]],
          output_layers: [['d', 0, 0]],
        },
      },
    };
    const normal: LooseJson = normalizeTopology('file', structuredClone(topology));
    expect(normal.model_config.config.layers).toEqual(topology.model_config.config.layers);
    expect(normal.keras_version).toBe('2.1.4');
  });

  test('a pair of brackets that old converters leave out', async () => {
    const model = await build(
      functional([picture(), { ...conv('a', 'picture'), inbound_nodes: [['picture', 0, 0, {}]] }], 'a'),
    );
    expect(model.outputs[0]!.shape).toEqual([null, 4, 4, 2]);
  });
});

describe('refused', () => {
  test.each<[string, object, string]>([
    [
      'ReLU with a slope',
      functional([picture(), layer('ReLU', 'r', { negative_slope: 0.1 }, ['picture', 0])], 'r'),
      'layer r with negative_slope 0',
    ],
    [
      'ReLU with a threshold',
      functional([picture(), layer('ReLU', 'r', { threshold: 1 }, ['picture', 0])], 'r'),
      'layer r with threshold 0',
    ],
    [
      'grouped convolutions',
      functional([picture(), conv('c', 'picture', { groups: 3 })], 'c'),
      'layer c with groups 1',
    ],
    ['a layer that is none', functional([picture(), 'x' as unknown as object], 'picture'), 'layers that are objects'],
    [
      'lists in lists of arguments',
      functional([picture(), { ...conv('c', 'picture'), inbound_nodes: [{ args: [[[[[[]]]]]] }] }], 'c'),
      'lists inside of lists',
    ],
    [
      'more layers than tfjs is good for',
      functional(
        Array.from({ length: 10_001 }, (_, i) => layer('ReLU', `r${i}`)),
        'r0',
      ),
      'at most 10000 layers',
    ],
    [
      'more inputs',
      functional(
        [
          picture(),
          { ...layer('Add', 'sum'), inbound_nodes: [Array.from({ length: 10_001 }, () => ['picture', 0, 0])] },
        ],
        'sum',
      ),
      'at most 10000 layers',
    ],
  ])('%s', (_, topology, message) => {
    const normalize = () => normalizeTopology('file', topology);
    expect(normalize).toThrow(expect.objectContaining({ name: 'MobilenetError', code: 'invalid-data' }));
    expect(normalize).toThrow(message);
  });

  test('models in models in models, though they have no end', () => {
    const endless: LooseJson = { class_name: 'Sequential', config: { name: 's', layers: [] } };
    endless.config.layers.push(endless);
    expect(() => normalizeTopology('file', endless)).toThrow('at most 20 deep');
  });

  test('9,999 layers in the reverse order take no more than a second', () => {
    const chain = Array.from({ length: 9_998 }, (_, i) =>
      layer('ReLU', `r${i}`, {}, [i === 9_997 ? 'picture' : `r${i + 1}`, 0]),
    );
    const start = performance.now();
    normalizeTopology('file', functional([...chain, picture()], 'r0'));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

test('limitWeights puts back what it replaced, whatever happens', async () => {
  const topology = functional([picture(), conv('a', 'picture', { kernel_size: [3, 3] })], 'a');
  const limited = (limit: number) => limitWeights(limit, () => build(topology));
  await expect(limited(10)).rejects.toThrow('Weight kernel [3,3,3,2] is larger');
  await expect(limited(54)).rejects.toThrow('Weight bias [2] is larger');
  expect((await limited(56)).countParams()).toBe(56);
  expect((await build(topology)).countParams()).toBe(56);
  expect(() =>
    limitWeights(0, () => {
      throw new Error('own');
    }),
  ).toThrow('own');
  expect((await build(topology)).countParams()).toBe(56);
});
