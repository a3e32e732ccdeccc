import { Builder } from 'flatbuffers';
import { describe, expect, test } from 'vitest';
import { clampStep, softmax } from '../../src/formats/activation';
import type { NetworkWeights } from '../../src/formats/networkWeights';
import { type FileWindow, paddingStyleOf } from '../../src/formats/paddingStyle';
import { encodeNormalization } from '../../src/formats/tflite/encodeNormalization';
import { readTflite } from '../../src/formats/tflite/readTflite';
import {
  Activation,
  ArithmeticField,
  DenseField,
  DepthwiseField,
  Op,
  OptionsType,
  TensorType,
} from '../../src/formats/tflite/schema';
import { noZeros } from '../../src/graph/window';
import type { InputRange } from '../../src/inputRange';
import type { BlockKind } from '../../src/model/architecture';
import { chainFile, conv, floats, integers, type Spoil, type Step } from './tfliteFiles';

const picture = [4, 4, 2];

const read = (steps: readonly Step[], spoil?: Spoil, metadata?: object): Promise<NetworkWeights> =>
  readTflite({ bytes: chainFile(picture, steps, spoil, metadata), where: 'chain.tflite' });

const mul = (values: readonly number[]): Step => ({ code: Op.MUL, operands: [floats([values.length], values)] });
const add = (values: readonly number[]): Step => ({ code: Op.ADD, operands: [floats([values.length], values)] });
const sub = (values: readonly number[]): Step => ({ code: Op.SUB, operands: [floats([values.length], values)] });
const div = (values: readonly number[]): Step => ({ code: Op.DIV, operands: [floats([values.length], values)] });
const takesBytes: Spoil = ({ tensors }) => {
  tensors[0] = { ...tensors[0]!, type: TensorType.uint8 };
};

describe('MUL, ADD, SUB and DIV', () => {
  test.each([
    ['one number', [mul([2 / 255]), add([-1])], [-1, 1]],
    [
      'a number for each channel',
      [sub([51, 102]), div([51, 51])],
      [
        [-1, 4],
        [-2, 3],
      ],
    ],
    ['the constant first', [{ ...mul([1 / 255]), operandsFirst: true }], [0, 1]],
    ['a range too wide for normalised pictures', [mul([4])], undefined],
    ['a factor below 0', [mul([-1 / 255])], undefined],
  ] as [string, Step[], unknown][])('before the first layer are the input range: %s', async (_, steps, expected) => {
    const { inputRange, layers } = await read([...steps, conv()]);
    expect(layers.map(({ kind }) => kind)).toEqual(['conv']);
    if (!expected) expect(inputRange).toBeUndefined();
    else inputRange!.flat().forEach((end, i) => void expect(end).toBeCloseTo((expected as number[]).flat()[i]!, 5));
  });

  test('behind a layer are a batch norm of mean 0, variance 1 and epsilon 0', async () => {
    const { layers } = await read([conv(), mul([2, 3]), add([4, 5]), { code: Op.RELU6 }, mul([7])]);
    const norm = (gamma: number[], beta: number[]) => ({
      kind: 'batchNorm',
      gamma: { shape: [2], data: Float32Array.from(gamma) },
      beta: { shape: [2], data: Float32Array.from(beta) },
      movingMean: { shape: [2], data: new Float32Array(2) },
      movingVariance: { shape: [2], data: Float32Array.of(1, 1) },
      epsilon: 0,
    });
    expect(layers).toMatchObject([{ kind: 'conv' }, norm([2, 3], [4, 5]), norm([7, 7], [0, 0])]);
  });

  test('an activation of their own ends the batch norm', async () => {
    const fields = [[ArithmeticField.activation, 'int8', Activation.relu]] as const;
    const { layers } = await read([conv(), { ...add([1, 2]), options: { type: OptionsType.add, fields } }, mul([3])]);
    expect(layers.map(({ kind }) => kind)).toEqual(['conv', 'batchNorm', 'batchNorm']);
  });

  test('in a file of ours are a batch norm at the beginning, too', async () => {
    const own = { 'mobilenet-v1-ts': new TextEncoder().encode('{}') };
    const { layers, inputRange } = await read([mul([1, 2]), conv()], undefined, own);
    expect(layers.map(({ kind }) => kind)).toEqual(['batchNorm', 'conv']);
    expect(inputRange).toBeUndefined();
  });
});

