import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { exportSafetensors } from '../../src/formats/exportSafetensors';
import { loadWeights } from '../../src/formats/loadWeights';
import { encodeFloat16 } from '../../src/io/float16';
import { type Float32Values, readSafetensors, writeSafetensors } from '../../src/io/safetensors';
import { setModelMetadata } from '../../src/model/metadata';
import { createRandom } from '../../src/random';
import { chain, randomizeWeights } from '../graph/chains';
import { expectFailure } from '../io/models';
import { fuzz, type mutateBytes } from './mutate';
import { mutateJson } from './mutateJson';
import { bitsOf, narrowNet, outputsOf, relativeError } from './networks';
import { type Bytes, headerOf, withHeader } from './safetensorsFiles';

beforeAll(() => setBackend('cpu'));

const tensorsOf = (bytes: Bytes) => readSafetensors(bytes, 'file').tensors as Map<string, Float32Values>;

/** The file again, its tensors under other names, and in the order of those. */
function renamed(bytes: Bytes, rename: (name: string) => string): Bytes {
  const entries = [...tensorsOf(bytes)].map(([name, { shape, data }]) => [rename(name), { shape, data }] as const);
  return writeSafetensors(new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** A chain of every kind of layer, none of them named after its place. */
function mixedChain(): LayersModel {
  return chain(
    [7, 7, 2],
    layers.conv2d({ filters: 3, kernelSize: [3, 2], strides: 2, padding: 'valid', name: 'zebra' }),
    layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, useBias: false, name: 'ant' }),
    layers.batchNormalization({ name: 'norm_b', epsilon: 0.02 }),
    layers.reLU({ name: 'relu' }),
    layers.conv2d({ filters: 4, kernelSize: 1, useBias: false, name: 'bee' }),
    layers.batchNormalization({ name: 'norm_a', scale: false, epsilon: 0.3 }),
    layers.flatten({ name: 'flat' }),
    layers.dense({ units: 3, name: 'dense' }),
  );
}

describe('our own files, and back', () => {
  test.each(['timm', 'keras'] as const)(
    '%s: a MobileNetV1, every bit, with the tensors in any order',
    async (layout) => {
      const from = narrowNet({ seed: 1, padding: 'keras', inputShape: [33, 33, 3] });
      setModelMetadata(from, { inputRange: [0, 1] });
      const bytes = await exportSafetensors(from, { layout });
      const { metadata } = readSafetensors(bytes, 'file');
      const random = createRandom(2);
      const shuffled = [...tensorsOf(bytes)].toSorted(() => random.uniform() - 0.5);
      for (const file of [bytes, writeSafetensors(new Map(shuffled), metadata)]) {
        const to = narrowNet({ seed: 2, padding: 'keras', inputShape: [33, 33, 3] });
        expect(await loadWeights(to, file)).toMatchObject({ format: 'safetensors', skipped: [], inputRange: [0, 1] });
        expect(bitsOf(to)).toEqual(bitsOf(from));
      }
      const other = narrowNet({ padding: 'same', inputShape: [33, 33, 3] });
      await expectFailure(() => loadWeights(other, bytes), 'invalid-argument', "padding: 'keras'");
    },
  );

  test.each([
    { depthMultiplier: 2 },
    { includeTop: false },
    { includeTop: false, pooling: 'max' },
    { inputShape: [40, 37, 1], classes: 1 },
    { batchNormEpsilon: 0.1, padding: 'torch' },
  ] as const)('timm, with %o', async (options) => {
    const [from, to] = [narrowNet({ seed: 1, ...options }), narrowNet({ seed: 2, ...options })];
    await loadWeights(to, await exportSafetensors(from));
    expect(bitsOf(to)).toEqual(bitsOf(from));
  });

  test('keras, any chain, whose layers the metadata has in their order', async () => {
    const [from, to] = [mixedChain(), mixedChain()];
    randomizeWeights(from, createRandom(1));
    const bytes = await exportSafetensors(from, { layout: 'keras' });
    const sorted = writeSafetensors(new Map([...tensorsOf(bytes)].sort()), readSafetensors(bytes, 'f').metadata);
    const { layers: names } = await loadWeights(to, sorted);
    expect(names).toEqual(['zebra', 'ant', 'norm_b', 'bee', 'norm_a', 'dense']);
    expect(bitsOf(to)).toEqual(bitsOf(from));
  });

  test('keras: layers of nested models that share a name are refused, for one would take the place of the other', async () => {
    const inner = (size: number, kernelSize: number) =>
      chain([size, size, 3], layers.conv2d({ filters: 3, kernelSize, name: 'conv' }));
    const nested = sequential({ layers: [inner(5, 3), inner(3, 1)] });
    await expectFailure(
      () => exportSafetensors(nested, { layout: 'keras' }),
      'invalid-argument',
      'exportSafetensors: expected a model whose layers have different names',
      'received two layers named conv. Give the layers',
    );
  });

  test('keras, without metadata: the names of a MobileNetV1 tell the order', async () => {
    const [from, to] = [narrowNet({ seed: 1 }), narrowNet({ seed: 2 })];
    await loadWeights(
      to,
      renamed(await exportSafetensors(from, { layout: 'keras' }), (name) => name.replace('/', '.')),
    );
    expect(bitsOf(to)).toEqual(bitsOf(from));
  });

  test('a dense classifier of a model goes into the 1x1 convolution of another', async () => {
    const from = narrowNet({ seed: 1, includeTop: false, pooling: 'avg' });
    const bytes = await exportSafetensors(from);
    const to = narrowNet({ seed: 2, classes: 3 });
    expect((await loadWeights(to, bytes, { head: 'skip' })).skipped).toEqual(['conv_preds']);
  });
});

