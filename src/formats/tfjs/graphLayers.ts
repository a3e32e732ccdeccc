import { refuse } from '../../io/refuse';
import { activateLast } from '../activateLast';
import { type ActivationStep, linear } from '../activation';
import type {
  BatchNormWeights,
  ConvWeights,
  DenseWeights,
  DepthwiseWeights,
  Values,
  WeightedLayer,
} from '../networkWeights';

type Kernel = ConvWeights | DepthwiseWeights | DenseWeights;

/** A scale and an offset for each channel, or one for all. */
export interface Preparation {
  readonly scale: Float32Array;
  readonly offset: Float32Array;
}

/**
 * Collects layers as their arithmetic comes, one operation after the other.
 *
 * A scale and an offset behind a kernel are a batch norm whose statistics were folded: one of mean 0, variance 1 and
 * epsilon 0. Before the first kernel they are what is done to pictures.
 */
export class GraphLayers {
  readonly layers: WeightedLayer[] = [];
  preparation: Preparation = { scale: Float32Array.of(1), offset: Float32Array.of(0) };
  /** Whether nothing stands behind the last layer, or before the first one, so that offsets belong there. */
  private isOpen = true;

  constructor(private readonly where: string) {}

  kernel(layer: Kernel): void {
    this.layers.push({ ...layer, activation: linear });
    this.isOpen = true;
  }

  norm(layer: BatchNormWeights): void {
    this.layers.push({ ...layer, activation: linear });
    this.isOpen = true;
  }

  activate(step: ActivationStep): void {
    activateLast(this.layers, step);
    this.close();
  }

  /** For what stands between a layer and offsets that are none of its own. */
  close(): void {
    this.isOpen = false;
  }

  /** Behind an activation it is a batch norm on its own. */
  scale(name: string, factor: Values): void {
    const last = this.layers.at(-1);
    if (!last) {
      this.checkOpen(name);
      const { scale, offset } = this.preparation;
      this.preparation = { scale: product(scale, factor.data), offset: product(offset, factor.data) };
    } else {
      const gamma = this.vector(name, factor, channelsOf(last));
      const constant = (value: number) => ({ ...gamma, data: new Float32Array(gamma.data.length).fill(value) });
      const statistics = { movingMean: constant(0), movingVariance: constant(1), epsilon: 0 };
      this.norm({ kind: 'batchNorm', name, gamma, ...statistics });
    }
  }

  offset(name: string, added: Values): void {
    const last = this.layers.at(-1);
    this.checkOpen(name);
    if (!last) {
      const { scale, offset } = this.preparation;
      this.preparation = { scale, offset: sum(offset, added.data) };
      return;
    }
    const more = this.vector(name, added, channelsOf(last));
    const before = last.kind === 'batchNorm' ? last.beta : last.bias;
    const total = before ? { ...more, data: sum(before.data, more.data) } : more;
    this.layers[this.layers.length - 1] =
      last.kind === 'batchNorm' ? { ...last, beta: total } : { ...last, bias: total };
  }

  private checkOpen(name: string): void {
    if (!this.isOpen) refuse(this.where, 'a graph whose offsets follow kernels or batch norms', `node ${name}`);
  }

  /** One value for each channel. */
  private vector(name: string, { data }: Values, channels: number): Values {
    if (data.length !== 1 && data.length !== channels) {
      refuse(this.where, `${channels} values, or one, in the constant of node ${name}`, data.length);
    }
    return { shape: [channels], data: data.length === channels ? data : new Float32Array(channels).fill(data[0]!) };
  }
}

/** Of a layer's output. */
function channelsOf(layer: WeightedLayer): number {
  if (layer.kind === 'batchNorm') return layer.movingMean.data.length;
  const [last = 0, beforeLast = 0] = layer.kernel.shape.toReversed();
  return layer.kind === 'depthwise' ? beforeLast * last : last;
}

function product(a: Float32Array, b: Float32Array): Float32Array {
  return combine(a, b, (x, y) => x * y);
}

function sum(a: Float32Array, b: Float32Array): Float32Array {
  return combine(a, b, (x, y) => x + y);
}

/** Of two lists, either of which may have one value for all. */
function combine(a: Float32Array, b: Float32Array, operation: (x: number, y: number) => number): Float32Array {
  const at = (values: Float32Array, i: number) => values[values.length === 1 ? 0 : i] ?? Number.NaN;
  return Float32Array.from({ length: Math.max(a.length, b.length) }, (_, i) => operation(at(a, i), at(b, i)));
}
