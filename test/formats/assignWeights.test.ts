import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, model as modelOf, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { type AssignWeightsOptions, assignWeights } from '../../src/formats/assignWeights';
import type { NetworkWeights, Values, WeightedLayer } from '../../src/formats/networkWeights';
import { foldBatchNorm } from '../../src/graph/foldBatchNorm';
import { readStages } from '../../src/graph/readStages';
import { createRandom } from '../../src/random';
import { chain, graphOf, randomizeWeights } from '../graph/chains';
import { footprint } from '../io/models';
import { bitsOf, narrowNet, outputsOf, relativeError } from './networks';

beforeAll(() => setBackend('cpu'));

/** What a reader would make of a file of that model. */
function weightsOf(model: LayersModel): WeightedLayer[] {
  const chained = model.layers.flatMap((layer) => ('layers' in layer ? (layer.layers as layers.Layer[]) : [layer]));
  return chained.flatMap((layer): WeightedLayer[] => {
    const own = Object.fromEntries(
      layer.weights.map((weight): [string, Values] => {
        const data = Float32Array.from(weight.read().dataSync());
        return [weight.originalName.split('/').at(-1)!, { shape: weight.shape as number[], data }];
      }),
    );
    const { kernel, depthwise_kernel, bias, gamma, beta, moving_mean, moving_variance } = own;
    const name = `file_${layer.name}`;
    if (depthwise_kernel) return [{ kind: 'depthwise', name, kernel: depthwise_kernel, bias }];
    if (kernel) return [{ kind: kernel.shape.length === 2 ? 'dense' : 'conv', name, kernel, bias }];
    if (!moving_mean || !moving_variance) return [];
    const { epsilon } = layer.getConfig() as { epsilon: number };
    return [
      { kind: 'batchNorm', name, gamma, beta, movingMean: moving_mean, movingVariance: moving_variance, epsilon },
    ];
  });
}

const fileOf = (list: readonly WeightedLayer[], more: Partial<NetworkWeights> = {}): NetworkWeights => ({
  format: 'onnx',
  where: 'a/file',
  layers: list,
  ...more,
});

/** The layers as a file has them whose batch norms were folded. */
function foldedWeights(model: LayersModel): WeightedLayer[] {
  const read = readStages(model, { anyOutput: true });
  if ('unsupported' in read) throw new Error('unsupported');
  const values = model.weights.map((weight) => weight.read().dataSync());
  const { stages } = foldBatchNorm(read.graph, values);
  return stages.flatMap((stage): WeightedLayer[] => {
    if (stage.kind === 'pool') return [];
    const { kernelHeight, kernelWidth } = stage.window;
    const channels = stage.input.channels;
    const last = stage.kind === 'conv' ? stage.output.channels : stage.multiplier;
    const kernel = { shape: [kernelHeight, kernelWidth, channels, last], data: stage.kernel };
    const bias = { shape: [stage.output.channels], data: stage.bias };
    return [{ kind: stage.kind, name: `folded_${stage.name}`, kernel, bias }];
  });
}

const random = (size: number, seed: number) => {
  const source = createRandom(seed);
  return Float32Array.from({ length: size }, () => source.normal());
};
const values = (shape: number[], seed: number): Values => ({
  shape,
  data: random(
    shape.reduce((product, size) => product * size, 1),
    seed,
  ),
});

function refused(
  model: LayersModel,
  weights: NetworkWeights,
  options: AssignWeightsOptions,
  ...texts: (string | RegExp)[]
) {
  const [bits, before] = [bitsOf(model), footprint()];
  const act = () => assignWeights(model, weights, options);
  expect(act).toThrow(expect.objectContaining({ name: 'MobilenetError', code: 'invalid-argument' }));
  for (const text of texts) expect(act).toThrow(text);
  expect([bitsOf(model), footprint()]).toEqual([bits, before]);
}

