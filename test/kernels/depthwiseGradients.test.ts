import { beforeAll, describe, expect, test } from 'vitest';
import { MobilenetError } from '../../src/errors';
import { registerWasmTrainingKernels } from '../../src/kernels/registerWasmTrainingKernels';
import { createRandom } from '../../src/random';
import { type Gradient, gradientCase, randomValues, relativeError, runKernel } from './harness';
import { type ConvolutionOptions, convolution, finiteDifferences, forward, type Padding } from './reference';

const bound = 1e-6;
const seed = 11;

beforeAll(registerWasmTrainingKernels);

function explicit(top: number, bottom: number, left: number, right: number): Padding {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

const cases: Record<string, ConvolutionOptions> = {
  'one value': { xShape: [1, 1, 1, 1], filter: [1, 1], F: 1 },
  'no picture': { xShape: [0, 4, 4, 3], filter: [3, 3], F: 1 },
  '3x3': { xShape: [2, 6, 5, 8], filter: [3, 3], F: 1 },
  '3x3 on one pixel': { xShape: [5, 1, 1, 12], filter: [3, 3], F: 1 },
  '3x3, stride 2, even': { xShape: [2, 8, 8, 4], filter: [3, 3], F: 1, strides: [2, 2] },
  '3x3, stride 2, odd': { xShape: [2, 7, 9, 4], filter: [3, 3], F: 1, strides: [2, 2] },
  '3x3, stride 1 and 3': { xShape: [1, 5, 9, 8], filter: [3, 3], F: 1, strides: [1, 3] },
  '3x3, multiplier 2': { xShape: [2, 5, 6, 6], filter: [3, 3], F: 2 },
  '3x3, multiplier 3, stride 2': { xShape: [5, 6, 5, 3], filter: [3, 3], F: 3, strides: [2, 2] },
  '3x3, dilation 2': { xShape: [2, 7, 8, 5], filter: [3, 3], F: 1, dilations: [2, 2] },
  '3x3, dilation 3 and 2, valid': { xShape: [2, 9, 8, 4], filter: [3, 3], F: 2, dilations: [3, 2], pad: 'valid' },
  '3x3 valid, rows of x that no output reads': {
    xShape: [2, 8, 8, 4],
    filter: [3, 3],
    F: 1,
    strides: [3, 3],
    pad: 'valid',
  },
  '1x1, stride 3': { xShape: [2, 8, 7, 5], filter: [1, 1], F: 1, strides: [3, 3] },
  '2x2': { xShape: [2, 5, 5, 7], filter: [2, 2], F: 1 },
  '5x3': { xShape: [1, 6, 7, 9], filter: [5, 3], F: 1 },
  '5x5, dilation 2, multiplier 2': { xShape: [1, 10, 11, 3], filter: [5, 5], F: 2, dilations: [2, 2] },
  '7x7 on less than 7 pixels': { xShape: [2, 4, 3, 5], filter: [7, 7], F: 1 },
  'numeric padding': { xShape: [2, 5, 5, 4], filter: [3, 3], F: 1, strides: [2, 2], pad: 1 },
  'explicit, lopsided padding': {
    xShape: [2, 6, 5, 3],
    filter: [3, 3],
    F: 1,
    strides: [2, 2],
    pad: explicit(0, 1, 2, 0),
  },
  'padding wider than the filter': { xShape: [1, 3, 3, 4], filter: [2, 2], F: 1, pad: explicit(4, 3, 3, 5) },
};

describe.each<[Gradient]>([['filter'], ['input']])('gradient of the %s of depthwiseConv2d', (gradient) => {
  test.each(Object.entries(cases))(
    `%s: relative error < ${bound}, to the plain loop and to cpu`,
    async (_, options) => {
      const { run, expected, magnitude } = gradientCase(gradient, convolution({ ...options, isDepthwise: true }), seed);
      const actual = await run('wasm');
      expect(relativeError(actual, expected, magnitude)).toBeLessThan(bound);
      // tfjs's cpu kernels for these gradients ignore dilations.
      if (options.dilations !== undefined) return;
      expect(relativeError(actual, await run('cpu'), magnitude)).toBeLessThan(bound);
    },
  );

  test.each([1, 2, 3, 4, 5, 7, 8, 9, 12, 17])(`%i channels: relative error < ${bound}`, async (C) => {
    for (const F of [1, 2, 3]) {
      for (const size of [3, 2]) {
        const options: ConvolutionOptions = { xShape: [2, 4, 5, C], filter: [size, size], F, isDepthwise: true };
        const { run, expected, magnitude } = gradientCase(gradient, convolution(options), seed);
        expect(relativeError(await run('wasm'), expected, magnitude), JSON.stringify(options)).toBeLessThan(bound);
      }
    }
  });

  test.each([1, 2])(
    `finite differences of the plain loop, dilation %i: relative error < ${bound}`,
    async (dilation) => {
      const dilations: [number, number] = [dilation, dilation];
      const c = convolution({
        xShape: [2, 6, 5, 3],
        filter: [3, 3],
        F: 2,
        strides: [2, 1],
        dilations,
        isDepthwise: true,
      });
      const { run, inputs, magnitude } = gradientCase(gradient, c, seed);
      const [first, second] = inputs;
      const expected =
        gradient === 'filter'
          ? finiteDifferences(Float64Array.from(randomValues(c.filterShape, 1)), second, (w) => forward(c, first, w))
          : finiteDifferences(Float64Array.from(randomValues(c.xShape, 1)), first, (x) => forward(c, x, second));
      expect(relativeError(await run('wasm'), expected, magnitude)).toBeLessThan(bound);
    },
  );

  test(`200 random convolutions of seed ${seed}: relative error < ${bound}`, async () => {
    const random = createRandom(seed);
    const from = (low: number, high: number) => low + random.integer(high - low + 1);
    for (let i = 0; i < 200; i++) {
      const filter: [number, number] = [from(1, 5), random.integer(2) === 0 ? 3 : from(1, 5)];
      const dilations: [number, number] = random.integer(2) === 0 ? [1, 1] : [from(1, 3), from(1, 3)];
      const pads: Padding[] = ['same', 'valid', explicit(from(0, 3), from(0, 3), from(0, 3), from(0, 3))];
      const options: ConvolutionOptions = {
        xShape: [from(1, 5), filter[0] * dilations[0] + from(0, 7), filter[1] * dilations[1] + from(0, 7), from(1, 17)],
        filter,
        F: from(1, 3),
        strides: [from(1, 3), from(1, 3)],
        dilations,
        pad: pads[random.integer(pads.length)]!,
        isDepthwise: true,
      };
      const { run, expected, magnitude } = gradientCase(gradient, convolution(options), i);
      const error = relativeError(await run('wasm'), expected, magnitude);
      expect(error, `seed ${seed}, number ${i}: ${JSON.stringify(options)}`).toBeLessThan(bound);
    }
  });
});

test('sums of 131,072 products that all have one sign: relative error < 1e-5', async () => {
  const c = convolution({ xShape: [32, 64, 64, 1], filter: [3, 3], F: 1, isDepthwise: true });
  const x = { shape: c.xShape, values: randomValues(c.xShape, seed).map(Math.abs) };
  const dy = { shape: c.yShape, values: randomValues(c.yShape, seed + 1).map(Math.abs) };
  const attrs = { strides: [1, 1], dilations: [1, 1], pad: 'same', filterShape: c.filterShape };
  const actual = await runKernel('wasm', 'DepthwiseConv2dNativeBackpropFilter', { x, dy }, attrs);
  const expected = await runKernel('cpu', 'DepthwiseConv2dNativeBackpropFilter', { x, dy }, attrs);
  expect(relativeError(actual, expected, expected)).toBeLessThan(1e-5);
});

test('dilations may be absent, NCHW and shapes that do not belong together are refused', async () => {
  const x = { shape: [1, 4, 4, 2], values: randomValues([1, 4, 4, 2], seed) };
  const dy = { shape: [1, 4, 4, 4], values: randomValues([1, 4, 4, 4], seed) };
  const attrs = { strides: [1, 1], pad: 'same', filterShape: [3, 3, 2, 2] };
  const name = 'DepthwiseConv2dNativeBackpropFilter';
  const run = (changed: object) => runKernel('wasm', name, { x, dy }, { ...attrs, ...changed });
  expect(await run({})).toEqual(await run({ dilations: [1, 1] }));
  await expect(run({ dataFormat: 'NCHW' })).rejects.toThrow(MobilenetError);
  await expect(run({ dataFormat: 'NCHW' })).rejects.toThrow(`${name}: expected dataFormat 'NHWC'`);
  await expect(run({ filterShape: [3, 3, 2, 3] })).rejects.toThrow('filter [3,3,2,3]');
});
