import { readFileSync } from 'node:fs';
import { Builder } from 'flatbuffers';
import { describe, expect, test } from 'vitest';
import { FlatWriter } from '../../src/formats/tflite/flatWriter';
import type { GraphPlan, OperatorPlan, TensorPlan } from '../../src/formats/tflite/graphPlan';
import { readTflite } from '../../src/formats/tflite/readTflite';
import {
  BufferField,
  FILE_IDENTIFIER,
  ModelField,
  Op,
  OperatorCodeField,
  OperatorField,
  SubGraphField,
  TensorField,
} from '../../src/formats/tflite/schema';
import { fuzz } from './mutate';
import { chainFile, conv, floats, type Step } from './tfliteFiles';

type Bytes = Uint8Array<ArrayBuffer>;

const read = (bytes: Bytes) => readTflite({ bytes, where: 'hostile.tflite' });

const goldenFile = (name: string): Bytes =>
  new Uint8Array(readFileSync(new URL(`../golden/formats/tflite/${name}.tflite`, import.meta.url)));

test.each(['float32', 'float16', 'int8', 'uint8'])(
  '750 damaged copies of %s: a typed error or a result',
  async (name) => {
    const refused = await fuzz(goldenFile(name), read, { count: 750, seed: 1 });
    expect(refused).toBeGreaterThan(200);
  },
);

describe('is refused', () => {
  test.each([
    ['nothing', new Uint8Array(0)],
    ['seven bytes', new Uint8Array(7)],
    ['text', new TextEncoder().encode('This is no network.')],
    ['an identifier and no more', new TextEncoder().encode('\0\0\0\0TFL3')],
  ])('%s', async (_, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({ name: 'MobilenetError', code: 'invalid-data' });
  });

  const changeOperator =
    (index: number, changes: Partial<OperatorPlan>) =>
    ({ operators }: GraphPlan) =>
      void operators.splice(index, 1, { ...operators[index]!, ...changes });
  const changeTensor =
    (index: number, changes: Partial<TensorPlan>) =>
    ({ tensors }: GraphPlan) =>
      void tensors.splice(index, 1, { ...tensors[index]!, ...changes });

  const spoiled: [string, Step[], (graph: GraphPlan) => void, string][] = [
    ['operators in a circle', [conv(), conv()], changeOperator(1, { outputs: [0] }), 'a circle by way of CONV_2D'],
    [
      'a branch',
      [conv(), conv(), conv()],
      changeOperator(2, { inputs: [2, 3] }),
      'a chain of operators, received CONV_2D and CONV_2D behind step 0',
    ],
    [
      'an operator with two results',
      [conv()],
      changeOperator(0, { outputs: [2, 2] }),
      'CONV_2D to have one result, received 2',
    ],
    ['an end before the output', [conv()], ({ operators }) => void operators.pop(), 'received none behind input'],
    ['a tensor that is not there', [conv()], changeOperator(0, { inputs: [0, -5] }), 'one of 3 tables, received -5'],
    [
      'too many operators',
      [conv()],
      ({ operators }) => void operators.push(...new Array(10_000).fill(operators[0])),
      'a network of at most 10000 operators, received 10001',
    ],
    [
      'too many inputs',
      [conv()],
      changeOperator(0, { inputs: new Array(9).fill(0) }),
      'a list of at most 8 numbers, received 9',
    ],
    [
      'a kernel of a size that its bytes do not have',
      [conv()],
      changeTensor(1, { shape: [60_000, 60_000, 1, 1] }),
      'to have 14400000000 bytes, received 16',
    ],
    [
      'a kernel without channels',
      [conv()],
      changeTensor(1, { shape: [2, 0, 1, 2], data: new Uint8Array(0) }),
      'to have 0 bytes, received 0',
    ],
    [
      'weights of another type',
      [conv()],
      changeTensor(1, { type: 17 }),
      'to be of float32, float16, int8, int16, uint8, int32 or int64, received type 17',
    ],
    [
      'int8 weights without a scale',
      [conv()],
      changeTensor(1, { type: 9, data: new Uint8Array(4) }),
      'a scale for constant, received none',
    ],
  ];
  test.each(spoiled)('%s', async (_, steps, spoil, expected) => {
    const refusal = expect(read(chainFile([4, 4, 2], steps, spoil))).rejects;
    await refusal.toMatchObject({ name: 'MobilenetError', code: 'invalid-data' });
    await refusal.toThrow(expected);
  });

  test('a thousand layers that share one large kernel, before they take a thousand times its memory', async () => {
    let shared: number | undefined;
    const kernel = (graph: GraphPlan) => {
      shared ??= floats([128, 1, 1, 128], new Float32Array(128 * 128))(graph);
      return shared;
    };
    const steps = Array.from({ length: 1000 }, () => ({ ...conv(), operands: [kernel] }));
    await expect(read(chainFile([4, 4, 128], steps))).rejects.toThrow('Its tensors share bytes too often.');
  });

  test('batch norms without end, made of one number', async () => {
    const first = { ...conv(), operands: [floats([9000, 1, 1, 2], new Float32Array(18_000))] };
    let shared: number | undefined;
    const number = (graph: GraphPlan) => {
      shared ??= floats([1], [2])(graph);
      return shared;
    };
    const norms = Array.from({ length: 1000 }, () => [{ code: Op.MUL, operands: [number] }, { code: Op.RELU }]);
    await expect(read(chainFile([1, 1, 2], [first, ...norms.flat()]))).rejects.toThrow('share bytes too often');
  });

  test.each([
    ['our own', 'mobilenet-v1-ts', 'no JSON'],
    ["TFLite's", 'TFLITE_METADATA', 'no FlatBuffer'],
  ])('damaged metadata: %s', async (_, name, text) => {
    const bytes = chainFile([4, 4, 2], [conv()], undefined, { [name]: new TextEncoder().encode(text) });
    await expect(read(bytes)).rejects.toMatchObject({ code: 'invalid-data' });
  });
});

