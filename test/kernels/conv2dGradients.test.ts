import * as tf from '@tensorflow/tfjs-core';
// For the gradients that it registers.
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { MobilenetError } from '../../src/errors';
import { registerWasmTrainingKernels } from '../../src/kernels/registerWasmTrainingKernels';
import { createRandom } from '../../src/random';
import { type Gradient, gradientCase, randomValues, relativeError, runKernel } from './harness';
import {
  type ConvolutionOptions,
  convolution,
  filterGradient,
  finiteDifferences,
  forward,
  type Padding,
} from './reference';

const bound = 1e-6;
const seed = 7;

beforeAll(registerWasmTrainingKernels);

const cases: Record<string, ConvolutionOptions> = {
  'one value': { xShape: [1, 1, 1, 1], filter: [1, 1], F: 1 },
  'no picture': { xShape: [0, 4, 4, 3], filter: [3, 3], F: 5 },
  '1x1, one block of 256 pixels': { xShape: [1, 16, 16, 4], filter: [1, 1], F: 8 },
  '1x1, a pixel past the block': { xShape: [1, 257, 1, 8], filter: [1, 1], F: 16 },
  '1x1, a pixel short of the block': { xShape: [5, 1, 51, 7], filter: [1, 1], F: 9 },
  '1x1, three blocks': { xShape: [2, 20, 15, 12], filter: [1, 1], F: 17 },
  '1x1, stride 2': { xShape: [2, 7, 6, 8], filter: [1, 1], F: 5, strides: [2, 2] },
  '1x1, stride 3 and 2': { xShape: [2, 8, 9, 5], filter: [1, 1], F: 12, strides: [3, 2] },
  '1x1 with padding': { xShape: [2, 3, 4, 4], filter: [1, 1], F: 8, pad: 1 },
  'a stem: 3x3, 3 channels, stride 2': { xShape: [5, 9, 8, 3], filter: [3, 3], F: 32, strides: [2, 2] },
  '3x3 valid': { xShape: [2, 7, 5, 5], filter: [3, 3], F: 7, pad: 'valid' },
  '3x3 valid, rows of x that no output reads': {
    xShape: [1, 8, 8, 4],
    filter: [3, 3],
    F: 8,
    strides: [3, 3],
    pad: 'valid',
  },
  '3x3 over many blocks': { xShape: [5, 13, 11, 4], filter: [3, 3], F: 9 },
  '5x3': { xShape: [2, 6, 7, 4], filter: [5, 3], F: 4, strides: [1, 2] },
  '2x2': { xShape: [2, 5, 5, 1], filter: [2, 2], F: 3 },
  '7x7 on less than 7 pixels': { xShape: [2, 4, 3, 3], filter: [7, 7], F: 5 },
  '1x7': { xShape: [1, 3, 9, 8], filter: [1, 7], F: 12 },
  'explicit, lopsided padding': {
    xShape: [2, 6, 5, 3],
    filter: [3, 3],
    F: 4,
    strides: [2, 2],
    pad: explicit(0, 1, 2, 0),
  },
  'padding wider than the filter': { xShape: [1, 3, 3, 4], filter: [2, 2], F: 8, pad: explicit(4, 3, 3, 5) },
};