describe('activations', () => {
  const limit = (code: number, ...values: number[]): Step => ({ code, operands: [floats([values.length], values)] });
  const relu = clampStep(0, Number.POSITIVE_INFINITY);
  test.each<[string, Step[], unknown]>([
    ['none', [conv()], []],
    ['RELU of the convolution', [conv({ activation: Activation.relu })], [relu]],
    ['RELU6 of the convolution', [conv({ activation: Activation.relu6 })], [clampStep(0, 6)]],
    ['RELU behind it', [conv(), { code: Op.RELU }], [relu]],
    ['RELU6 behind it', [conv(), { code: Op.RELU6 }], [clampStep(0, 6)]],
    ['RELU and a MINIMUM', [conv({ activation: Activation.relu }), limit(Op.MINIMUM, 1.5)], [clampStep(0, 1.5)]],
    [
      'both limits, constants first',
      [conv(), { ...limit(Op.MAXIMUM, -1, -1), operandsFirst: true }, limit(Op.MINIMUM, 4)],
      [clampStep(-1, 4)],
    ],
    ['what a mean follows', [conv(), { code: Op.RELU }, { code: Op.MEAN }, { code: Op.SOFTMAX }], [relu, softmax]],
  ])('%s', async (_, steps, expected) => {
    const { layers } = await read(steps);
    expect(layers.map(({ activation }) => activation)).toEqual([expected]);
  });

  test('two numbers are no limit', async () => {
    await expect(read([conv(), limit(Op.MINIMUM, 6, 7)])).rejects.toThrow('MINIMUM with one number for all channels');
  });

  test('a batch norm behind one is not taken for one before it', async () => {
    const { layers } = await read([conv({ activation: Activation.relu6 }), mul([2, 3]), { code: Op.RELU }]);
    expect(layers).toMatchObject([
      { kind: 'conv', activation: [clampStep(0, 6)] },
      { kind: 'batchNorm', activation: [relu] },
    ]);
  });

  test('pictures that are scaled on both sides of one are refused', async () => {
    await expect(read([mul([2]), { code: Op.RELU }, add([1]), conv()])).rejects.toThrow('scaled in one place');
  });
});

describe('layers', () => {
  test('kernels come in our order; a bias of zeros is none', async () => {
    const step = { ...conv(), operands: [...conv().operands!, floats([2], [0, 0])] };
    const { layers } = await read([step]);
    expect(layers).toEqual([
      {
        kind: 'conv',
        name: 'constant',
        kernel: { shape: [1, 1, 2, 2], data: Float32Array.of(1, 3, 2, 4) },
        strides: [1, 1],
        activation: [],
      },
    ]);
  });

  test('a depthwise convolution of two channels, three outputs each', async () => {
    const fields = [DepthwiseField.strideH, DepthwiseField.strideW].map((field) => [field, 'int32', 1] as const);
    const options = { type: OptionsType.depthwise, fields };
    const operands = [floats([1, 1, 1, 6], [1, 2, 3, 4, 5, 6]), floats([6], [0, 0, 0, 0, 0, 7])];
    const { layers } = await read([{ code: Op.DEPTHWISE_CONV_2D, operands, options, shape: [4, 4, 6] }]);
    expect(layers).toMatchObject([{ kind: 'depthwise', kernel: { shape: [1, 1, 2, 3] }, bias: { shape: [6] } }]);
  });

  test('a dense layer', async () => {
    const options = { type: OptionsType.dense, fields: [] };
    const dense = { code: Op.FULLY_CONNECTED, operands: [floats([2, 3], [1, 2, 3, 4, 5, 6])], options, shape: [2] };
    const { layers } = await read([{ code: Op.RESHAPE, operands: [integers([2], [1, 3])], shape: [3] }, dense]);
    expect(layers).toMatchObject([
      { kind: 'dense', kernel: { shape: [3, 2], data: Float32Array.of(1, 4, 2, 5, 3, 6) } },
    ]);
  });

  test('a SHAPE beside the chain, for a RESHAPE behind it, is no branch', async () => {
    const { layers } = await read([conv(), { code: Op.RESHAPE, shape: [32] }], (graph) => {
      const shape = graph.value('shape', [4]);
      graph.operators[1] = { ...graph.operators[1]!, inputs: [...graph.operators[1]!.inputs, shape] };
      graph.operators.push({ code: Op.SHAPE, version: 1, inputs: [0], outputs: [shape], options: undefined });
    });
    expect(layers).toHaveLength(1);
  });
});

