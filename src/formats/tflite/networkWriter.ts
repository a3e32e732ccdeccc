import type { FeatureSize, Stage } from '../../graph/stage';
import { noZeros, type Sliding, type Zeros } from '../../graph/window';
import type { GraphPlan, OptionField, OptionsPlan } from './graphPlan';
import {
  Activation,
  ArithmeticField,
  ConvField,
  DenseField,
  DepthwiseField,
  Op,
  OptionsType,
  Padding,
  ReducerField,
  SoftmaxField,
} from './schema';

// KH and KW are a kernel's height and width, C its input channels, F its filters, Q = C * M outputs of a depthwise one.

type Clamp = Stage['clamp'];

/** What every operator with weights has. */
interface Weighted {
  readonly name: string;
  readonly filter: { readonly shape: readonly number[]; readonly data: Float32Array };
  readonly bias: Float32Array;
  readonly clamp: Clamp;
}

interface Convolution extends Weighted, Pick<Sliding, 'strides' | 'padding'> {
  /** Of layers before it, which pad. */
  readonly zeros: Zeros;
  readonly output: FeatureSize;
}

/** Writes one operator after the other, each of which reads what the last one made. */
export class NetworkWriter {
  /** What was made last: its tensor, and its shape without the batch. */
  private last: { readonly tensor: number; readonly shape: readonly number[] };

  constructor(
    private readonly graph: GraphPlan,
    { name, height, width, channels }: FeatureSize & { readonly name: string },
    private readonly settings: { readonly batch: number; readonly weights: 'float32' | 'float16' },
  ) {
    const shape = [height, width, channels];
    this.last = { tensor: graph.value(name, [settings.batch, ...shape]), shape };
  }

  /** Filter `[F,KH,KW,C]`. */
  convolve(convolution: Convolution): void {
    this.slide(convolution, Op.CONV_2D, OptionsType.conv, ConvField);
  }

  /** Filter `[1,KH,KW,Q]`. */
  convolveDepthwise(convolution: Convolution, multiplier: number): void {
    const redundant: OptionField[] = [[DepthwiseField.depthMultiplier, 'int32', multiplier]];
    this.slide(convolution, Op.DEPTHWISE_CONV_2D, OptionsType.depthwise, DepthwiseField, redundant);
  }

  /** Filter `[F,C]`, for a vector of C values. */
  connect({ name, filter, bias, clamp }: Weighted): void {
    const [filters, values] = filter.shape as [number, number];
    this.reshape(`${name}/vector`, [values]);
    const { activation, limit } = endOf(clamp);
    const fields: OptionField[] = [[DenseField.activation, 'int8', activation]];
    this.append(Op.FULLY_CONNECTED, name, this.weights({ name, filter, bias }), [filters], {
      type: OptionsType.dense,
      fields,
    });
    this.limit(name, limit);
  }

  /** `scale * x + offset` for each channel, where no convolution takes it in. */
  normalize(name: string, scale: Float32Array, offset: Float32Array, clamp: Clamp): void {
    const { activation, limit } = endOf(clamp);
    const fields: OptionField[] = [[ArithmeticField.activation, 'int8', activation]];
    const vector = (part: string, data: Float32Array) => [this.graph.floats(`${name}/${part}`, [data.length], data)];
    this.append(Op.MUL, `${name}/mul`, vector('scale', scale), this.last.shape, { type: OptionsType.mul, fields: [] });
    this.append(Op.ADD, name, vector('offset', offset), this.last.shape, { type: OptionsType.add, fields });
    this.limit(name, limit);
  }

  /** A clamp that no other operator takes in. */
  activate(name: string, clamp: Clamp): void {
    const { activation, limit } = endOf(clamp);
    if (activation === Activation.relu) this.append(Op.RELU, `${name}/relu`, [], this.last.shape);
    if (activation === Activation.relu6) this.append(Op.RELU6, `${name}/relu`, [], this.last.shape);
    this.limit(name, limit);
  }

