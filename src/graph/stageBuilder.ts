import type { BatchNorm, ConvStage, DepthwiseStage, FeatureSize, Stage, WeightInfo, WeightRef } from './stage';
import { noZeros, placeWindow, type Sliding, type Zeros } from './window';

/** Why a layer cannot be added: the end of a sentence that begins with the layer. Undefined where it was added. */
export type Refusal = string | undefined;

type Clamp = Stage['clamp'];
/** Counted with the batch; -1 is the last one. Model files of Keras have a list of one. */
type Axis = number | readonly number[];

/** What every convolution has: the layer's name, its weights, and how its window moves. */
export interface Convolution extends Sliding {
  readonly name: string;
  readonly kernel: WeightRef;
  readonly bias: WeightRef | undefined;
}

const noClamp: Clamp = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const unfused = { bias: undefined, batchNorm: undefined, clamp: noClamp };
const pixelWindow = { kernelHeight: 1, kernelWidth: 1, strideHeight: 1, strideWidth: 1, padTop: 0, padLeft: 0 };

/**
 * Fuses a chain of layers into stages.
 *
 * Each method adds one layer, or says why it cannot and leaves the builder as it was.
 */
export class StageBuilder {
  readonly stages: Stage[] = [];
  endsInSoftmax = false;
  /** Zeros that wait for the convolution which they pad. */
  private zeros = noZeros;
  /** What tfjs calls the picture of `size`, without the batch; the values lie in the same order. */
  private shape: readonly number[];

  /** @param weights what the layers' references point at */
  constructor(
    private size: FeatureSize,
    private readonly weights: readonly WeightInfo[],
  ) {
    this.shape = [size.height, size.width, size.channels];
  }

  pad({ top, bottom, left, right }: Zeros): Refusal {
    const refusal = this.afterSoftmax() ?? this.notPicture();
    if (refusal) return refusal;
    const { zeros } = this;
    this.zeros = {
      top: zeros.top + top,
      bottom: zeros.bottom + bottom,
      left: zeros.left + left,
      right: zeros.right + right,
    };
  }

  convolve(convolution: Convolution, filters: number): Refusal {
    const isPointwise = convolution.kernelSize.every((size) => size === 1) && this.zeros === noZeros;
    if (isPointwise && this.isFlat()) return this.connect(convolution, filters);
    return this.slide(convolution, filters, (stage) => ({ ...stage, kind: 'conv', kernel: convolution.kernel }));
  }

  convolveDepthwise(convolution: Convolution, multiplier: number): Refusal {
    const { kernel } = convolution;
    const channels = this.size.channels * multiplier;
    return this.slide(convolution, channels, (stage) => ({ ...stage, kind: 'depthwise', kernel, multiplier }));
  }

  /** A dense layer is a convolution with one window, the whole picture; its kernel has the right order as it is. */
  connect({ name, kernel, bias }: Pick<Convolution, 'name' | 'kernel' | 'bias'>, units: number): Refusal {
    const refusal = this.outOfPlace() ?? this.notFlat() ?? this.unfit(kernel);
    if (refusal) return refusal;
    const { size, shape } = this;
    const window = { ...pixelWindow, kernelHeight: size.height, kernelWidth: size.width };
    const output = { height: 1, width: 1, channels: units };
    this.append({ ...unfused, kind: 'conv', name, input: size, output, kernel, bias, window });
    this.shape = [...shape.slice(0, -1), units];
  }

  /** @param covers the pixels of one mean, where it is a pooling layer that has a size */
  pool(name: string, covers?: readonly [height: number, width: number]): Refusal {
    const refusal = this.outOfPlace() ?? this.notPicture();
    if (refusal) return refusal;
    const { size } = this;
    if (covers && (covers[0] !== size.height || covers[1] !== size.width)) {
      return `pools ${covers.join(' x ')} pixels of ${this.reading()}; only a mean over all of them is known`;
    }
    this.append({ ...unfused, kind: 'pool', name, input: size, output: { ...size, height: 1, width: 1 } });
  }

  drop(name: string, rate: number): Refusal {
    const refusal = this.outOfPlace();
    if (refusal) return refusal;
    this.stages.push({ ...unfused, kind: 'dropout', name, input: this.size, output: this.size, rate });
  }

  normalize(batchNorm: BatchNorm, axis: Axis): Refusal {
    const refusal = this.outOfPlace() ?? this.notLast(axis);
    if (refusal) return refusal;
    if (this.shape.at(-1) !== this.size.channels) return `normalises ${this.reading()} value by value`;
    const unfit = this.unfit(batchNorm.movingMean);
    if (unfit) return unfit;
    const last = this.lastOperation();
    // Only convolutions gather the sums that batch statistics need.
    if (last && last.kind !== 'pool' && !last.batchNorm && last.clamp === noClamp)
      this.replaceLast({ ...last, batchNorm });
    else this.stages.push({ ...this.identity(batchNorm.name), batchNorm });
  }

  clamp(name: string, [low, high]: Clamp): Refusal {
    const refusal = this.outOfPlace();
    if (refusal) return refusal;
    const clip = (value: number) => Math.min(Math.max(value, low), high);
    const last = this.lastOperation();
    if (last) this.replaceLast({ ...last, clamp: [clip(last.clamp[0]), clip(last.clamp[1])] });
    else this.stages.push({ ...this.identity(name), clamp: [low, high] });
  }

