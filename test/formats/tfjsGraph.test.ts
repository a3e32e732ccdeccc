import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { graphModel } from '../../bench/graphModel.mjs';
import { foldedLayers } from '../../bench/inferenceLayers.mjs';
import { describeActivation } from '../../src/formats/activation';
import { loadWeightFile } from '../../src/formats/loadWeightFile';
import { loadWeights } from '../../src/formats/loadWeights';
import type { NetworkWeights } from '../../src/formats/networkWeights';
import { readGraphModel } from '../../src/formats/tfjs/readGraphModel';
import { createRandom, type Random } from '../../src/random';
import { chain } from '../graph/chains';
import { expectFailure, type LooseJson } from '../io/models';
import { fuzz, mutateBytes } from './mutate';
import { mutateJson } from './mutateJson';
import { golden, narrowNet, outputsOf, readJson, relativeError } from './networks';
import { encode, fileOf, pickedOf, SHARD, type TfjsModel } from './tfjsFiles';
import { type GraphConstant, graphFile, integers, node, sliding, text, texts } from './tfjsGraphs';

beforeAll(() => setBackend('cpu'));

const { logits } = readJson('tfjs/logits.json');

describe('of TensorFlow, optimized', () => {
  test.each([32, 33, 37])('%i pixels: its logits', async (size) => {
    const model = narrowNet({ padding: 'keras', inputShape: [size, size, 3] });
    const { format, layers, skipped } = await loadWeights(model, golden('tfjs/graph.model'));
    expect([format, layers.length, skipped]).toEqual(['tfjs-graph', 55, []]);
    expect(relativeError(outputsOf(model), logits[size])).toBeLessThan(1e-5);
  });

  test('it was made for 33 pixels, where Keras pads in its own way', async () => {
    const model = narrowNet({ padding: 'same', inputShape: [33, 33, 3] });
    await expectFailure(() => loadWeights(model, golden('tfjs/graph.model')), 'invalid-argument', "padding: 'keras'");
  });
});

describe('of fused nodes', () => {
  const folded = (model: LayersModel): TfjsModel => {
    const { artifacts, weights } = graphModel(foldedLayers(model), 32);
    const { weightSpecs, ...header } = artifacts;
    const json = { ...header, weightsManifest: [{ paths: [SHARD], weights: weightSpecs }] };
    return { json: JSON.parse(JSON.stringify(json)), shard: Uint8Array.from(weights) };
  };

  test('a whole MobileNetV1, its batch norms folded: the same logits', async () => {
    const [from, to] = [narrowNet({ seed: 1 }), narrowNet({ seed: 2 })];
    await loadWeights(to, pickedOf(folded(from)));
    expect(relativeError(outputsOf(to), outputsOf(from))).toBeLessThan(1e-5);
    const torch = narrowNet({ padding: 'torch' });
    await expectFailure(() => loadWeights(torch, pickedOf(folded(from))), 'invalid-argument', "padding: 'same'");
  });

  test.each([
    ['uint8', 1],
    ['uint16', 2],
    ['float16', 2],
  ] as const)('quantised to %s: what tfjs decodes', async (dtype, bytes) => {
    const { json, shard } = folded(narrowNet({ seed: 1 }));
    const [kernel] = json.weightsManifest[0].weights;
    kernel.quantization = { dtype, ...(dtype !== 'float16' && { scale: 0.01, min: -1 }) };
    const size = 3 * 3 * 3 * 2;
    const steps = Uint8Array.from({ length: size * bytes }, (_, i) => (i * 7) & 0x3f);
    const file = { json, shard: Uint8Array.from([...steps, ...shard.subarray(4 * size)]) };
    const { layers } = await readGraphModel(fileOf(file));
    const [first] = layers;
    const values = first?.kind === 'conv' ? [...first.kernel.data] : [];
    expect(values).toHaveLength(size);
    if (dtype === 'uint8') expect(values).toEqual([...Float32Array.from(steps, (step) => step * 0.01 - 1)]);
    if (dtype === 'uint16')
      expect(values).toEqual([...Float32Array.from(new Uint16Array(steps.buffer), (step) => step * 0.01 - 1)]);
    if (dtype === 'float16') expect(values.every((value) => Math.abs(value) < 2)).toBe(true);
  });
});

