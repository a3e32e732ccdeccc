import { Builder } from 'flatbuffers';
import { encodeTflite } from '../../src/formats/tflite/encodeTflite';
import { GraphPlan, type OptionField } from '../../src/formats/tflite/graphPlan';
import { ConvField, Op, OptionsType, Padding } from '../../src/formats/tflite/schema';

type Shape = readonly number[];

/** An operator of a chain; `operands` are added to what the one before it made. */
export interface Step {
  readonly code: number;
  readonly operands?: readonly ((graph: GraphPlan) => number)[];
  /** Whether the operands come first. */
  readonly operandsFirst?: boolean;
  /** Without the batch; that of the input where it is left out. */
  readonly shape?: Shape;
  readonly options?: { readonly type: number; readonly fields: readonly OptionField[] };
}

/** Changes a plan before it is put into bytes, to something that no exporter would write. */
export type Spoil = (graph: GraphPlan) => void;

export const floats = (shape: Shape, values: ArrayLike<number>) => (graph: GraphPlan) =>
  graph.floats('constant', shape, Float32Array.from(values));

export const integers = (shape: Shape, values: readonly number[]) => (graph: GraphPlan) =>
  graph.integers('integers', shape, values);

/** A file of operators one behind the other, for pictures `[1,H,W,C]`. */
export function chainFile(input: Shape, steps: readonly Step[], spoil: Spoil = () => {}, metadata = {}) {
  const graph = new GraphPlan();
  let last = graph.value('input', [1, ...input]);
  let output = last;
  for (const { code, operands = [], operandsFirst = false, shape = input, options } of steps) {
    const others = operands.map((operand) => operand(graph));
    output = graph.value(`step ${graph.operators.length}`, [1, ...shape]);
    const inputs = operandsFirst ? [...others, last] : [last, ...others];
    graph.operators.push({ code, version: 1, inputs, outputs: [output], options });
    last = output;
  }
  spoil(graph);
  const { tensors, operators } = graph;
  const plan = { name: 'chain', tensors, operators, input: 0, output, metadata: new Map(Object.entries(metadata)) };
  return encodeTflite((bytes) => new Builder(bytes), plan as Parameters<typeof encodeTflite>[1]);
}

/** A 1x1 convolution of two channels, kernel `[2,1,1,2]` of 1 to 4. */
export function conv(fields: Partial<Record<keyof typeof ConvField, number>> = {}): Step {
  const all = { strideW: 1, strideH: 1, padding: Padding.valid, ...fields };
  const options = Object.entries(all).map(([name, value]): OptionField => {
    const type = name === 'padding' || name === 'activation' ? 'int8' : 'int32';
    return [ConvField[name as keyof typeof ConvField], type, value];
  });
  return {
    code: Op.CONV_2D,
    operands: [floats([2, 1, 1, 2], [1, 2, 3, 4])],
    options: { type: OptionsType.conv, fields: options },
  };
}