describe('by position and kind', () => {
  test('every weight of a MobileNetV1, whatever its name', () => {
    const [from, to] = [narrowNet({ seed: 1 }), narrowNet({ seed: 2 })];
    const before = footprint();
    const { layers, skipped } = assignWeights(to, fileOf(weightsOf(from)));
    expect(bitsOf(to)).toEqual(bitsOf(from));
    expect(layers).toEqual(from.layers.flatMap(({ name, weights }) => (weights.length > 0 ? name : [])));
    expect(skipped).toEqual([]);
    expect(footprint()).toEqual(before);
  });

  test('a dense layer and a 1x1 convolution are one, both ways', () => {
    const pooling = () => layers.globalAveragePooling2d({ dataFormat: 'channelsLast' });
    const dense = chain([4, 4, 6], pooling(), layers.dense({ units: 3 }));
    const conv = chain(
      [4, 4, 6],
      pooling(),
      layers.reshape({ targetShape: [1, 1, 6] }),
      layers.conv2d({ filters: 3, kernelSize: 1 }),
    );
    randomizeWeights(dense, createRandom(3));
    assignWeights(conv, fileOf(weightsOf(dense)));
    const flat = (model: LayersModel) => [...bitsOf(model).values()];
    expect(flat(conv)).toEqual(flat(dense));
    randomizeWeights(conv, createRandom(4));
    assignWeights(dense, fileOf(weightsOf(conv)));
    expect(flat(dense)).toEqual(flat(conv));
  });

  test('a depthwise convolution of one channel is a convolution', () => {
    const model = chain([4, 4, 1], layers.conv2d({ filters: 5, kernelSize: 3, name: 'conv' }));
    const kernel = values([3, 3, 1, 5], 5);
    assignWeights(model, fileOf([{ kind: 'depthwise', name: 'dw', kernel, bias: values([5], 6) }]));
    expect([...model.weights[0]!.read().dataSync()]).toEqual([...kernel.data]);
  });

  test('models inside of the model, any chain of any kernels', () => {
    const build = () => {
      const inner = chain(
        [8, 8, 4],
        layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
        layers.batchNormalization(),
      );
      const picture = input({ shape: [8, 8, 2] });
      const features = layers.conv2d({ filters: 4, kernelSize: [1, 1], activation: 'relu' }).apply(picture);
      const flat = layers.flatten().apply(inner.apply(features as SymbolicTensor) as SymbolicTensor);
      const output = layers.dense({ units: 3, activation: 'sigmoid' }).apply(flat);
      return modelOf({ inputs: picture, outputs: output as SymbolicTensor });
    };
    const [from, to] = [build(), build()];
    randomizeWeights(from, createRandom(7));
    assignWeights(to, fileOf(weightsOf(from)));
    expect([...bitsOf(to).values()]).toEqual([...bitsOf(from).values()]);
  });

  test('a batch norm without scale and centre takes one that has them and does nothing with them', () => {
    const build = (scale: boolean) =>
      chain(
        [4, 4, 2],
        layers.conv2d({ filters: 3, kernelSize: 1 }),
        layers.batchNormalization({ scale, center: scale, name: 'bn' }),
      );
    const [with_, without] = [build(true), build(false)];
    assignWeights(without, fileOf(weightsOf(with_)));
    randomizeWeights(with_, createRandom(8));
    refused(without, fileOf(weightsOf(with_)), {}, 'batch norm');
    randomizeWeights(without, createRandom(9));
    assignWeights(with_, fileOf(weightsOf(without)));
    expect(relativeError(outputsOf(with_), outputsOf(without))).toBeLessThan(1e-6);
  });

  test("the file's own array stays its own", () => {
    const model = chain([4, 4, 2], layers.conv2d({ filters: 3, kernelSize: 1, useBias: false }));
    const kernel = values([1, 1, 2, 3], 5);
    assignWeights(model, fileOf([{ kind: 'conv', name: 'c', kernel }]));
    const before = [...model.weights[0]!.read().dataSync()];
    kernel.data.fill(0);
    expect([...model.weights[0]!.read().dataSync()]).toEqual(before);
  });
});

