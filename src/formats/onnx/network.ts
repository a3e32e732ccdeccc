import { noZeros, type Placement, placeWindow, type Sliding, type Zeros } from '../../graph/window';
import { refuse } from '../../io/refuse';
import { activateLast } from '../activateLast';
import { type ActivationStep, isLinear, linear } from '../activation';
import { type Affine, compose, identity, spread } from '../affine';
import type { BatchNormWeights, ConvWeights, DepthwiseWeights, Values, WeightedLayer } from '../networkWeights';
import type { FileWindow } from '../paddingStyle';
import type { Constants } from './constants';

/** Height and width of pictures whose size the file leaves open: those of ImageNet's. */
const USUAL_SIZE = 224;

/** What a {@link Network} is read from. */
export interface NetworkSource {
  /** The file's path or address. */
  readonly where: string;
  readonly constants: Constants;
  /** Sizes of the input; one that is left open is a name. */
  readonly dims: readonly (number | string)[];
  /** Whether the file's framework pads with zeros of its own, where others compute them from the picture's size. */
  readonly padsApart: boolean;
}

/** What has been read of a network, from its input on. */
export class Network {
  readonly layers: WeightedLayer[] = [];
  readonly windows: FileWindow[] = [];
  /** What the file does with pictures before the first layer; undefined where it does nothing. */
  preparation: Affine | undefined;
  /** Whether Transposes have brought channels behind height and width. */
  isChannelsLast = false;
  /** Zeros of a Pad that wait for the convolution which they pad. */
  private zeros: Zeros = noZeros;
  /** Sizes of the value that has been read, `[N,C,H,W]` or in the order of Transposes. */
  private dims: readonly (number | string | undefined)[];
  private affine: PendingAffine | undefined;

  constructor(readonly source: NetworkSource) {
    this.dims = source.dims;
  }

  /** Channels of what the last layer puts out; undefined before the first one. */
  get channels(): number | undefined {
    const last = this.layers.at(-1);
    if (!last) return undefined;
    if (last.kind === 'batchNorm') return last.movingMean.data.length;
    const [inner = 1, outer = 1] = last.kernel.shape.toReversed();
    return last.kind === 'depthwise' ? outer * inner : inner;
  }

  transpose(order: readonly number[]): void {
    this.dims = order.map((axis) => this.dims[axis]);
    const orders = order.join();
    if (orders === '0,2,3,1') this.isChannelsLast = true;
    if (orders === '0,3,1,2') this.isChannelsLast = false;
  }

  pad(zeros: Zeros): void {
    this.zeros = sum(this.zeros, zeros);
  }

  convolve(layer: ConvWeights | DepthwiseWeights, sliding: Sliding, pads: Zeros): void {
    const [height, width] = this.pictureSize();
    const zeros = sum(this.zeros, pads);
    const placement = placeWindow({ height, width, channels: 1 }, sliding, zeros);
    const same = placeWindow({ height, width, channels: 1 }, { ...sliding, padding: 'same' }, noZeros);
    if (placement.height < 1 || placement.width < 1) {
      refuse(this.source.where, `a window of ${layer.name} that fits into ${height} x ${width} pixels`, 'a larger one');
    }
    const isSame = this.zeros === noZeros && !this.source.padsApart && isEqual(placement, same);
    const window = isSame ? { sliding: { ...sliding, padding: 'same' as const }, zeros: noZeros } : { sliding, zeros };
    this.add({ ...layer, strides: sliding.strides });
    this.windows.push({ kind: layer.kind, height, width, ...window });
    this.zeros = noZeros;
    this.dims = [undefined, undefined, placement.height, placement.width];
  }

  add(layer: WeightedLayer): void {
    this.endAffine();
    this.layers.push({ ...layer, activation: linear });
  }

  activate(step: ActivationStep): void {
    this.endAffine();
    activateLast(this.layers, step);
  }

  /** @param levels of what has been made last, and is quantised now */
  limit(levels: ActivationStep): void {
    if (this.affine) this.affine = { ...this.affine, levels };
    else activateLast(this.layers, levels);
  }

  /** Adds `factor * x + term`, each one number or one for each channel. */
  scale(name: string, factor: ArrayLike<number>, term: ArrayLike<number>): void {
    const value = compose(this.affine?.value ?? identity, factor, term);
    if (!value) refuse(this.source.where, `${name} to have one number for each channel`, 'another count');
    this.affine = { name, value };
  }

  /** To be called before everything that is no part of a layer, and at the end. */
  endAffine(): void {
    const { affine, layers, channels } = this;
    if (!affine) return;
    this.affine = undefined;
    const { name, value, levels } = affine;
    if (channels === undefined) {
      this.prepare(name, value);
      return;
    }
    if (![1, channels].includes(value.scale.length)) {
      refuse(
        this.source.where,
        `${name} to have one number, or one for each of ${channels} channels`,
        value.scale.length,
      );
    }
    const activation = levels ? [levels] : linear;
    const last = layers.at(-1)!;
    const isBias = last.kind !== 'batchNorm' && !last.bias && value.scale.every((scale) => scale === 1);
    if (isBias && isLinear(last.activation ?? linear)) {
      const bias = { shape: [channels], data: spread(value.offset, channels) };
      layers[layers.length - 1] = { ...last, bias, activation };
    } else {
      layers.push({ ...takenApart(name, value, channels), activation });
    }
  }

  /** Height and width of the feature map that has been made last. */
  pictureSize(): [height: number, width: number] {
    const size = (value: number | string | undefined) => (typeof value === 'number' && value > 0 ? value : USUAL_SIZE);
    return [size(this.dims[2]), size(this.dims[3])];
  }

  private prepare(name: string, value: Affine): void {
    if (this.preparation) {
      refuse(this.source.where, 'pictures that are scaled in one place', `${name}, behind another that does`);
    }
    this.preparation = value;
  }
}

/** What Mul and Add make of a layer's output so far, and what its last result can hold where that was quantised. */
interface PendingAffine {
  readonly name: string;
  readonly value: Affine;
  readonly levels?: ActivationStep;
}

/** A batch norm that a converter has taken apart. */
function takenApart(name: string, { scale, offset }: Affine, channels: number): BatchNormWeights {
  const vector = (data: Float32Array): Values => ({ shape: [channels], data });
  return {
    kind: 'batchNorm',
    name,
    gamma: vector(spread(scale, channels)),
    beta: vector(spread(offset, channels)),
    movingMean: vector(new Float32Array(channels)),
    movingVariance: vector(new Float32Array(channels).fill(1)),
    epsilon: 0,
  };
}

function sum(a: Zeros, b: Zeros): Zeros {
  const zeros = { top: a.top + b.top, bottom: a.bottom + b.bottom, left: a.left + b.left, right: a.right + b.right };
  return Object.values(zeros).every((count) => count === 0) ? noZeros : zeros;
}

function isEqual(a: Placement, b: Placement): boolean {
  const isAligned = a.window.padTop === b.window.padTop && a.window.padLeft === b.window.padLeft;
  return isAligned && a.height === b.height && a.width === b.width;
}
