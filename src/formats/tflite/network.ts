import { noZeros, type Zeros } from '../../graph/window';
import { refuse } from '../../io/refuse';
import { activateLast } from '../activateLast';
import { type ActivationStep, linear } from '../activation';
import { type Affine, compose, identity, spread } from '../affine';
import { METADATA_KEY } from '../fileMetadata';
import type { Values, WeightedLayer } from '../networkWeights';
import type { FileWindow } from '../paddingStyle';
import { addZeros } from './addZeros';
import type { Constants } from './constants';
import type { TfliteFile, TfliteOperator } from './tfliteFile';

/** Adds an operator to what has been read; `input` is the tensor that comes from the operator before it. */
export type OperatorReader = (network: Network, operator: TfliteOperator, input: number) => void;

type ConvolutionLayer = Extract<WeightedLayer, { kind: 'conv' | 'depthwise' | 'dense' }>;

/** What has been read of a network, from its input on. */
export class Network {
  readonly layers: WeightedLayer[] = [];
  readonly windows: FileWindow[] = [];
  /** What the file does with pictures before the first layer; undefined where it does nothing. */
  preparation: Affine | undefined;
  /** Zeros that wait for the convolution which they pad. */
  zeros: Zeros = noZeros;
  /** A batch norm that a converter has left as MUL and ADD, as far as it has been read. */
  private affine: PendingAffine | undefined;

  constructor(
    readonly file: TfliteFile,
    readonly constants: Constants,
  ) {}

  pad(zeros: Zeros): void {
    this.zeros = addZeros(this.zeros, zeros);
  }

  /** @param window of a convolution over a picture */
  add(layer: ConvolutionLayer, window?: Omit<FileWindow, 'zeros'>): void {
    this.endBatchNorm();
    const strides = window && { strides: window.sliding.strides };
    this.layers.push({ ...layer, ...strides, activation: linear });
    if (window) this.windows.push({ ...window, zeros: this.zeros });
    this.zeros = noZeros;
  }

  /** Adds `factor * x + term`, each one number or one for each channel. */
  scale(name: string, factor: ArrayLike<number>, term: ArrayLike<number>): void {
    const value = compose(this.affine?.value ?? identity, factor, term);
    if (!value) this.refuseChannels(name, factor.length);
    this.constants.count(name, value.scale.length);
    this.affine = { name, value };
  }

  /** Nothing is done where there is no step. */
  activate(step: ActivationStep | undefined): void {
    if (!step) return;
    this.endBatchNorm();
    activateLast(this.layers, step);
  }

  /** @param levels of what the last operator makes; undefined where it makes floats */
  limit(levels: ActivationStep | undefined): void {
    if (this.affine) this.affine = { ...this.affine, levels };
    else if (levels) activateLast(this.layers, levels);
  }

  /** To be called before everything that is no part of a batch norm, and at the end. */
  endBatchNorm(): void {
    const { affine, file, layers } = this;
    if (!affine) return;
    this.affine = undefined;
    const { name, value, levels } = affine;
    const last = layers.at(-1);
    // Our own files leave pictures as they are: there, it is a batch norm at the beginning.
    if (!last && !file.metadata(METADATA_KEY)) {
      this.prepare(name, value);
      return;
    }
    const channels = last ? channelsOf(last) : value.scale.length;
    if (![1, channels].includes(value.scale.length)) this.refuseChannels(name, value.scale.length, channels);
    this.constants.count(name, 4 * channels);
    const vector = (data: Float32Array): Values => ({ shape: [channels], data });
    layers.push({
      kind: 'batchNorm',
      name,
      gamma: vector(spread(value.scale, channels)),
      beta: vector(spread(value.offset, channels)),
      movingMean: vector(new Float32Array(channels)),
      movingVariance: vector(new Float32Array(channels).fill(1)),
      epsilon: 0,
      activation: levels ? [levels] : linear,
    });
  }

  private prepare(name: string, value: Affine): void {
    if (this.preparation) {
      refuse(this.file.where, 'pictures that are scaled in one place', `${name}, behind another that does`);
    }
    this.preparation = value;
  }

  private refuseChannels(name: string, received: number, channels?: number): never {
    const expected = `${name} to have one number${channels ? `, or one for each of ${channels} channels` : ' for each channel'}`;
    return refuse(this.file.where, expected, received);
  }
}

/** A batch norm that may go on, and what the result of its last operator can hold. */
interface PendingAffine {
  readonly name: string;
  readonly value: Affine;
  readonly levels?: ActivationStep | undefined;
}

/** Of its output. */
function channelsOf(layer: WeightedLayer): number {
  if (layer.kind === 'batchNorm') return layer.movingMean.data.length;
  const [last = 1, beforeLast = 1] = layer.kernel.shape.toReversed();
  return layer.kind === 'depthwise' ? beforeLast * last : last;
}