function explicit(top: number, bottom: number, left: number, right: number): Padding {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

describe.each<[Gradient]>([['filter'], ['input']])('gradient of the %s of conv2d', (gradient) => {
  test.each(Object.entries(cases))(
    `%s: relative error < ${bound}, to the plain loop and to cpu`,
    async (_, options) => {
      const { run, expected, magnitude } = gradientCase(gradient, convolution(options), seed);
      const actual = await run('wasm');
      expect(relativeError(actual, expected, magnitude)).toBeLessThan(bound);
      expect(relativeError(actual, await run('cpu'), magnitude)).toBeLessThan(bound);
    },
  );

  test.each([1, 3, 4, 5, 7, 8, 9, 12, 17])(
    `%i channels, filters around the tile: relative error < ${bound}`,
    async (C) => {
      for (const F of [1, 3, 4, 5, 7, 8, 9, 12, 17]) {
        for (const [H, size] of [
          [3, 1],
          [4, 1],
          [5, 3],
        ] as const) {
          const options: ConvolutionOptions = { xShape: [1, H, 1, C], filter: [size, size], F };
          const { run, expected, magnitude } = gradientCase(gradient, convolution(options), seed);
          expect(relativeError(await run('wasm'), expected, magnitude), JSON.stringify(options)).toBeLessThan(bound);
        }
      }
    },
  );

  test(`finite differences of the plain forward loop: relative error < ${bound}`, async () => {
    const c = convolution({ xShape: [2, 5, 4, 3], filter: [3, 2], F: 5, strides: [2, 1] });
    const { run, inputs, magnitude } = gradientCase(gradient, c, seed);
    const [first, second] = inputs.map((values) => Float64Array.from(values)) as [Float64Array, Float64Array];
    const expected =
      gradient === 'filter'
        ? finiteDifferences(Float64Array.from(randomValues(c.filterShape, 1)), second, (w) => forward(c, first, w))
        : finiteDifferences(Float64Array.from(randomValues(c.xShape, 1)), first, (x) => forward(c, x, second));
    expect(relativeError(await run('wasm'), expected, magnitude)).toBeLessThan(bound);
  });

  test(`150 random convolutions of seed ${seed}: relative error < ${bound}`, async () => {
    const random = createRandom(seed);
    const from = (low: number, high: number) => low + random.integer(high - low + 1);
    for (let i = 0; i < 150; i++) {
      const filter: [number, number] = [from(1, 5), from(1, 5)];
      const pads: Padding[] = ['same', 'valid', explicit(from(0, 3), from(0, 3), from(0, 3), from(0, 3))];
      const options: ConvolutionOptions = {
        xShape: [from(1, 5), filter[0] + from(0, 9), filter[1] + from(0, 9), from(1, 19)],
        filter,
        F: from(1, 19),
        strides: [from(1, 3), from(1, 3)],
        pad: pads[random.integer(pads.length)]!,
      };
      const { run, expected, magnitude } = gradientCase(gradient, convolution(options), i);
      const error = relativeError(await run('wasm'), expected, magnitude);
      expect(error, `seed ${seed}, number ${i}: ${JSON.stringify(options)}`).toBeLessThan(bound);
    }
  });
});

test.each(['floor', 'round', 'ceil'] as const)('dimRoundingMode %s with a numeric padding', async (dimRoundingMode) => {
  const x = { shape: [2, 6, 6, 3], values: randomValues([2, 6, 6, 3], seed) };
  const outputs = dimRoundingMode === 'floor' ? 3 : 4;
  const dy = { shape: [2, outputs, outputs, 4], values: randomValues([2, outputs, outputs, 4], seed) };
  const attrs = { strides: [2, 2], pad: 1, dataFormat: 'NHWC', dimRoundingMode, filterShape: [3, 3, 3, 4] };
  const actual = await runKernel('wasm', 'Conv2DBackpropFilter', { x, dy }, attrs);
  const expected = await runKernel('cpu', 'Conv2DBackpropFilter', { x, dy }, attrs);
  expect(
    relativeError(
      actual,
      expected,
      expected.map(() => 1),
    ),
  ).toBeLessThan(2e-6);
});

test('the gradient that tfjs derives from conv2d with dimRoundingMode counts every output: error < 2e-6', async () => {
  const options: ConvolutionOptions = { xShape: [1, 6, 6, 2], filter: [3, 3], F: 3, strides: [2, 2] };
  const c = convolution({ ...options, pad: explicit(1, 2, 1, 2) });
  expect(c.yShape).toEqual([1, 4, 4, 3]);
  const values = randomValues(c.xShape, seed);
  await tf.setBackend('wasm');
  const actual = tf.tidy(() => {
    const x = tf.tensor4d(values, c.xShape);
    const sumOfConv2d = (w: tf.Tensor) => tf.sum(tf.conv2d(x, w as tf.Tensor4D, 2, 1, 'NHWC', 1, 'ceil')) as tf.Scalar;
    return tf.grad(sumOfConv2d)(tf.ones(c.filterShape)).dataSync<'float32'>().slice();
  });
  const ones = new Float64Array(48).fill(1);
  expect(relativeError(actual, filterGradient(c, values, ones), new Float64Array(54).fill(1))).toBeLessThan(2e-6);
});

test('NCHW, dtypes other than float32 and shapes that do not belong together are refused', async () => {
  const x = { shape: [1, 4, 4, 2], values: randomValues([1, 4, 4, 2], seed) };
  const dy = { shape: [1, 4, 4, 3], values: randomValues([1, 4, 4, 3], seed) };
  const attrs = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', filterShape: [3, 3, 2, 3] };
  const run = (changed: object) => runKernel('wasm', 'Conv2DBackpropFilter', { x, dy }, { ...attrs, ...changed });
  await expect(run({ dataFormat: 'NCHW' })).rejects.toThrow(MobilenetError);
  await expect(run({ dataFormat: 'NCHW' })).rejects.toThrow("Conv2DBackpropFilter: expected dataFormat 'NHWC'");
  await expect(run({ filterShape: [3, 3, 2, 4] })).rejects.toThrow('filter [3,3,2,4]');
  await expect(run({ filterShape: [3, 3, 1, 3] })).rejects.toThrow('filter [3,3,1,3]');
  const int = tf.tensor4d(x.values, [1, 4, 4, 2], 'int32');
  const inputs = { x: int, dy: tf.tensor(dy.values, dy.shape) };
  expect(() => tf.engine().runKernel('Conv2DBackpropFilter', inputs, attrs)).toThrow(
    'expected float32 tensors, received int32',
  );
  tf.dispose(inputs);
});