describe("PyTorch's names", () => {
  /** timm's names in the ways of others. */
  const styles: Record<string, (name: string) => string> = {
    'a wrapped module': (name) => `module.model.${name}`,
    // https://github.com/kuangliu/pytorch-cifar
    'conv1, bn1, layers.N, linear': (name) =>
      name
        .replace(/^conv_stem/, 'conv1')
        .replace(/^blocks\.(\d)\.(\d)/, (_, stage, block) => `layers.${blockNumber(stage, block)}`)
        .replace('conv_dw', 'conv1')
        .replace('conv_pw', 'conv2')
        .replace('classifier', 'linear'),
    // https://github.com/marvis/pytorch-mobilenet
    'Sequential of Sequential': (name) =>
      name
        .replace(/^conv_stem/, 'model.0.0')
        .replace(/^bn1/, 'model.0.1')
        .replace(/^blocks\.(\d)\.(\d)/, (_, stage, block) => `model.${blockNumber(stage, block) + 1}`)
        .replace('conv_dw', '0')
        .replace('.bn1', '.1')
        .replace('conv_pw', '3')
        .replace('.bn2', '.4')
        .replace('classifier', 'fc'),
    'containers named by what they do': (name) =>
      name
        .replace(/^conv_stem/, 'stem.conv')
        .replace(/^bn1/, 'stem.norm')
        .replace('conv_dw', 'depthwise.conv')
        .replace('.bn1', '.depthwise.norm')
        .replace('conv_pw', 'pointwise.conv')
        .replace('.bn2', '.pointwise.norm')
        .replace('blocks', 'features')
        .replace('classifier', 'head.fc'),
  };
  const blockNumber = (stage: string, block: string) => [0, 1, 3, 5, 11][Number(stage)]! + Number(block);

  test.each(Object.keys(styles))('%s: the names tell the order', async (style) => {
    const options = { padding: 'torch', batchNormEpsilon: 1e-5 } as const;
    const [from, to] = [narrowNet({ seed: 1, ...options }), narrowNet({ seed: 2, ...options })];
    await loadWeights(to, renamed(await exportSafetensors(from), styles[style]!));
    expect(bitsOf(to)).toEqual(bitsOf(from));
  });

  test('a convolution of its own before the classifier, as in mobilenetv1_100h', async () => {
    const build = () =>
      chain(
        [4, 4, 3],
        layers.conv2d({ filters: 4, kernelSize: 3, useBias: false }),
        layers.batchNormalization({ epsilon: 1e-5 }),
        layers.depthwiseConv2d({ kernelSize: 2, useBias: false }),
        layers.batchNormalization({ epsilon: 1e-5 }),
        layers.conv2d({ filters: 4, kernelSize: 1, useBias: false }),
        layers.batchNormalization({ epsilon: 1e-5 }),
        layers.conv2d({ filters: 4, kernelSize: 1, useBias: false }),
        layers.batchNormalization({ epsilon: 1e-5 }),
        layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
        layers.dense({ units: 2 }),
      );
    const [from, to] = [build(), build()];
    randomizeWeights(from, createRandom(1));
    const names = ['conv_stem', 'bn1', 'blocks.0.0.conv_dw', 'blocks.0.0.bn1', 'blocks.0.0.conv_pw', 'blocks.0.0.bn2'];
    const bytes = torchFile(from, [...names, 'conv_head', 'bn2', 'classifier']);
    await loadWeights(to, bytes);
    expect([...bitsOf(to).values()]).toEqual([...bitsOf(from).values()]);
  });

  test('a dense layer behind a flattened map: PyTorch flattens channel by channel', async () => {
    const model = chain(
      [2, 3, 4],
      layers.conv2d({ filters: 2, kernelSize: 1, name: 'c' }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    );
    const linear = Float32Array.from({ length: 24 }, (_, i) => i);
    const bytes = writeSafetensors(
      new Map([
        ['0.weight', { shape: [2, 4, 1, 1], data: new Float32Array(8) }],
        ['0.bias', { shape: [2], data: new Float32Array(2) }],
        ['1.weight', { shape: [2, 12], data: linear }],
        ['1.bias', { shape: [2], data: new Float32Array(2) }],
      ]),
    );
    await loadWeights(model, bytes);
    const kernel = model.layers.at(-1)!.getWeights()[0]!.arraySync() as number[][];
    for (let unit = 0; unit < 2; unit++) {
      for (let channel = 0; channel < 2; channel++) {
        for (let pixel = 0; pixel < 6; pixel++) {
          expect(kernel[pixel * 2 + channel]![unit]).toBe(linear[unit * 12 + channel * 6 + pixel]);
        }
      }
    }
  });

  test.each(['F16', 'BF16'])('%s', async (dtype) => {
    const from = narrowNet({ seed: 1, padding: 'torch' });
    const tensors = tensorsOf(await exportSafetensors(from));
    let end = 0;
    const entries = [...tensors].map(([name, { shape, data }]) => {
      const begin = end;
      end += 2 * data.length;
      return [name, { dtype, shape, data_offsets: [begin, end] }] as const;
    });
    const half = (data: Float32Array) =>
      dtype === 'F16'
        ? encodeFloat16(data)
        : Uint16Array.from(new Uint32Array(Float32Array.from(data).buffer), (bits) => bits >>> 16);
    const values = Buffer.concat([...tensors.values()].map(({ data }) => new Uint8Array(half(data).buffer)));
    const to = narrowNet({ padding: 'torch', batchNormEpsilon: 1e-5 });
    await loadWeights(to, withHeader(Object.fromEntries(entries), values));
    const error = relativeError([...to.getWeights()[0]!.dataSync()], [...from.getWeights()[0]!.dataSync()]);
    expect(error).toBeLessThan(dtype === 'F16' ? 2 ** -11 : 2 ** -7);
  });

  /** A file of a chain under the names of modules, one for each layer that has weights. */
  function torchFile(model: LayersModel, names: readonly string[]): Bytes {
    const weighted = model.layers.filter((layer) => layer.weights.length > 0);
    const parts = { kernel: 'weight', depthwise_kernel: 'weight', gamma: 'weight', bias: 'bias', beta: 'bias' };
    const statistics = { moving_mean: 'running_mean', moving_variance: 'running_var' };
    const entries = weighted.flatMap((layer, i) =>
      layer.weights.map((weight) => {
        const kind = weight.originalName.split('/').at(-1)! as keyof typeof parts | keyof typeof statistics;
        const name = `${names[i]}.${{ ...parts, ...statistics }[kind]}`;
        return [name, turned(weight.shape as number[], Float32Array.from(weight.read().dataSync()), kind)] as const;
      }),
    );
    return writeSafetensors(new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1))));
  }

  function turned(shape: number[], data: Float32Array, kind: string): Float32Values {
    if (shape.length === 1) return { shape, data };
    const [height, width, channels, last] = shape.length === 2 ? [1, 1, ...shape] : shape;
    const isDepthwise = kind === 'depthwise_kernel';
    const [filters, inputs] = isDepthwise ? [channels! * last!, 1] : [last!, channels!];
    const target = new Float32Array(data.length);
    for (let tap = 0; tap < height! * width!; tap++) {
      for (let c = 0; c < inputs; c++) {
        for (let f = 0; f < filters; f++) {
          target[(f * inputs + c) * height! * width! + tap] = data[(tap * inputs + c) * filters + f]!;
        }
      }
    }
    return { shape: shape.length === 2 ? [filters, inputs] : [filters, inputs, height!, width!], data: target };
  }
});