describe('batch norms that were folded', () => {
  test.each([1e-3, 1e-5, 1e-7, 0.1, 0.7])(
    'epsilon %f: folding gives the kernels and biases of the file, bit by bit',
    (batchNormEpsilon) => {
      const folded = foldedWeights(narrowNet({ seed: 1 }));
      const model = narrowNet({ seed: 2, batchNormEpsilon });
      const { layers, skipped } = assignWeights(model, fileOf(folded));
      expect([layers.length, skipped]).toEqual([55, []]);
      const again = foldedWeights(model);
      expect(again.map((layer) => 'kernel' in layer && layer.kernel)).toEqual(
        folded.map((layer) => 'kernel' in layer && layer.kernel),
      );
      expect(again.map((layer) => 'bias' in layer && layer.bias)).toEqual(
        folded.map((layer) => 'bias' in layer && layer.bias),
      );
    },
  );

  test('gamma 1, beta the bias, mean 0', () => {
    const model = narrowNet();
    const folded = foldedWeights(narrowNet({ seed: 1 }));
    assignWeights(model, fileOf(folded));
    const [gamma, beta, mean, variance] = model
      .getLayer('conv_dw_1_bn')
      .getWeights()
      .map((weight) => [...weight.dataSync()]);
    expect(gamma).toEqual([1, 1]);
    expect(beta).toEqual([...(folded[1] as { bias: Values }).bias.data]);
    expect([mean, variance]).toEqual([[0, 0], Array(2).fill(Math.fround(1 - 1e-3))]);
  });

  test('a model without beta gets the bias as its mean', () => {
    const build = (settings: object) =>
      chain(
        [4, 4, 2],
        layers.conv2d({ filters: 3, kernelSize: 1, useBias: false }),
        layers.batchNormalization(settings),
      );
    const model = build({ center: false, scale: false });
    const file = [{ kind: 'conv', name: 'c', kernel: values([1, 1, 2, 3], 1), bias: values([3], 2) }] as const;
    assignWeights(model, fileOf(file));
    const plain = chain([4, 4, 2], layers.conv2d({ filters: 3, kernelSize: 1 }));
    assignWeights(plain, fileOf(file));
    expect(relativeError(outputsOf(model), outputsOf(plain))).toBeLessThan(1e-6);
  });

  test('an activation before the batch norm is not stepped over', () => {
    const model = chain(
      [4, 4, 2],
      layers.conv2d({ filters: 3, kernelSize: 1, useBias: false, activation: 'relu' }),
      layers.batchNormalization(),
    );
    const file: WeightedLayer = { kind: 'conv', name: 'c', kernel: values([1, 1, 2, 3], 1), bias: values([3], 2) };
    refused(model, fileOf([file]), {}, 'c (conv [1,1,2,3], bias)');
  });
});

describe('what is made up for', () => {
  const build = (useBias: boolean, epsilon: number) =>
    chain(
      [4, 4, 2],
      layers.conv2d({ filters: 3, kernelSize: 3, useBias, name: 'conv' }),
      layers.batchNormalization({ epsilon, name: 'bn' }),
    );

  test('a bias before a batch norm goes into its mean', () => {
    const [from, to] = [build(true, 1e-3), build(false, 1e-3)];
    randomizeWeights(from, createRandom(1));
    assignWeights(to, fileOf(weightsOf(from)));
    expect(relativeError(outputsOf(to), outputsOf(from))).toBeLessThan(2e-6);
    const bias = from.getLayer('conv').getWeights()[1]!.dataSync();
    const [, , mean] = from.getLayer('bn').getWeights();
    const expected = mean!.dataSync().map((value, c) => value - bias[c]!);
    expect([...to.getLayer('bn').getWeights()[2]!.dataSync()]).toEqual([...expected]);
  });

  test('a bias that the file has not is 0', () => {
    const [from, to] = [build(false, 1e-3), build(true, 1e-3)];
    randomizeWeights(from, createRandom(1));
    randomizeWeights(to, createRandom(2));
    assignWeights(to, fileOf(weightsOf(from)));
    expect(outputsOf(to)).toEqual(outputsOf(from));
  });

  test.each([
    [1e-5, 1e-3],
    [1e-3, 1e-5],
    [0, 0.5],
  ])('an epsilon of %f in the file, %f in the model: gamma is scaled, the statistics stay', (fileEpsilon, epsilon) => {
    const [from, to] = [build(false, epsilon), build(false, epsilon)];
    randomizeWeights(from, createRandom(1));
    const file = weightsOf(from).map((layer) =>
      layer.kind === 'batchNorm' ? { ...layer, epsilon: fileEpsilon } : layer,
    );
    assignWeights(to, fileOf(file));
    const [gamma, beta, mean, variance] = from
      .getLayer('bn')
      .getWeights()
      .map((weight) => weight.dataSync());
    const scaled = gamma!.map(
      (value, c) => value * Math.sqrt((variance![c]! + epsilon) / (variance![c]! + fileEpsilon)),
    );
    const got = to
      .getLayer('bn')
      .getWeights()
      .map((weight) => [...weight.dataSync()]);
    expect(got).toEqual([[...scaled], [...beta!], [...mean!], [...variance!]]);
  });

  test("an epsilon that the file does not tell is the model's", () => {
    const [from, to] = [build(false, 0.25), build(false, 0.25)];
    randomizeWeights(from, createRandom(1));
    assignWeights(to, fileOf(weightsOf(from).map((layer) => ({ ...layer, epsilon: undefined }))));
    expect(bitsOf(to)).toEqual(bitsOf(from));
  });

  test('without gamma the variance makes up for epsilon', () => {
    const bare = (epsilon: number) =>
      chain(
        [4, 4, 2],
        layers.conv2d({ filters: 3, kernelSize: 1 }),
        layers.batchNormalization({ epsilon, scale: false }),
      );
    const [from, to] = [bare(0.1), bare(1e-3)];
    randomizeWeights(from, createRandom(1));
    assignWeights(to, fileOf(weightsOf(from)));
    expect(relativeError(outputsOf(to), outputsOf(from))).toBeLessThan(1e-6);
  });
});