const random = createRandom(4);
const floats = (...shape: number[]): GraphConstant => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => 0.5 + random.uniform()),
});
const constant = (...values: number[]): GraphConstant => ({ shape: [values.length], data: Float32Array.from(values) });

/** A picture scaled to [-1, 1], a padded convolution, a depthwise one, batch norms in three ways, and a dense layer. */
function smallGraph(): TfjsModel {
  const constants = {
    two: constant(2),
    one: constant(1),
    k1: floats(3, 3, 3, 4),
    scale1: floats(4),
    offset1: floats(1, 1, 1, 4),
    k2: floats(3, 3, 4, 1),
    bias2: floats(4),
    k3: floats(1, 1, 4, 6),
    ...{ gamma: floats(6), beta: floats(6), mean: floats(6), variance: floats(6) },
    k4: floats(3, 6),
    bias4: floats(3),
    pads: { shape: [4, 2], data: Int32Array.of(0, 0, 0, 1, 0, 1, 0, 0) },
    axes: { shape: [2], data: Int32Array.of(1, 2) },
  };
  return graphFile([8, 8, 3], constants, [
    node('doubled', 'Mul', ['two', 'x']),
    node('centred', 'Sub', ['doubled', 'one']),
    node('padded', 'Pad', ['centred', 'pads']),
    node('k1/copy', 'Identity', ['k1']),
    node('conv', 'Conv2D', ['padded', 'k1/copy'], sliding(2, 'VALID')),
    node('scaled', 'Mul', ['conv', 'scale1']),
    node('moved', 'AddV2', ['scaled', 'offset1', '^x']),
    node('relu', 'Relu6', ['moved']),
    node(
      'dw',
      'FusedDepthwiseConv2dNative',
      ['relu', 'k2', 'bias2'],
      sliding(1, 'SAME', { fused_ops: texts('BiasAdd', 'Relu6') }),
    ),
    node('pw', 'Conv2D', ['dw:0', 'k3'], sliding(1, 'SAME')),
    node('bn', 'FusedBatchNormV3', ['pw', 'gamma', 'beta', 'mean', 'variance'], { epsilon: { f: 0.01 } }),
    node('relu3', 'Relu6', ['bn']),
    node('pool', 'Mean', ['relu3', 'axes']),
    node('shape', 'Shape', ['pool']),
    node('flat', 'Reshape', ['pool', 'shape']),
    node('matmul', 'MatMul', ['flat', 'k4'], { transpose_b: { b: true } }),
    node('scores', 'BiasAdd', ['matmul', 'bias4']),
    node('softmax', 'Softmax', ['scores']),
  ]);
}

const smallModel = () =>
  chain(
    [8, 8, 3],
    layers.zeroPadding2d({
      padding: [
        [0, 1],
        [0, 1],
      ],
    }),
    layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'valid', useBias: false, name: 'conv' }),
    layers.batchNormalization({ name: 'conv_bn' }),
    layers.reLU({ maxValue: 6 }),
    layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', name: 'dw' }),
    layers.reLU({ maxValue: 6 }),
    layers.conv2d({ filters: 6, kernelSize: 1, useBias: false, name: 'pw' }),
    layers.batchNormalization({ name: 'pw_bn' }),
    layers.reLU({ maxValue: 6 }),
    layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
    layers.dense({ units: 3, name: 'dense' }),
  );

const read = (file: TfjsModel): Promise<NetworkWeights> => readGraphModel(fileOf(file));