describe('files that are refused', () => {
  const tensor = (...shape: number[]): Float32Values => ({
    shape,
    data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
  });
  const own = (json: unknown) => ({ 'mobilenet-v1-ts': JSON.stringify(json) });
  const norm = {
    'bn.weight': tensor(4),
    'bn.bias': tensor(4),
    'bn.running_mean': tensor(4),
    'bn.running_var': tensor(4),
  };

  test.each<[string, Record<string, Float32Values>, Record<string, string>, string | RegExp]>([
    [
      'a grouped convolution',
      { '0.weight': tensor(4, 3, 1, 1), '1.weight': tensor(4, 2, 3, 3) },
      {},
      /1 to read the 4 channels/,
    ],
    [
      'names without an order',
      { 'b.weight': tensor(4, 3, 1, 1), 'a.weight': tensor(2, 4, 1, 1) },
      {},
      /must tell which comes first/,
    ],
    ['a convolution of three axes', { '0.weight': tensor(4, 3, 1) }, {}, '0.weight, received [4,3,1]'],
    ['a bias alone', { '0.bias': tensor(4) }, {}, 'a bias alone'],
    ['a bias of another length', { '0.weight': tensor(4, 3), '0.bias': tensor(3) }, {}, '4 values in 0.bias'],
    ['other tensors', { '0.weight': tensor(4, 3), '0.weight_g': tensor(4) }, {}, '0.weight_g'],
    ['a batch norm without variance', { 'bn.running_mean': tensor(4) }, {}, 'bn.running_var'],
    ['a batch norm of two lengths', { ...norm, 'bn.bias': tensor(3) }, {}, '4 values in each tensor of bn'],
    ['a batch norm of other channels', { '0.weight': tensor(3, 3, 1, 1), ...norm }, {}, 'fit one behind the other'],
    [
      'names of Keras and others',
      { 'a/kernel': tensor(4, 3), b: tensor(2) },
      {},
      "tensors of Keras's names, received b",
    ],
    ['a kernel of three axes', { 'a/kernel': tensor(4, 3, 1) }, {}, '2 or 4 axes in a'],
    ['a layer without kernel', { 'a/kernel': tensor(4, 3), 'b/bias': tensor(2) }, {}, 'a kernel of layer b'],
    [
      'a mean without variance',
      { 'a/kernel': tensor(4, 3), 'b/moving_mean': tensor(3) },
      {},
      'moving_variance of layer b',
    ],
    ['metadata that is no JSON', {}, { 'mobilenet-v1-ts': '{' }, /JSON under mobilenet-v1-ts/],
    ['metadata without epsilons', {}, own({ padding: 'same' }), /layers, epsilons, strides, dilations and padding/],
    [
      'metadata of an unknown padding',
      {},
      own({ epsilons: [], padding: 'valid' }),
      /layers, epsilons, strides, dilations and padding/,
    ],
    ['metadata of strides that are no pairs', {}, own({ epsilons: [], strides: [[1]] }), /layers, epsilons, strides/],
    [
      'metadata of the strides of others',
      { 'a/kernel': tensor(4, 3) },
      own({ epsilons: [], strides: [] }),
      /strides of 1/,
    ],
    ['metadata of a negative epsilon', {}, own({ epsilons: [-1] }), /layers, epsilons, strides, dilations and padding/],
    [
      'metadata of other layers',
      { 'a/kernel': tensor(4, 3) },
      own({ epsilons: [], layers: ['b'] }),
      'tensors of layer b',
    ],
    [
      'metadata of more layers',
      { 'a/kernel': tensor(4, 3) },
      own({ epsilons: [], layers: ['a', 'a'] }),
      'of the 2 layers',
    ],
  ])('%s', async (_, tensors, metadata, text) => {
    const bytes = writeSafetensors(new Map(Object.entries(tensors)), metadata);
    const model = narrowNet();
    await expectFailure(() => loadWeights(model, bytes), 'invalid-data', text);
  });

  test.each(['1a', '_dw1', 'conv_stem.'])('a name of a million letters, %s, is no more work than any', async (part) => {
    const name = part.repeat(1e6 / part.length);
    const model = narrowNet();
    const tensors = [`${name}1.weight`, `${name}2.weight`].map((one) => [one, tensor(2, 2)] as const);
    const bytes = writeSafetensors(new Map(tensors));
    const start = performance.now();
    const failure = loadWeights(model, bytes).catch((error: Error) => error);
    expect(((await failure) as Error).message.length).toBeLessThan(3e6);
    expect(performance.now() - start).toBeLessThan(3000);
  });

  test.each(['0.weight', 'a/kernel'])('integers for weights: %s', async (name) => {
    const model = narrowNet();
    const bytes = withHeader({ [name]: { dtype: 'I32', shape: [1], data_offsets: [0, 4] } }, new Uint8Array(4));
    await expectFailure(() => loadWeights(model, bytes), 'invalid-data', `${name} to be of floats, received I32`);
  });
});