describe('values that do not lie in the FlatBuffer', () => {
  test('are read where they lie behind it, in the same file', async () => {
    const { bytes, end } = outside((end) => ({ buffer: [end, 16] }));
    const file = new Uint8Array([...bytes, ...new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)]);
    expect(file.length).toBe(end + 16);
    expect((await read(file)).layers).toMatchObject([{ kernel: { data: Float32Array.of(1, 3, 2, 4) } }]);
  });

  test.each([
    ['beyond the end of the file', (end: number) => ({ buffer: [end, 17] as const }), 'The file is not whole'],
    ['in another file', () => ({ external: 1 }), 'inside of the file, received a tensor in another file'],
    ['as a sparse tensor', () => ({ isSparse: true }), 'to be dense, received a sparse tensor'],
  ])('are refused %s', async (_, place, expected) => {
    const { bytes } = outside(place);
    const refusal = expect(read(new Uint8Array([...bytes, ...new Uint8Array(16)]))).rejects;
    await refusal.toMatchObject({ code: 'invalid-data' });
    await refusal.toThrow(expected);
  });
});

interface Place {
  readonly buffer?: readonly [offset: number, size: number];
  readonly external?: number;
  readonly isSparse?: boolean;
}

/** A file of one convolution, whose kernel lies where `place` says, given the end of the FlatBuffer. */
function outside(place: (end: number) => Place): { bytes: Bytes; end: number } {
  // The length does not depend on what the numbers are, unless they are 0.
  const end = encodeOutside(place(1000)).length;
  return { bytes: encodeOutside(place(end)), end };
}

function encodeOutside({ buffer = [1, 1], external = 0, isSparse = false }: Place): Bytes {
  const writer = new FlatWriter(new Builder());
  const { builder } = writer;
  const empty = writer.table([]);
  builder.startObject(3);
  builder.addFieldInt64(BufferField.offset, BigInt(buffer[0]), 0n);
  builder.addFieldInt64(BufferField.size, BigInt(buffer[1]), 0n);
  const buffers = [empty, builder.endObject()];
  const sparsity = isSparse ? writer.table([]) : 0;
  const tensor = (shape: number[], isKernel: boolean) =>
    writer.table([
      [TensorField.shape, 'offset', writer.int32s(shape)],
      [TensorField.buffer, 'int32', isKernel ? 1 : 0],
      [TensorField.sparsity, 'offset', isKernel ? sparsity : 0],
      [TensorField.externalBuffer, 'int32', isKernel ? external : 0],
    ]);
  const tensors = [tensor([1, 4, 4, 2], false), tensor([2, 1, 1, 2], true), tensor([1, 4, 4, 2], false)];
  const { type, fields } = conv().options!;
  const operator = writer.table([
    [OperatorField.inputs, 'offset', writer.int32s([0, 1])],
    [OperatorField.outputs, 'offset', writer.int32s([2])],
    [OperatorField.optionsType, 'int8', type],
    [OperatorField.options, 'offset', writer.table(fields)],
  ]);
  const graph = writer.table([
    [SubGraphField.tensors, 'offset', writer.offsets(tensors)],
    [SubGraphField.inputs, 'offset', writer.int32s([0])],
    [SubGraphField.outputs, 'offset', writer.int32s([2])],
    [SubGraphField.operators, 'offset', writer.offsets([operator])],
  ]);
  const code = writer.table([[OperatorCodeField.builtinCode, 'int32', Op.CONV_2D]]);
  const model = writer.table([
    [ModelField.version, 'int32', 3],
    [ModelField.operatorCodes, 'offset', writer.offsets([code])],
    [ModelField.subgraphs, 'offset', writer.offsets([graph])],
    [ModelField.buffers, 'offset', writer.offsets(buffers)],
  ]);
  builder.finish(model, FILE_IDENTIFIER);
  return builder.asUint8Array().slice();
}