  /** The mean of each channel, `[1,1,C]`. */
  pool(name: string): void {
    if (this.last.shape.length === 1) this.reshape(`${name}/map`, [1, 1, ...this.last.shape]);
    const axes = [this.graph.integers(`${name}/axes`, [2], [1, 2])];
    const fields: OptionField[] = [[ReducerField.keepDims, 'int8', 1]];
    this.append(Op.MEAN, name, axes, [1, 1, this.last.shape.at(-1)!], { type: OptionsType.reducer, fields });
  }

  softmax(name: string): void {
    const fields: OptionField[] = [[SoftmaxField.beta, 'float32', 1]];
    this.append(Op.SOFTMAX, name, [], this.last.shape, { type: OptionsType.softmax, fields });
  }

  /** Writes nothing where the shape is that one already. */
  reshape(name: string, shape: readonly number[]): void {
    if (shape.join() === this.last.shape.join()) return;
    // -1 stands for the batch, so that interpreters can resize the input.
    const target = [this.graph.integers(`${name}/shape`, [1 + shape.length], [-1, ...shape])];
    this.append(Op.RESHAPE, name, target, shape, { type: OptionsType.reshape, fields: [] });
  }

  /** Names what was made last; gives its tensor. */
  finish(name: string): number {
    this.graph.rename(this.last.tensor, name);
    return this.last.tensor;
  }

  private slide(
    { name, filter, bias, clamp, strides, padding, zeros, output }: Convolution,
    code: number,
    type: number,
    fields: Record<'padding' | 'strideW' | 'strideH' | 'activation', number>,
    more: readonly OptionField[] = [],
  ): void {
    // What a dense layer puts out is a map of one pixel here.
    if (this.last.shape.length === 1) this.reshape(`${name}/map`, [1, 1, ...this.last.shape]);
    if (zeros !== noZeros) this.pad(`${name}/pad`, zeros);
    const { activation, limit } = endOf(clamp);
    const options: OptionField[] = [
      [fields.padding, 'int8', Padding[padding]],
      [fields.strideW, 'int32', strides[1]],
      [fields.strideH, 'int32', strides[0]],
      [fields.activation, 'int8', activation],
      ...more,
    ];
    const shape = [output.height, output.width, output.channels];
    this.append(code, name, this.weights({ name, filter, bias }), shape, { type, fields: options });
    this.limit(name, limit);
  }

  private pad(name: string, { top, bottom, left, right }: Zeros): void {
    const [height, width, channels] = this.last.shape as [number, number, number];
    const shape = [top + height + bottom, left + width + right, channels];
    const amounts = [this.graph.integers(`${name}/amounts`, [4, 2], [0, 0, top, bottom, left, right, 0, 0])];
    this.append(Op.PAD, name, amounts, shape, { type: OptionsType.pad, fields: [] });
  }

  private limit(name: string, limit: number | undefined): void {
    if (limit === undefined) return;
    const operand = [this.graph.floats(`${name}/limit`, [1], Float32Array.of(limit))];
    this.append(Op.MINIMUM, `${name}/minimum`, operand, this.last.shape, {
      type: OptionsType.maximumMinimum,
      fields: [],
    });
  }

  private weights({ name, filter, bias }: Omit<Weighted, 'clamp'>): number[] {
    const { graph, settings } = this;
    const kernel = settings.weights === 'float16' ? graph.halves.bind(graph) : graph.floats.bind(graph);
    return [kernel(`${name}/kernel`, filter.shape, filter.data), graph.floats(`${name}/bias`, [bias.length], bias)];
  }

  private append(
    code: number,
    name: string,
    operands: readonly number[],
    shape: readonly number[],
    options?: OptionsPlan,
  ): void {
    const { graph, settings, last } = this;
    const tensor = graph.value(name, [settings.batch, ...shape]);
    graph.operators.push({ code, version: 1, inputs: [last.tensor, ...operands], outputs: [tensor], options });
    this.last = { tensor, shape };
  }
}

/** A clamp as an operator's own activation, and a limit above that it does not know. */
function endOf([low, high]: Clamp): { activation: number; limit?: number } {
  if (low !== 0) return { activation: Activation.none };
  if (high === 6) return { activation: Activation.relu6 };
  return { activation: Activation.relu, ...(Number.isFinite(high) && { limit: high }) };
}
