import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { exportOnnx } from '../../src/formats/exportOnnx';
import { readOnnx } from '../../src/formats/onnx/readOnnx';
import { ELEMENT, type OnnxAttribute } from '../../src/formats/onnx/schema';
import { floatTensor, int64Tensor } from '../../src/formats/onnx/tensorContent';
import { tinyNet } from '../classify/models';
import { fuzz } from './mutate';
import { fileOf, kernel, node, weight } from './onnxFiles';

beforeAll(() => setBackend('cpu'));

type Bytes = Uint8Array<ArrayBuffer>;

const read = (bytes: Bytes) => readOnnx({ bytes, where: 'model.onnx' });
const golden = (name: string): Bytes =>
  Uint8Array.from(readFileSync(new URL(`../golden/formats/onnx/${name}.onnx`, import.meta.url)));

const conv = (attributes: Record<string, OnnxAttribute> = {}) => fileOf([node('Conv', ['x', 'w'], 'y', attributes)]);
const gemm = (attributes: Record<string, OnnxAttribute>, content = floatTensor('float32', [1, 2], [2, 1])) =>
  fileOf([node('Gemm', ['x', 'w'], 'y', attributes)], [weight('w', content)]);
const padded = (pads: number[], attributes: Record<string, OnnxAttribute> = {}) =>
  fileOf(
    [node('Pad', ['x', 'pads'], 'p', attributes), node('Conv', ['p', 'w'], 'y')],
    [kernel, weight('pads', int64Tensor(pads))],
  );

describe('what is no MobileNetV1 is refused, and why', () => {
  test.each<[title: string, file: () => Bytes, message: RegExp]>([
    ['no bytes', () => new Uint8Array(), /no graph/],
    ['other bytes', () => new TextEncoder().encode('{"format":"layers-model"}'), /an ONNX file.*damaged/],
    ['two outputs', () => fileOf([], [], { outputs: [] }), /one output, received 0/],
    ['an output of no node', () => fileOf([], []), /y of no node/],
    [
      'a circle',
      () => fileOf([node('Relu', ['z'], 'y'), node('Relu', ['y'], 'z')]),
      /a chain from the input to the output, received y of a circle/,
    ],
    ['a branch', () => fileOf([node('Add', ['x', 'x'], 'y')]), /the Add \(Add\), which reads 2 values/],
    ['an unknown operator', () => fileOf([node('HardSwish', ['x'], 'y')]), /node the HardSwish \(HardSwish\)/],
    [
      'an operator of others',
      () => fileOf([{ ...node('Conv', ['x', 'w'], 'y'), domain: 'com.microsoft' }]),
      /received node the Conv \(com.microsoft.Conv\)/,
    ],
    ['groups of several channels', () => conv({ group: { int: 2 } }), /one group, or of one for each channel/],
    ['dilations', () => conv({ dilations: { ints: [2, 2] } }), /without dilations/],
    ['strides of 0', () => conv({ strides: { ints: [0, 1] } }), /the Conv with strides of at least 1/],
    ['pads below 0', () => conv({ pads: { ints: [-1, 0, 0, 0] } }), /without pads below 0/],
    [
      'a window that does not fit',
      () =>
        fileOf([node('Conv', ['x', 'w'], 'y')], [kernel], {
          inputs: [{ name: 'x', type: ELEMENT.float32, dims: [1, 3, 2, 2] }],
        }),
      /a window of the Conv that fits into 2 x 2 pixels/,
    ],
    ['weights that are no constant', () => fileOf([node('Conv', ['x', 'x'], 'y')]), /x to be a constant/],
    [
      'weights of another rank',
      () => fileOf([node('Conv', ['x', 'w'], 'y')], [weight('w', floatTensor('float32', [1]))]),
      /4 dimensions/,
    ],
    [
      'fewer values than the shape says',
      () => fileOf([node('Conv', ['x', 'w'], 'y')], [{ ...kernel, dims: [2, 3, 3, 4] }]),
      /values of w, received 54/,
    ],
    [
      'an endless shape',
      () => fileOf([node('Conv', ['x', 'w'], 'y')], [{ ...kernel, dims: [2 ** 31, 2 ** 31, 3, 3] }]),
      /values of w, received 54/,
    ],
    [
      'a shape below 0',
      () => fileOf([node('Conv', ['x', 'w'], 'y')], [{ ...kernel, dims: [-2, -3, 3, 3] }]),
      /values of w, received 54/,
    ],
    ['weights of texts', () => fileOf([node('Conv', ['x', 'w'], 'y')], [{ ...kernel, type: 8 }]), /the data type 8/],
    ['a bias of another length', () => fileOf([node('Conv', ['x', 'w', 'w'], 'y')]), /a bias of 2 values/],
    ['Gemm with alpha', () => gemm({ alpha: { float: 2 } }), /without alpha/],
    ['Gemm with transA', () => gemm({ transA: { int: 1 } }), /transA/],
    ['zeros around channels', () => padded([0, 1, 0, 1, 0, 1, 0, 1]), /zeros around a picture/],
    ['fewer zeros than none', () => padded([0, 0, -1, 0, 0, 0, 0, 0]), /zeros around a picture/],
    ['pads of ones', () => padded([0, 0, 1, 1, 0, 0, 1, 1], { value: { float: 1 } }), /to pad with zeros, received 1/],
    [
      'pads of a half, as an input',
      () =>
        fileOf(
          [node('Pad', ['x', 'pads', 'half'], 'p'), node('Conv', ['p', 'w'], 'y')],
          [
            kernel,
            weight('pads', int64Tensor([0, 0, 1, 1, 0, 0, 1, 1])),
            weight('half', floatTensor('float32', [0.5], [])),
          ],
        ),
      /to pad with zeros, received 0.5/,
    ],
    ['too few pads', () => padded([1, 1]), /zeros around a picture/],
    [
      'a mean over a part',
      () => fileOf([node('AveragePool', ['x'], 'y', { kernel_shape: { ints: [2, 2] } })]),
      /all of 8 x 8 pixels, received one over 2 x 2/,
    ],
    [
      'a batch norm without statistics',
      () => fileOf([node('BatchNormalization', ['x', 'w'], 'y')], [weight('w', floatTensor('float32', [1]))]),
      /scale, bias, mean and variance/,
    ],
    [
      'an epsilon that is none',
      () => {
        const inputs = ['x', 'w', 'w', 'w', 'w'];
        const nodes = [node('BatchNormalization', inputs, 'y', { epsilon: { float: Number.NaN } })];
        return fileOf(nodes, [weight('w', floatTensor('float32', [1]))]);
      },
      /the epsilon of the BatchNormalization from 0 to below 1, received NaN/,
    ],
    [
      'a constant of texts',
      () => fileOf([node('Constant', [], 'c', {}), node('Mul', ['x', 'c'], 'y')]),
      /the constant the Constant to be of numbers/,
    ],
    ['a constant divided by the picture', () => fileOf([node('Div', ['w', 'x'], 'y')]), /as the second input/],
  ])('%s', async (_title, file, message) => {
    const outcome = read(file());
    await expect(outcome).rejects.toMatchObject({ code: 'invalid-data', name: 'MobilenetError' });
    await expect(outcome).rejects.toThrow(message);
  });

  test('a range in the metadata that is none', async () => {
    for (const inputRange of ['[1]', 'no JSON', '{"__proto__":[0,1]}', '[[0,1],[1,0]]']) {
      const file = fileOf([node('Conv', ['x', 'w'], 'y')], [kernel], {}, { inputRange });
      await expect(read(file)).rejects.toThrow(/inputRange in the metadata/);
    }
  });
});