describe('the input range', () => {
  test('of a file that takes bytes and makes floats of them', async () => {
    const { inputRange } = await read([{ code: Op.CAST }, div([51]), conv()], takesBytes);
    expect(inputRange).toEqual([0, 5]);
  });

  test('of a file that takes bytes as they are', async () => {
    expect((await read([{ code: Op.CAST }, conv()], takesBytes)).inputRange).toEqual([0, 255]);
  });

  test("of TFLite Metadata: one for all channels, one for each, and through the file's own preparation", async () => {
    const metadata = (inputRange: InputRange) => {
      const names = { name: 'network', input: 'input', output: 'output' };
      return { TFLITE_METADATA: encodeNormalization(new Builder(), { ...names, inputRange, channels: 2 }) };
    };
    expect((await read([conv()], undefined, metadata([-1, 1]))).inputRange).toEqual([-1, 1]);
    const each: InputRange = [
      [0, 1],
      [-2, 2],
    ];
    expect((await read([conv()], undefined, metadata(each))).inputRange).toEqual(each);
    const prepared = await read([mul([2, 3]), sub([1]), conv()], undefined, metadata([0, 1]));
    expect(prepared.inputRange).toEqual([
      [-1, 1],
      [-1, 2],
    ]);
  });

  test('is none where our own metadata hold no range', async () => {
    for (const inputRange of [[1, 0], [], [[0, 1], [2]], 'none', null]) {
      const own = { 'mobilenet-v1-ts': new TextEncoder().encode(JSON.stringify({ inputRange })) };
      expect((await read([conv()], undefined, own)).inputRange).toBeUndefined();
    }
  });
});

describe('the style of padding', () => {
  const window = (kind: BlockKind, size: number, after: number, padding: 'same' | 'valid'): FileWindow => ({
    kind,
    sliding: { kernelSize: [3, 3], strides: [2, 2], padding },
    zeros: after ? { top: 0, bottom: after, left: 0, right: after } : noZeros,
    height: size,
    width: size,
  });

  test("'keras' where the stem pads as in Keras 2, which on even pictures comes to the same thing", () => {
    expect(paddingStyleOf([window('conv', 32, 1, 'valid'), window('depthwise', 15, 1, 'valid')])).toBe('keras');
  });

  test('none where a window lies where no style has it', () => {
    expect(paddingStyleOf([window('conv', 33, 1, 'valid')])).toBeUndefined();
    expect(paddingStyleOf([window('conv', 32, 3, 'valid')])).toBeUndefined();
    const flat = window('conv', 32, 0, 'same');
    expect(paddingStyleOf([{ ...flat, sliding: { ...flat.sliding, strides: [2, 1] } }])).toBeUndefined();
  });

  test('none without a window of more than a pixel', () => {
    const { sliding, ...pointwise } = window('conv', 32, 0, 'same');
    expect(paddingStyleOf([{ ...pointwise, sliding: { ...sliding, kernelSize: [1, 1] } }])).toBeUndefined();
  });
});

