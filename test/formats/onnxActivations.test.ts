import { expect, test } from 'vitest';
import { clampStep, functionStep, relu, relu6, softmax } from '../../src/formats/activation';
import { readOnnx } from '../../src/formats/onnx/readOnnx';
import type { OnnxNode, OnnxTensor } from '../../src/formats/onnx/schema';
import { floatTensor, int8Tensor, type TensorContent, uint8Scalar } from '../../src/formats/onnx/tensorContent';
import { fileOf, kernel, node, weight } from './onnxFiles';

const numbers: Record<string, TensorContent> = {
  zero: floatTensor('float32', [0], []),
  six: floatTensor('float16', [6], []),
  pair: floatTensor('float32', [6, 6], [1, 2, 1, 1]),
  two: floatTensor('float32', [2, 3]),
  scale: floatTensor('float32', [0.5], []),
  uint8: uint8Scalar(0),
  int8: int8Tensor(Int8Array.of(-128), []),
  large: floatTensor('float32', [3.4028234663852886e38], []),
};
const initializers: OnnxTensor[] = [kernel, ...Object.entries(numbers).map(([name, content]) => weight(name, content))];

/** Nodes one behind the other, each with the inputs that it has beside what comes from the one before. */
type Step = [op: string, others?: string[], attributes?: Parameters<typeof node>[3]];

/** A file of them, or of the nodes behind a convolution. */
function read(steps: readonly Step[]) {
  const name = (i: number) => (i === 0 ? 'x' : i === steps.length ? 'y' : `v${i}`);
  const nodes = steps.map(([op, others = [], attributes], i): OnnxNode => {
    return node(op, [name(i), ...others], name(i + 1), attributes);
  });
  return readOnnx({ bytes: fileOf(nodes, initializers), where: 'model.onnx' });
}

const conv: Step = ['Conv', ['w']];
const quantize = (zero?: string): Step => ['QuantizeLinear', ['scale', ...(zero ? [zero] : [])]];

test.each<[string, Step[], unknown]>([
  ['none', [conv], []],
  ['Relu', [conv, ['Relu']], [relu]],
  ['Clip', [conv, ['Clip', ['zero', 'six']]], [relu6]],
  ['Clip without a low limit', [conv, ['Clip', ['', 'six']]], [clampStep(Number.NEGATIVE_INFINITY, 6)]],
  ['Clip whose high limit is none', [conv, ['Clip', ['zero', 'large']]], [relu]],
  ['Clip of old files', [conv, ['Clip', [], { min: { float: 0 }, max: { float: 6 } }]], [relu6]],
  ['Relu and Min', [conv, ['Relu'], ['Min', ['six']]], [relu6]],
  ['Max and Min of one number for each channel', [conv, ['Max', ['zero']], ['Min', ['pair']]], [relu6]],
  ['through pooling', [conv, ['Relu'], ['GlobalAveragePool'], ['Softmax']], [relu, softmax]],
  ['LogSoftmax', [conv, ['LogSoftmax']], [functionStep('logsoftmax')]],
  ['levels of uint8', [conv, quantize('uint8')], [{ kind: 'levels', low: 0, high: 127.5 }]],
  [
    'levels of int8',
    [conv, quantize('int8'), ['DequantizeLinear', ['scale', 'int8']]],
    [{ kind: 'levels', low: 0, high: 127.5 }],
  ],
  ['levels without a zero point', [conv, quantize()], [{ kind: 'levels', low: 0, high: 127.5 }]],
  ['levels behind an activation', [conv, ['Relu'], quantize('uint8')], [relu]],
  ['levels before one', [conv, quantize('uint8'), ['Relu']], [relu]],
  ['levels behind a bias', [conv, ['Add', ['two']], quantize('uint8')], [{ kind: 'levels', low: 0, high: 127.5 }]],
])('%s', async (_, steps, expected) => {
  const { layers } = await read(steps);
  expect(layers.map(({ activation }) => activation)).toEqual([expected]);
});

test('an offset behind an activation is no bias, but a batch norm behind it', async () => {
  const { layers } = await read([conv, ['Relu'], ['Add', ['two']], ['Clip', ['zero', 'six']]]);
  expect(layers).toMatchObject([
    { kind: 'conv', activation: [relu] },
    { kind: 'batchNorm', beta: { data: Float32Array.of(2, 3) }, activation: [relu6] },
  ]);
  expect(layers[0]).not.toHaveProperty('bias.data');
});

test('levels behind a batch norm that was taken apart are its own', async () => {
  const { layers } = await read([conv, ['Mul', ['two']], quantize('uint8'), ['DequantizeLinear', ['scale', 'uint8']]]);
  expect(layers.map(({ activation }) => activation)).toEqual([[], [{ kind: 'levels', low: 0, high: 127.5 }]]);
});

test.each<[string, Step[], string]>([
  ['limits that differ from channel to channel', [conv, ['Clip', ['zero', 'two']]], 'the Clip with one number'],
  ['a limit that is calculated', [conv, ['Clip', ['x', 'six']]], 'x to be a constant'],
  ['pictures scaled on both sides', [['Mul', ['scale']], ['Relu'], ['Add', ['scale']], conv], 'scaled in one place'],
])('refused: %s', async (_, steps, message) => {
  await expect(read(steps)).rejects.toThrow(message);
});