describe('node by node', () => {
  test('kinds, shapes, and where each constant goes', async () => {
    const { layers, inputRange } = await read(smallGraph());
    expect(layers.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'conv conv',
      'batchNorm scaled',
      'depthwise dw',
      'conv pw',
      'batchNorm bn',
      'dense matmul',
    ]);
    expect(layers[1]).toMatchObject({ epsilon: 0, movingMean: { data: new Float32Array(4) } });
    expect(layers[4]).toMatchObject({ epsilon: 0.01 });
    // `[F,C]`, for transpose_b is set.
    expect(layers[5]).toMatchObject({ kernel: { shape: [6, 3] }, bias: { shape: [3] } });
    expect(inputRange).toEqual([-1, 1]);
  });

  test('activations, fused and as nodes of their own', async () => {
    const { layers } = await read(smallGraph());
    expect(layers.map(({ activation }) => activation && describeActivation(activation))).toEqual([
      'no activation',
      'ReLU6',
      'ReLU6',
      'no activation',
      'ReLU6',
      'softmax',
    ]);
  });

  test.each([
    ['Elu', {}, 'elu'],
    ['Tanh', {}, 'tanh'],
    ['Sigmoid', {}, 'sigmoid'],
    ['LeakyRelu', { alpha: { f: 0.1 } }, 'leakyrelu(0.1)'],
    ['Relu', {}, 'ReLU'],
  ])('%s is not taken for ReLU6', async (op, attributes, expected) => {
    const [model, file] = [smallModel(), smallGraph()];
    const own = file.json.modelTopology.node.find(({ name }: { name: string }) => name === 'relu3');
    Object.assign(own, { op, attr: attributes });
    await expectFailure(
      () => loadWeightFile(model, fileOf(file)),
      'invalid-argument',
      `${expected} behind layer 'pw_bn'`,
    );
    const { layers } = await loadWeightFile(model, fileOf(file), { ignoreActivations: true });
    expect(layers).toHaveLength(6);
  });

  test('the graph, calculated by hand', async () => {
    const [model, file] = [smallModel(), smallGraph()];
    await loadWeightFile(model, fileOf(file));
    const { kernel, bias } = (await read(file)).layers.at(-1) as unknown as Record<string, { data: Float32Array }>;
    const [own, added] = model
      .getLayer('dense')
      .getWeights()
      .map((weight) => [...weight.dataSync()]);
    expect([own, added]).toEqual([[...kernel!.data], [...bias!.data]]);
    const values = new Float32Array(file.shard.buffer);
    // two and one, then k1 [3,3,3,4], scale1, offset1.
    const [k1, scale1, offset1] = [values.subarray(2, 110), values.subarray(110, 114), values.subarray(114, 118)];
    expect([...model.getLayer('conv').getWeights()[0]!.dataSync()]).toEqual([...k1]);
    const [gamma, beta, mean, variance] = model
      .getLayer('conv_bn')
      .getWeights()
      .map((weight) => [...weight.dataSync()]);
    expect(gamma).toEqual([...scale1].map((value) => Math.fround(value * Math.sqrt(1 + 1e-3))));
    expect([beta, mean, variance]).toEqual([[...offset1], [0, 0, 0, 0], [1, 1, 1, 1]]);
    // The dense kernel is [F,C] in the graph: k4 begins behind k2, bias2, k3 and four vectors.
    const k4 = values.subarray(118 + 36 + 4 + 24 + 24, 118 + 36 + 4 + 24 + 24 + 18);
    expect(own).toEqual([...k4].map((_, i) => k4[(i % 3) * 6 + Math.floor(i / 3)]));
  });

  test.each<[string, object[], unknown]>([
    ['bytes, scaled', [node('a', 'Mul', ['x', 'scale'])], [0, 2]],
    ['bytes, divided', [node('a', 'RealDiv', ['x', 'half']), node('b', 'Sub', ['a', 'one'])], [-1, 1]],
    ['values from 0 to 1', [node('a', 'Mul', ['two', 'x']), node('b', 'Sub', ['a', 'one'])], [-1, 1]],
    [
      'channel by channel',
      [node('a', 'Sub', ['x', 'means']), node('b', 'Mul', ['a', 'two'])],
      [
        [-1, 1],
        [-2, 0],
        [-0.5, 1.5],
      ],
    ],
    ['nothing', [], undefined],
    ['the wrong way round', [node('a', 'Mul', ['x', 'minus'])], undefined],
  ])('what a graph does with pictures: %s', async (_, nodes, expected) => {
    const constants = {
      kernel: floats(1, 1, 3, 2),
      scale: constant(Math.fround(2 / 255)),
      half: constant(127.5),
      two: constant(2),
      one: constant(1),
      minus: constant(-1),
      means: constant(0.5, 1, 0.25),
    };
    const last = (nodes.at(-1) as { name?: string } | undefined)?.name ?? 'x';
    const { inputRange } = await read(
      graphFile([8, 8, 3], constants, [...nodes, node('c', 'Conv2D', [last, 'kernel'], sliding(1, 'SAME'))]),
    );
    const numbers = (range: unknown) => [range].flat(3) as number[];
    expect(numbers(inputRange)).toHaveLength(numbers(expected).length);
    numbers(inputRange).forEach((value, i) => {
      if (expected === undefined) expect(value).toBeUndefined();
      else expect(value).toBeCloseTo(numbers(expected)[i]!, 5);
    });
  });

  test.each([
    ['SAME', {}, [], 'same'],
    ['EXPLICIT', { explicit_paddings: integers(0, 0, 1, 1, 1, 1, 0, 0) }, [], 'torch'],
    ['VALID', {}, [node('p', 'Pad', ['x', 'one'])], 'torch'],
    ['VALID', {}, [], undefined],
  ] as const)('padding %s %o', async (padding, more, pads, expected) => {
    const constants = {
      kernel: floats(3, 3, 3, 2),
      one: { shape: [4, 2], data: Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0) },
    };
    const input = pads.length > 0 ? 'p' : 'x';
    const file = graphFile([8, 8, 3], constants, [
      ...pads,
      node('c', 'Conv2D', [input, 'kernel'], sliding(2, padding, more)),
    ]);
    expect((await read(file)).padding).toBe(expected);
  });

  test.each([
    ['dilation', [], { dilations: integers(1, 2, 2, 1) }, /node c without dilation, received dilations \[1,2,2,1\]/],
    ['pads of ones', [node('p', 'PadV2', ['x', 'sides', 'one'])], {}, /node p to pad with zeros/],
  ] as const)('%s is refused', async (_, pads, more, message) => {
    const constants = {
      kernel: floats(3, 3, 3, 2),
      sides: { shape: [4, 2], data: Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0) },
      one: constant(1),
    };
    const input = pads.length > 0 ? 'p' : 'x';
    const file = graphFile([8, 8, 3], constants, [
      ...pads,
      node('c', 'Conv2D', [input, 'kernel'], sliding(1, 'VALID', more)),
    ]);
    await expect(read(file)).rejects.toThrow(message);
  });

  test('two biases are one, and an offset behind a batch norm goes into beta', async () => {
    const constants = {
      kernel: floats(1, 1, 3, 2),
      a: constant(1, 2),
      b: constant(10),
      ...{ g: constant(3), o: constant(4, 5) },
    };
    const { layers } = await read(
      graphFile([4, 4, 3], constants, [
        node('c', 'Conv2D', ['x', 'kernel'], sliding(1, 'SAME')),
        node('d', 'BiasAdd', ['c', 'a']),
        node('e', 'Add', ['b', 'd']),
        node('f', 'Mul', ['e', 'g']),
        node('h', 'Sub', ['f', 'o']),
        node('i', 'AddV2', ['h', 'o']),
      ]),
    );
    expect(layers[0]).toMatchObject({ bias: { shape: [2], data: Float32Array.of(11, 12) } });
    expect(layers[1]).toMatchObject({ gamma: { data: Float32Array.of(3, 3) }, beta: { data: Float32Array.of(0, 0) } });
  });

  test('of several outputs the one behind the most kernels', async () => {
    const constants = { kernel: floats(1, 1, 3, 3), other: floats(1, 1, 3, 7) };
    const { layers } = await read(
      graphFile([4, 4, 3], constants, [
        node('early', 'Softmax', ['c']),
        node('c', 'Conv2D', ['x', 'kernel'], sliding(1, 'SAME')),
        node('d', 'Conv2D', ['c', 'other'], sliding(1, 'SAME')),
      ]),
    );
    expect(layers.map(({ name }) => name)).toEqual(['c', 'd']);
  });
});