describe('is refused', () => {
  const pad = (amounts: readonly number[], code: number = Op.PAD): Step => ({
    code,
    operands: [integers([4, 2], amounts)],
  });

  test.each<[string, Step[], string]>([
    [
      'an operator of another network',
      [{ code: 11 }],
      "an operator of a MobileNetV1, received operator 11 of TFLite's",
    ],
    ['a custom operator', [{ code: Op.CUSTOM }], 'an operator of a MobileNetV1, received the custom operator'],
    ['no strides', [conv({ strideW: 0 })], 'strides of CONV_2D of at least 1, received [1,0]'],
    ['dilation', [conv({ dilationH: 2 })], 'CONV_2D without dilation, received [2,1]'],
    ['another padding', [conv({ padding: 7 })], 'CONV_2D to pad SAME or VALID, received 7'],
    [
      'another activation',
      [conv({ activation: 4 })],
      'CONV_2D to end in NONE, RELU or RELU6, received activation 4 of',
    ],
    ['no options', [{ ...conv(), options: { type: OptionsType.dense, fields: [] } }], 'options of CONV_2D'],
    ['a kernel of three dimensions', [{ ...conv(), operands: [floats([1, 2, 2], [1, 2, 3, 4])] }], '4 dimensions'],
    ['no kernel', [{ ...conv(), operands: [] }], 'one of 2 tables, received -1'],
    ['a kernel that is calculated', [{ ...conv(), operands: [(graph) => graph.value('x', [2, 1, 1, 2])] }], '16 bytes'],
    [
      'a bias of other channels',
      [{ ...conv(), operands: [...conv().operands!, floats([1], [1])] }],
      'bias of 2 values',
    ],
    ['padding of channels', [pad([0, 0, 0, 1, 0, 1, 0, 1]), conv()], 'PAD to pad height and width of [N,H,W,C]'],
    ['padding below 0', [pad([0, 0, 0, -1, 0, 1, 0, 0]), conv()], 'PAD to pad height and width of [N,H,W,C]'],
    [
      'padding by half a number',
      [{ code: Op.PAD, operands: [floats([4, 2], [0, 0, 0, 1, 0, 1, 0, 0])] }],
      '8 integers',
    ],
    [
      'padding with ones',
      [{ code: Op.PADV2, operands: [integers([4, 2], [0, 0, 0, 1, 0, 1, 0, 0]), floats([1], [1])] }],
      'PADV2 to pad with zeros',
    ],
    ['a batch norm of other channels', [conv(), mul([1, 2, 3])], 'or one for each of 2 channels, received 3'],
    ['a batch norm in two sizes', [conv(), mul([1, 2]), add([1, 2, 3])], 'one number for each channel'],
    [
      'a sum of two results',
      [conv(), { code: Op.ADD, operands: [(graph) => graph.value('x', picture)] }],
      'a constant',
    ],
    ['a constant less a result', [{ ...sub([1]), operandsFirst: true }], 'a constant'],
    [
      'shuffled weights',
      [
        {
          code: Op.FULLY_CONNECTED,
          operands: [floats([1, 2], [1, 2])],
          options: { type: OptionsType.dense, fields: [[DenseField.weightsFormat, 'int8', 1]] },
        },
      ],
      'FULLY_CONNECTED in the default format',
    ],
    [
      'a depthwise kernel of other channels',
      [
        {
          code: Op.DEPTHWISE_CONV_2D,
          operands: [floats([1, 1, 1, 3], [1, 2, 3])],
          options: { type: OptionsType.depthwise, fields: [] },
        },
      ],
      'to be for 2 channels',
    ],
  ])('%s', async (_, steps, expected) => {
    const refusal = expect(read(steps)).rejects;
    await refusal.toMatchObject({ name: 'MobilenetError', code: 'invalid-data' });
    await refusal.toThrow(expected);
    await refusal.toThrow('chain.tflite');
  });
});