describe('exporting', () => {
  test.each([
    [{ layout: 'torch' }, /layout to be 'timm', 'keras'/],
    [{ epsilon: 0 }, /epsilon to be a number above 0/],
    [{ epsilon: '1' }, /epsilon to be a number above 0/],
  ])('refuses %o', async (options, text) => {
    const model = narrowNet();
    await expectFailure(() => exportSafetensors(model, options as object), 'invalid-argument', text);
  });

  test("timm's layout takes MobileNetV1 only, and says which layer is another", async () => {
    const mixed = mixedChain();
    await expectFailure(() => exportSafetensors(mixed), 'invalid-argument', "layout: 'keras'", '4 kernels, not 27');
    const relu = narrowNet();
    // A clamp that timm's network has not.
    relu.getLayer('conv_pw_3_relu').getConfig = () => ({ maxValue: 20 });
    await expectFailure(() => exportSafetensors(relu), 'invalid-argument', "layer 'conv_pw_3'");
  });

  test('another epsilon: gamma is scaled, and nothing else', async () => {
    const from = narrowNet({ seed: 1 });
    const [plain, scaled] = [await exportSafetensors(from), await exportSafetensors(from, { epsilon: 1e-5 })].map(
      tensorsOf,
    );
    for (const [name, { data }] of scaled!) {
      const before = plain!.get(name)!.data;
      if (!/bn\d\.weight$/.test(name)) {
        expect(data).toEqual(before);
        continue;
      }
      const variance = plain!.get(name.replace('weight', 'running_var'))!.data;
      expect([...data]).toEqual(
        [...before].map((gamma, c) => Math.fround(gamma * Math.sqrt((variance[c]! + 1e-5) / (variance[c]! + 1e-3)))),
      );
    }
    const to = narrowNet({ batchNormEpsilon: 1e-5 });
    await loadWeights(to, await exportSafetensors(from, { epsilon: 1e-5 }));
    expect(relativeError(outputsOf(to), outputsOf(from))).toBeLessThan(1e-5);
  });

  test('another epsilon where the batch norm has no gamma: it gets one', async () => {
    const model = chain(
      [4, 4, 2],
      layers.conv2d({ filters: 2, kernelSize: 1, name: 'c' }),
      layers.batchNormalization({ name: 'bn', scale: false }),
    );
    expect([...tensorsOf(await exportSafetensors(model, { layout: 'keras' })).keys()]).not.toContain('bn/gamma');
    const { data } = tensorsOf(await exportSafetensors(model, { layout: 'keras', epsilon: 1 })).get('bn/gamma')!;
    expect([...data]).toEqual(Array(2).fill(Math.fround(Math.sqrt(2 / 1.001))));
  });
});