describe('the head', () => {
  const whole = (classes: number, seed: number) => narrowNet({ classes, seed });

  test("'skip' keeps the model's own, of other classes", () => {
    const [from, to] = [whole(7, 1), whole(3, 2)];
    const own = bitsOf(to);
    const { layers, skipped } = assignWeights(to, fileOf(weightsOf(from)), { head: 'skip' });
    expect([layers.length, skipped]).toEqual([54, ['conv_preds']]);
    const loaded = bitsOf(from);
    for (const [name, bits] of bitsOf(to)) expect(bits).toEqual((/^conv_preds/.test(name) ? own : loaded).get(name));
  });

  test("'skip' takes a file without a top, and leaves the file's out of a model without", () => {
    const bare = narrowNet({ includeTop: false, seed: 1 });
    expect(assignWeights(whole(3, 2), fileOf(weightsOf(bare)), { head: 'skip' }).skipped).toEqual(['conv_preds']);
    expect(assignWeights(bare, fileOf(weightsOf(whole(3, 2))), { head: 'skip' }).layers).toHaveLength(54);
    expect(assignWeights(bare, fileOf(weightsOf(bare)), { head: 'skip' }).layers).toHaveLength(54);
    expect(assignWeights(bare, fileOf(foldedWeights(whole(3, 2))), { head: 'skip' }).layers).toHaveLength(54);
  });

  test("'dropBackground' leaves the first of 6 outputs out, of kernels and biases", () => {
    const [from, to] = [whole(6, 1), whole(5, 2)];
    assignWeights(to, fileOf(weightsOf(from)), { head: 'dropBackground' });
    expect(relativeError(outputsOf(to), outputsOf(from).slice(1))).toBeLessThan(1e-6);
  });

  test("'dropBackground' where there is nothing to drop is refused", () => {
    const bare = narrowNet({ includeTop: false, seed: 1 });
    for (const [to, from] of [
      [whole(5, 2), whole(5, 1)],
      [bare, bare],
    ] as const) {
      refused(
        to,
        fileOf(weightsOf(from)),
        { head: 'dropBackground' },
        'one class more than the model',
        'Leave head out',
      );
    }
  });

  test('errors name the option that would do', () => {
    const bare = narrowNet({ includeTop: false, seed: 1 });
    refused(whole(3, 1), fileOf(weightsOf(whole(7, 1))), {}, 'The file has other classes', "head: 'skip'");
    refused(whole(5, 1), fileOf(weightsOf(whole(6, 1))), {}, "head: 'dropBackground'", "head: 'skip'");
    refused(whole(3, 1), fileOf(weightsOf(bare)), {}, "The file has no top: pass { head: 'skip' }");
    refused(bare, fileOf(weightsOf(whole(7, 1))), {}, "The model has no top: pass { head: 'skip' }");
    refused(whole(3, 1), fileOf(weightsOf(whole(7, 1))), { head: 'dropBackground' }, 'other classes');
    refused(bare, fileOf(weightsOf(whole(7, 1))), { head: 'dropBackground' }, "head: 'skip'");
  });
});

