import type { ConvStage, FeatureSize, Stage } from '../../graph/stage';
import { endPadding } from './endPadding';
import type { GraphBuilder } from './graphBuilder';
import { ELEMENT, type OnnxAttribute } from './schema';
import { type FloatElement, floatTensor, int64Tensor } from './tensorContent';

// N = pictures, H, W and C = height, width and channels of a feature map.

/** Names of a convolution's or a dense layer's weights. */
export interface Operands {
  readonly kernel: string;
  readonly bias: string | undefined;
}

/** Where a convolution's window goes. */
export type Sliding = Pick<ConvStage, 'name' | 'window' | 'input' | 'output'>;

/** Writes one operation after the other, each of which reads what the last one made. */
export class ChainWriter {
  /** Whether the value is `[N,C]`; else it is `[N,C,H,W]`. */
  private isFlat = false;

  /**
   * @param value what has been made last, in the beginning the picture `[N,C,H,W]`
   * @param element what floats are while the network computes
   */
  constructor(
    readonly graph: GraphBuilder,
    private value: string,
    private size: FeatureSize,
    private element: FloatElement,
  ) {}

  /** Kernel `[F,C/groups,KH,KW]`, bias `[F]`. */
  convolve(stage: Sliding, { kernel, bias }: Operands, groups: number): void {
    this.toMap();
    const { kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft } = stage.window;
    const { bottom, right } = endPadding(stage);
    this.append('Conv', stage.name, optional([kernel, bias]), {
      group: { int: groups },
      kernel_shape: { ints: [kernelHeight, kernelWidth] },
      pads: { ints: [padTop, padLeft, bottom, right] },
      strides: { ints: [strideHeight, strideWidth] },
    });
    this.size = stage.output;
  }

  /** Kernel `[H*W*C,F]`, bias `[F]`. */
  connect({ name, output }: Pick<Sliding, 'name' | 'output'>, { kernel, bias }: Operands): void {
    this.toVector();
    this.append('Gemm', name, optional([kernel, bias]));
    this.size = output;
  }

  /** @param weights gamma, beta, mean and variance */
  normalize(name: string, weights: readonly string[], epsilon: number): void {
    this.append('BatchNormalization', name, weights, { epsilon: { float: epsilon } });
  }

  pool(name: string): void {
    this.toMap();
    this.append('GlobalAveragePool', name);
    this.size = { ...this.size, height: 1, width: 1 };
  }

  clamp(name: string, [low, high]: Stage['clamp']): void {
    if (low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY) return;
    if (low === 0 && high === Number.POSITIVE_INFINITY) {
      this.append('Relu', `${name}/relu`);
      return;
    }
    // A limit that is left out is an empty name.
    const limit = (value: number) =>
      Number.isFinite(value) ? this.graph.constant(`limit/${value}`, () => floatTensor(this.element, [value], [])) : '';
    this.append('Clip', `${name}/clip`, [limit(low), limit(high)]);
  }

  softmax(name: string): void {
    this.toVector();
    this.append('Softmax', `${name}/softmax`, [], { axis: { int: 1 } });
  }

  cast(element: FloatElement): void {
    if (element === this.element) return;
    this.append('Cast', `to_${element}`, [], { to: { int: ELEMENT[element] } });
    this.element = element;
  }

  /** Any operation that keeps the shape. */
  append(
    op: string,
    name: string,
    operands: readonly string[] = [],
    attributes: Record<string, OnnxAttribute> = {},
  ): void {
    this.value = this.graph.add(op, [this.value, ...operands], name, attributes);
  }

  /** Ends the chain with a vector `[N,H*W*C]`, in the order of a picture `[N,H,W,C]`. */
  endInVector(output: string): void {
    this.toVector();
    this.graph.finish(this.value, output);
  }

  /** Ends the chain with a feature map in the layout of the file's input. */
  endInMap(output: string, layout: 'NHWC' | 'NCHW'): void {
    this.toMap();
    if (layout === 'NHWC') this.transpose('to_nhwc', [0, 2, 3, 1]);
    this.graph.finish(this.value, output);
  }

  transpose(name: string, order: readonly number[]): void {
    this.append('Transpose', name, [], { perm: { ints: order } });
  }

  private toMap(): void {
    if (!this.isFlat) return;
    const { channels } = this.size;
    // What is flat comes from a dense layer, so it is one pixel. 0 stands for the size that is there, the batch's.
    const shape = this.graph.constant(`map/${channels}`, () => int64Tensor([0, channels, 1, 1]));
    this.append('Reshape', 'to_map', [shape]);
    this.isFlat = false;
  }

  private toVector(): void {
    if (this.isFlat) return;
    if (this.size.height * this.size.width > 1) this.transpose('to_nhwc', [0, 2, 3, 1]);
    this.append('Flatten', 'to_vector', [], { axis: { int: 1 } });
    this.isFlat = true;
  }
}

function optional(operands: readonly (string | undefined)[]): string[] {
  return operands.filter((operand) => operand !== undefined);
}