describe('graphs that are refused', () => {
  const nodesOf = (json: LooseJson) => json.modelTopology.node;
  const named = (json: LooseJson, name: string) => nodesOf(json).find((one: { name: string }) => one.name === name);

  test.each<[string, (json: LooseJson) => unknown, string | RegExp]>([
    ['no nodes', (json) => (json.modelTopology = { node: 3 }), 'the nodes of a graph model'],
    ['a node that is none', (json) => nodesOf(json).push(7), 'nodes that are objects'],
    ['inputs that are none', (json) => (named(json, 'conv').input = [3]), 'name, op, input and attr'],
    ['two nodes of one name', (json) => nodesOf(json).push({ name: 'conv', op: 'Relu' }), 'two of the name conv'],
    ['an input that is not there', (json) => (named(json, 'relu').input = ['gone']), 'the node gone, which relu reads'],
    ['a second output', (json) => (named(json, 'relu').input = ['moved:1']), 'the first output of each node'],
    ['a circle', (json) => (named(json, 'doubled').input = ['two', 'softmax']), 'one through node'],
    ['a sum of two ways', (json) => (named(json, 'moved').input = ['scaled', 'conv']), 'moved (AddV2) with 2 inputs'],
    [
      'an operation of other networks',
      (json) => (named(json, 'pool').op = 'ResizeBilinear'),
      'node pool (ResizeBilinear)',
    ],
    ['no kernels', (json) => (json.modelTopology.node = nodesOf(json).slice(0, 3)), 'without any'],
    [
      'a kernel that is calculated',
      (json) => (named(json, 'conv').input = ['padded', 'relu3']),
      /chain|circle|constant/,
    ],
    [
      'an unknown activation',
      (json) => (named(json, 'dw').attr.fused_ops = texts('BiasAdd', 'Prelu')),
      'received Prelu',
    ],
    ['an activation that is no text', (json) => (named(json, 'dw').attr.fused_ops.list.s[1] = '%'), 'received another'],
    ['channels first', (json) => (named(json, 'conv').attr.data_format = text('NCHW')), 'NHWC, received NCHW'],
    ['a stride of 0', (json) => (named(json, 'conv').attr.strides = integers(1, 0, 0, 1)), 'strides of node conv'],
    [
      'a kernel of two axes',
      (json) => (json.weightsManifest[0].weights[2].shape = [27, 4]),
      'a kernel of 4 axes in node conv',
    ],
    ['a scale of another length', (json) => (named(json, 'scaled').input = ['conv', 'gamma']), '4 values, or one'],
    [
      'an offset behind an activation',
      (json) => {
        named(json, 'dw').input[0] = 'late';
        nodesOf(json).push(node('late', 'Add', ['relu', 'one']));
      },
      'node late',
    ],
    [
      'pictures scaled behind an activation',
      (json) => {
        named(json, 'centred').input[0] = 'early';
        nodesOf(json).push(node('early', 'Relu', ['doubled']));
      },
      'node centred',
    ],
    ['pads of floats', (json) => (named(json, 'padded').input = ['centred', 'k4']), 'k4 to be int32'],
    ['a path out of the folder', (json) => (json.weightsManifest[0].paths = ['..\\x']), 'stay in the folder'],
  ])('%s', async (_, edit, message) => {
    const file = smallGraph();
    edit(file.json);
    const model = smallModel();
    await expectFailure(() => loadWeightFile(model, fileOf(file)), 'invalid-data', message);
  });
});

const seed = 6;
describe(`2,500 damaged files are read or refused (seed ${seed})`, () => {
  test('JSON', async () => {
    const [model, { json, shard }] = [smallModel(), smallGraph()];
    const mutate = (_: Uint8Array, random: Random) => encode(mutateJson(json, random));
    const readFile = (bytes: Uint8Array<ArrayBuffer>) => loadWeightFile(model, { ...fileOf({ json, shard }), bytes });
    const refused = await fuzz(encode(json), readFile, { seed, count: 2000, mutate });
    expect(refused).toBeGreaterThan(600);
    expect(refused).toBeLessThan(1800);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test('bytes', async () => {
    const [model, file] = [smallModel(), smallGraph()];
    const readFile = (bytes: Uint8Array<ArrayBuffer>) => loadWeightFile(model, { ...fileOf(file), bytes });
    expect(await fuzz(encode(file.json), readFile, { seed, count: 500, mutate: mutateBytes })).toBeGreaterThan(400);
  });
});