describe('another network', () => {
  test('lists the first ten of the layers that differ, with kinds and shapes of both sides', () => {
    const [from, to] = [narrowNet({ alpha: 0.125, seed: 1 }), narrowNet({ seed: 1 })];
    refused(
      to,
      fileOf(weightsOf(from)),
      {},
      /^a\/file: expected weights that fit the 28 layers of model 'mobilenet_0\.06_32', received 28, of which 28 differ: /,
      'conv1 (conv [3,3,3,2], batch norm) is not file_conv1 (conv [3,3,3,4], batch norm); ',
      'conv_dw_1 (depthwise [3,3,2,1], batch norm) is not file_conv_dw_1 (depthwise [3,3,4,1], batch norm)',
      'and 18 more. Build the network that the file is of',
    );
  });

  test('more layers, fewer, and of other kinds', () => {
    const model = narrowNet({ seed: 1 });
    const file = weightsOf(model);
    refused(
      model,
      fileOf(file.slice(0, -3)),
      {},
      '2 differ',
      'the file has none for conv_preds (conv [1,1,64,5], bias)',
    );
    refused(
      model,
      fileOf([...file, ...file.slice(-1)]),
      {},
      'the model has none for file_conv_preds (conv [1,1,64,5], bias)',
    );
    refused(model, fileOf([]), {}, 'received 0, of which 28 differ');
    refused(model, fileOf(file.slice(1)), {}, 'is not file_conv1_bn (batch norm [2])');
    const swapped = file.map((layer) => (layer.kind === 'conv' ? { ...layer, kind: 'depthwise' as const } : layer));
    refused(
      model,
      fileOf(swapped),
      {},
      'conv1 (conv [3,3,3,2], batch norm) is not file_conv1 (depthwise [3,3,3,2], batch norm)',
    );
  });

  test('a bias, or statistics, of another length', () => {
    const model = narrowNet({ seed: 1 });
    const file = weightsOf(model);
    const short = values([1], 1);
    refused(model, fileOf([...file.slice(0, -1), { ...file.at(-1)!, bias: short } as WeightedLayer]), {}, '1 differ');
    const norms = file.map((layer) => (layer.kind === 'batchNorm' ? { ...layer, movingMean: short } : layer));
    refused(model, fileOf(norms), {}, '27 differ');
  });

  test('a model that is no chain, or has weights of other kinds', () => {
    const picture = input({ shape: [4, 4, 2] });
    const conv = layers.conv2d({ filters: 2, kernelSize: 1 }).apply(picture) as SymbolicTensor;
    const sum = modelOf({ inputs: picture, outputs: layers.add().apply([conv, picture]) as SymbolicTensor });
    refused(sum, fileOf([]), {}, 'a chain of layers', '2 inputs');
    const prelu = chain([4, 4, 2], layers.prelu({ name: 'leaky' }));
    refused(prelu, fileOf([]), {}, "layer 'leaky' (PReLU)");
  });
});

describe('padding', () => {
  const even = { inputShape: [32, 32, 3] } as const;
  const odd = { inputShape: [33, 37, 3] } as const;

  test.each([
    ['same', 'keras', even],
    ['keras', 'same', even],
    ['same', 'same', odd],
    ['keras', 'keras', odd],
    ['torch', 'torch', odd],
    ['torch', 'torch', even],
    // 33 -> 17 -> 9 -> 5 -> 3 -> 2: all maps are odd, where both pad one pixel on each side.
    ['torch', 'same', { inputShape: [33, 33, 3] }],
  ] as const)("weights of '%s' go into a model of '%s' that pads the same numbers (%o)", (file, padding, size) => {
    const model = narrowNet({ seed: 1, padding, ...size });
    expect(() => assignWeights(model, fileOf(weightsOf(model), { padding: file }))).not.toThrow();
  });

  test.each([
    ['torch', 'same', even],
    ['torch', 'keras', even],
    ['same', 'torch', even],
    ['same', 'keras', odd],
    ['keras', 'same', odd],
    ['keras', 'torch', odd],
  ] as const)(
    "weights of '%s' are refused by a model of '%s' (%o), unless ignorePadding says so",
    (file, padding, size) => {
      const model = narrowNet({ seed: 1, padding, ...size });
      const weights = fileOf(weightsOf(model), { padding: file });
      refused(
        model,
        weights,
        {},
        `mobilenetV1({ padding: '${file}' })`,
        'ignorePadding: true',
        /layer 'conv1'|layer 'conv_dw_2'/,
      );
      expect(assignWeights(model, weights, { ignorePadding: true }).layers).toHaveLength(55);
    },
  );

  test('a model that leaves its size open is taken at 224 pixels; pooling in between counts', () => {
    const build = (size: number | null) =>
      chain(
        [size, size, 3],
        layers.maxPooling2d({ poolSize: 2, strides: 2 }),
        layers.zeroPadding2d({
          padding: [
            [1, 1],
            [1, 1],
          ],
        }),
        layers.conv2d({ filters: 2, kernelSize: 3, strides: 2, padding: 'valid', name: 'strided' }),
        layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
      );
    const open = build(null);
    refused(
      open,
      fileOf(weightsOf(open), { padding: 'same' }),
      {},
      "layer 'strided', which pads 1",
      'before 112 pixels',
    );
    assignWeights(open, fileOf(weightsOf(open), { padding: 'torch' }));
    // 10 pixels are 5 behind the pooling.
    const small = build(10);
    assignWeights(small, fileOf(weightsOf(small), { padding: 'same' }));
  });
});

test('graphOf still reads a model whose weights were assigned', () => {
  const model = narrowNet({ seed: 1 });
  assignWeights(model, fileOf(weightsOf(narrowNet({ seed: 2 }))));
  expect(graphOf(model).stages.length).toBeGreaterThan(27);
});