describe('what would take much more memory or time than the file has bytes is refused', () => {
  test('a large weight that thousands of nodes read', async () => {
    const large = weight('w', floatTensor('float32', new Float32Array(2 ** 18), [512, 512, 1, 1]));
    const nodes = Array.from({ length: 1000 }, (_, i) => node('Conv', [i === 0 ? 'x' : `v${i}`, 'w'], `v${i + 1}`));
    const file = fileOf([...nodes, node('Relu', ['v1000'], 'y')], [large]);
    await expect(read(file)).rejects.toThrow(/weights of their own for each layer/);
  });

  test('millions of empty nodes', async () => {
    const nodes = new Uint8Array(4_000_000).fill(0).map((_, i) => (i % 2 === 0 ? 0x0a : 0));
    const header = [0x3a, 0x80, 0x92, 0xf4, 0x01];
    await expect(read(Uint8Array.from([...header, ...nodes]))).rejects.toThrow(/more than 100000 parts/);
  });

  test('constants of constants of constants', async () => {
    const names = Array.from({ length: 100 }, (_, i) => (i === 0 ? 'w' : `w${i}`));
    const copies = names.slice(1).map((name, i) => node('Identity', [names[i]!], name));
    await expect(read(fileOf([...copies, node('Conv', ['x', 'w99'], 'y')]))).rejects.toThrow(/to be a constant/);
  });
});

/** Each of some thousands of damaged files is read or refused; another error, or a test that takes too long, fails. */
describe('damaged files', () => {
  test.each([
    ['torch_batch_norm', 500],
    ['tf2onnx', 500],
    ['onnxruntime_qdq', 500],
    ['torch_float16', 300],
  ] as const)('%s: %i of them', async (name, count) => {
    const refused = await fuzz(golden(name), read, { count, seed: 1 });
    expect(refused).toBeGreaterThan(count / 10);
    expect(refused).toBeLessThan(count);
  });

  test.each(['float32', 'int8'] as const)('our own in %s: 600 of them', async (precision) => {
    const file = await exportOnnx(tinyNet(), { precision });
    const refused = await fuzz(file, read, { count: 600, seed: 2 });
    expect(refused).toBeGreaterThan(60);
    expect(refused).toBeLessThan(600);
  });
});