const seed = 5;
describe(`3,000 damaged files are read or refused, whatever the damage (seed ${seed})`, () => {
  const build = () =>
    chain(
      [8, 8, 3],
      layers.conv2d({ filters: 4, kernelSize: 3, useBias: false, name: 'conv1' }),
      layers.batchNormalization({ name: 'conv1_bn' }),
      layers.depthwiseConv2d({ kernelSize: 3, useBias: false, name: 'conv_dw_1' }),
      layers.conv2d({ filters: 2, kernelSize: 1, name: 'conv_preds' }),
    );

  test('bytes, headers and metadata', async () => {
    const model = build();
    const keras = await exportSafetensors(model, { layout: 'keras' });
    const header = headerOf(keras) as { __metadata__: { 'mobilenet-v1-ts': string } };
    const values = keras.slice(
      keras.length - [...tensorsOf(keras).values()].reduce((sum, { data }) => sum + data.byteLength, 0),
    );
    const own = JSON.parse(header.__metadata__['mobilenet-v1-ts']);
    const timm = await exportSafetensors(narrowNet({ alpha: 1 / 32, seed: 1 }));
    const read = (bytes: Bytes) => loadWeights(model, bytes, { ignorePadding: true, head: 'skip' });

    const refused = await fuzz(keras, read, { seed, count: 1000 });
    expect(refused).toBeGreaterThan(300);
    const headers = (_: Bytes, random: Parameters<typeof mutateBytes>[1]) =>
      withHeader(mutateJson(header, random), values);
    expect(await fuzz(keras, read, { seed, count: 1000, mutate: headers })).toBeGreaterThan(500);
    const metadata = (_: Bytes, random: Parameters<typeof mutateBytes>[1]) =>
      withHeader({ ...header, __metadata__: { 'mobilenet-v1-ts': JSON.stringify(mutateJson(own, random)) } }, values);
    expect(await fuzz(keras, read, { seed, count: 800, mutate: metadata })).toBeGreaterThan(100);
    expect(await fuzz(timm, read, { seed, count: 200 })).toBe(200);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
