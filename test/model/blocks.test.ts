import '@tensorflow/tfjs-backend-cpu';
import { memory, setBackend, type Tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { MobilenetError } from '../../src/errors';
import { convBlock, depthwiseConvBlock } from '../../src/model/blocks';

beforeAll(() => setBackend('cpu'));

const image = (...shape: (number | null)[]) => input({ shape });

function build(inputs: SymbolicTensor, outputs: SymbolicTensor): LayersModel {
  return model({ inputs, outputs });
}

const names = ({ layers }: LayersModel) => layers.slice(1).map(({ name }) => name);

describe('convBlock', () => {
  test('is a convolution without bias, batch norm and ReLU6, named after its name', () => {
    const x = image(9, 9, 3);
    const net = build(x, convBlock(x, { filters: 10, alpha: 0.75, kernelSize: 5, strides: 2, name: 'stem' }));
    expect(names(net)).toEqual(['stem', 'stem_bn', 'stem_relu']);
    expect(net.outputs[0]!.shape).toEqual([null, 5, 5, 7]); // floor(10 * 0.75)
    expect(net.getLayer('stem').weights.map(({ shape }) => shape)).toEqual([[5, 5, 3, 7]]);
    expect(net.getLayer('stem_bn').getConfig()).toMatchObject({ momentum: 0.99, epsilon: 1e-3 });
    expect(net.getLayer('stem_relu').getConfig()).toMatchObject({ maxValue: 6 });
    net.dispose();
  });

  test('hands on momentum and epsilon', () => {
    const x = image(4, 4, 1);
    const net = build(x, convBlock(x, { filters: 1, batchNormMomentum: 0.9, batchNormEpsilon: 0.01, name: 'a' }));
    expect(net.getLayer('a_bn').getConfig()).toMatchObject({ momentum: 0.9, epsilon: 0.01 });
    net.dispose();
  });

  test('clamps at 0 and 6', () => {
    const x = image(1, 3, 1);
    const net = build(x, convBlock(x, { filters: 1, kernelSize: 1, name: 'a' }));
    net.getLayer('a').setWeights([tensor4d([1], [1, 1, 1, 1])]);
    const output = tidy(() => (net.predict(tensor4d([-5, 3, 50], [1, 1, 3, 1])) as Tensor).dataSync());
    expect(output[0]).toBe(0);
    expect(output[1]).toBeCloseTo(3 / Math.sqrt(1.001), 5);
    expect(output[2]).toBe(6);
    net.dispose();
  });
});

describe('depthwiseConvBlock', () => {
  test("is depthwise and 1x1 convolution, each with batch norm and ReLU6, under Keras's names", () => {
    const x = image(8, 8, 3);
    const net = build(x, depthwiseConvBlock(x, { filters: 8, alpha: 0.5, strides: 2, depthMultiplier: 2, name: '4' }));
    expect(names(net)).toEqual([
      ...['conv_dw_4', 'conv_dw_4_bn', 'conv_dw_4_relu'],
      ...['conv_pw_4', 'conv_pw_4_bn', 'conv_pw_4_relu'],
    ]);
    expect(net.getLayer('conv_dw_4').weights.map(({ shape }) => shape)).toEqual([[3, 3, 3, 2]]);
    expect(net.getLayer('conv_dw_4').outputShape).toEqual([null, 4, 4, 6]);
    expect(net.getLayer('conv_pw_4').weights.map(({ shape }) => shape)).toEqual([[1, 1, 6, 4]]);
    expect(net.outputs[0]!.shape).toEqual([null, 4, 4, 4]);
    net.dispose();
  });

  test("depthwiseInitializer 'identity' lets pictures through, but for the noise", () => {
    const x = image(5, 5, 2);
    const options = { filters: 1, depthMultiplier: 2, depthwiseInitializer: 'identity', name: '1', seed: 1 } as const;
    const net = build(x, depthwiseConvBlock(x, options));
    const depthwise = build(x, net.getLayer('conv_dw_1').output as SymbolicTensor);
    const pixels = Array.from({ length: 50 }, (_, i) => Math.sin(i));
    const output = tidy(() => (depthwise.predict(tensor4d(pixels, [1, 5, 5, 2])) as Tensor).dataSync());
    const correlation = (channel: number) => {
      const pairs = Array.from({ length: 25 }, (_, p) => [pixels[2 * p + (channel >> 1)]!, output[4 * p + channel]!]);
      const dot = (a: number, b: number) => pairs.reduce((sum, pair) => sum + pair[a]! * pair[b]!, 0);
      return dot(0, 1) / Math.sqrt(dot(0, 0) * dot(1, 1));
    };
    for (const channel of [0, 1, 2, 3]) expect(correlation(channel)).toBeGreaterThan(0.8);
    expect(() => depthwiseConvBlock(x, { filters: 1, depthwiseInitializer: 'ones' as never })).toThrow(
      "depthwiseConvBlock: expected depthwiseInitializer to be 'glorotUniform', 'identity'",
    );
    net.dispose();
  });

  // [row and column of the window's centre that the first output sees], on a 6x6 map with stride 2.
  test.each([
    ['same', ['conv_dw_1'], 1],
    ['keras', ['conv_pad_1', 'conv_dw_1'], 1],
    ['torch', ['conv_pad_1', 'conv_dw_1'], 0],
  ] as const)("padding '%s' builds %o and its first window stands on pixel %d", (padding, expected, centre) => {
    const x = image(6, 6, 1);
    const net = build(x, depthwiseConvBlock(x, { filters: 1, strides: 2, padding, name: '1' }));
    expect(names(net).slice(0, expected.length)).toEqual(expected);
    const depthwise = net.getLayer('conv_dw_1');
    depthwise.setWeights([tensor4d([0, 0, 0, 0, 1, 0, 0, 0, 0], [3, 3, 1, 1])]);
    const grid = build(x, depthwise.output as SymbolicTensor);
    const pixels = Array.from({ length: 36 }, (_, i) => i);
    const output = tidy(() => (grid.predict(tensor4d(pixels, [1, 6, 6, 1])) as Tensor).dataSync());
    const expectedPixels = [0, 2, 4].flatMap((row) => [0, 2, 4].map((column) => (row + centre) * 6 + column + centre));
    expect(Array.from(output)).toEqual(expectedPixels);
    net.dispose();
  });
});

test('blocks compose into a network of their own, and one block can be used twice', () => {
  const { numTensors } = memory();
  const x = image(16, 16, 3);
  let y = convBlock(x, { filters: 4 });
  y = depthwiseConvBlock(y, { filters: 8, strides: 2 });
  y = depthwiseConvBlock(y, { filters: 8 });
  y = layers.add().apply([y, depthwiseConvBlock(y, { filters: 8 })]) as SymbolicTensor;
  y = convBlock(y, { filters: 4, kernelSize: 1, padding: 'torch' });
  const net = build(x, y);
  expect(new Set(names(net)).size).toBe(net.layers.length - 1);
  expect(net.outputs[0]!.shape).toEqual([null, 8, 8, 4]);
  const output = tidy(() =>
    (net.predict(tensor4d(new Float32Array(768).fill(0.5), [1, 16, 16, 3])) as Tensor).dataSync(),
  );
  expect(output.every(Number.isFinite)).toBe(true);
  net.dispose();
  expect(memory().numTensors).toBe(numTensors);
});

test('blocks take pictures of any size', () => {
  const x = image(null, null, 3);
  const net = build(x, depthwiseConvBlock(convBlock(x, { filters: 4 }), { filters: 8, strides: 2, padding: 'keras' }));
  expect(net.outputs[0]!.shape).toEqual([null, null, null, 8]);
  net.dispose();
});

describe('bad arguments are named', () => {
  const message = (make: () => unknown) => {
    try {
      make();
    } catch (error) {
      if (error instanceof MobilenetError) return `${error.code} ${error.message}`;
      throw error;
    }
    return 'no error';
  };
  const x = image(1, 1, 3);

  test.each([
    [() => convBlock(x, { filters: 0 }), 'filters to be an integer of at least 1, received 0'],
    [() => convBlock(x, { filters: 1, alpha: 0 }), 'alpha to be a number above 0, received 0'],
    [() => convBlock(x, { filters: 8, alpha: 0.1 }), 'Take an alpha of at least 1/8'],
    [() => convBlock(x, { filters: 1, kernelSize: 0 }), 'kernelSize to be an integer of at least 1, received 0'],
    [() => convBlock(x, { filters: 1, strides: 1.5 }), 'strides to be an integer of at least 1, received 1.5'],
    [() => convBlock(x, { filters: 1, padding: 'valid' as 'same' }), "padding to be 'same', 'keras', 'torch'"],
    [() => convBlock(x, { filters: 1, name: '' }), 'name to be a string that is not empty, received ""'],
    [() => convBlock(x, { filters: 1, batchNormMomentum: 1 }), 'batchNormMomentum to be at least 0 and below 1'],
    [() => convBlock(x, { filters: 1, batchNormEpsilon: 0 }), 'batchNormEpsilon to be a number above 0'],
    [() => convBlock(x, { filters: 1, seed: 0.5 }), 'seed to be an integer of at least 0, received 0.5'],
    [() => convBlock(image(5), { filters: 1 }), 'a symbolic tensor of shape [n,H,W,C], received [null,5]'],
    [() => convBlock(undefined as never, { filters: 1 }), 'a symbolic tensor of shape [n,H,W,C], received undefined'],
    [() => depthwiseConvBlock(x, { filters: 1, depthMultiplier: 0 }), 'depthMultiplier to be an integer of at least 1'],
    [() => depthwiseConvBlock(x, { filters: 1, strides: 2, padding: 'keras' }), "padding 'keras' fits into"],
  ])('%s', (make, expected) => {
    expect(message(make)).toMatch(/^invalid-argument (convBlock|depthwiseConvBlock): expected /);
    expect(message(make)).toContain(expected);
  });
});