  /** @param shape without the batch; null stands for what is left over */
  reshape(shape: readonly (number | null)[]): Refusal {
    const refusal = this.afterZeros();
    if (refusal) return refusal;
    const known = shape.reduce<number>((product, size) => product * (size ?? 1), 1);
    const left = this.values() / known;
    const fits = shape.includes(null) ? Number.isInteger(left) : left === 1;
    if (!fits) return `cannot make [N,${shape.map((size) => size ?? '?')}] of ${this.reading()}`;
    this.shape = shape.map((size) => size ?? left);
  }

  flatten(): Refusal {
    return this.reshape([null]);
  }

  softmax(name: string, axis: Axis): Refusal {
    const refusal = this.outOfPlace() ?? this.notLast(axis);
    if (refusal) return refusal;
    if (!this.isFlat()) return `is a softmax of each pixel of ${this.reading()}; only one over all classes is known`;
    // A loss reads the last stage's values as they are, without a clamp.
    const last = this.stages.at(-1);
    if (last && last.clamp !== noClamp) this.stages.push(this.identity(name));
    this.endsInSoftmax = true;
  }

  /**
   * Whether the stages are complete; to be asked once, of the chain's last layer that computes something.
   *
   * @param anyOutput whether the model may end in any values, not only in those that a loss can be made of
   */
  finish(anyOutput: boolean): Refusal {
    const last = this.stages.at(-1);
    if (this.zeros !== noZeros) return 'pads the last picture, and no convolution follows';
    if (!last) return 'stands without any layer that computes';
    if (anyOutput) return;
    if (this.shape.length !== 1 || this.shape[0] !== this.size.channels) {
      return `ends the model in ${this.reading()}, not in [N,classes] of one pixel`;
    }
    if (last.clamp !== noClamp) return 'ends the model in an activation that is not a softmax';
  }

  private slide(
    convolution: Convolution,
    channels: number,
    toStage: (stage: Omit<ConvStage | DepthwiseStage, 'kind' | 'kernel' | 'multiplier'>) => Stage,
  ): Refusal {
    const refusal = this.afterSoftmax() ?? this.notPicture();
    if (refusal) return refusal;
    const { size, zeros } = this;
    const { name, bias } = convolution;
    const { window, height, width } = placeWindow(size, convolution, zeros);
    if (height < 1 || width < 1) return `has a window that does not fit into ${this.reading()}`;
    this.zeros = noZeros;
    this.append(toStage({ ...unfused, name, input: size, output: { height, width, channels }, bias, window }));
  }

  /** Appends a stage that makes a picture of its own. */
  private append(stage: Stage): void {
    const { height, width, channels } = stage.output;
    this.stages.push(stage);
    this.size = stage.output;
    this.shape = [height, width, channels];
  }

  /** The stage that takes in what follows; dropout does not, for it works on activated values. */
  private lastOperation(): Stage | undefined {
    const last = this.stages.at(-1);
    return last?.kind === 'dropout' ? undefined : last;
  }

  private replaceLast(stage: Stage): void {
    this.stages[this.stages.length - 1] = stage;
  }

  /** For what has no operation to be fused with. */
  private identity(name: string): DepthwiseStage {
    const { size } = this;
    const window = pixelWindow;
    return { ...unfused, kind: 'depthwise', name, input: size, output: size, kernel: undefined, window, multiplier: 1 };
  }

  private outOfPlace(): Refusal {
    return this.afterSoftmax() ?? this.afterZeros();
  }

  private afterSoftmax(): Refusal {
    return this.endsInSoftmax ? 'follows a softmax, which must be the end of the model' : undefined;
  }

  private afterZeros(): Refusal {
    return this.zeros === noZeros ? undefined : 'follows zero padding, where only a convolution can';
  }

  private notPicture(): Refusal {
    const { height, width, channels } = this.size;
    const [h, w, c] = this.shape;
    const isPicture = this.shape.length === 3 && h === height && w === width && c === channels;
    return isPicture ? undefined : `takes ${this.reading()} for a picture`;
  }

  private notFlat(): Refusal {
    return this.isFlat() ? undefined : `reads ${this.reading()}, not one flat vector`;
  }

  /** The pixels of a flat vector may be more, or fewer, than those of the model's own pictures. */
  private unfit({ index }: WeightRef): Refusal {
    const { shape } = this.weights[index]!;
    // C of a kernel [..,C,F], or of batch norm's averages [C].
    const values = shape.at(-2) ?? shape[0];
    if (values === this.shape.at(-1)) return;
    return `has ${shape.length > 1 ? 'a kernel' : 'averages'} for ${values} values, not for ${this.reading()}`;
  }

  private notLast(axis: Axis): Refusal {
    const isLast = [axis].flat().every((one) => one === -1 || one === this.shape.length);
    return isLast ? undefined : `works along axis ${axis} of ${this.reading()}; only the last one is known`;
  }

  /** Whether tfjs sees all values of a picture in one row. */
  private isFlat(): boolean {
    return this.shape.at(-1) === this.values();
  }

  private values(): number {
    return this.size.height * this.size.width * this.size.channels;
  }

  /** What a layer reads, in words. */
  private reading(): string {
    const { height, width, channels } = this.size;
    const seen = `[N,${this.shape}]`;
    const picture = `[N,${[height, width, channels]}]`;
    return seen === picture ? seen : `${seen} (reshaped from ${picture})`;
  }
}
