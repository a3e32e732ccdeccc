import { refuse } from '../../io/refuse';
import type { Activation } from '../activation';
import type { Values, WeightedLayer } from '../networkWeights';
import { configSteps } from './configSteps';

/** A layer that a file has weights of. */
export interface KerasLayer {
  readonly name: string;
  /** Keras's; undefined where the file does not say. */
  readonly className?: string | undefined;
  /** Keras's; undefined where the file has none. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** What stands behind it, up to the next layer with weights; undefined where the file does not say. */
  readonly activation?: Activation | undefined;
  /** By what Keras 2 names them inside of the layer. */
  readonly weights: ReadonlyMap<string, Values>;
}

/** Keras's default, for files that say nothing of it. */
const DEFAULT_EPSILON = 1e-3;

/** The same layer as all formats have it. */
export function weightedLayer(where: string, layer: KerasLayer): WeightedLayer {
  const { name, weights } = layer;
  const batchNorm = batchNormOf(layer);
  if (batchNorm) return batchNorm;
  const depthwise = weights.get('depthwise_kernel');
  const kernel = depthwise ?? weights.get('kernel');
  const bias = weights.get('bias');
  const known = (bias ? 2 : 1) === weights.size;
  if (known && kernel?.shape.length === 2 && !depthwise) return { kind: 'dense', name, kernel, bias };
  if (known && kernel?.shape.length === 4) {
    const kind = depthwise || isDepthwise(layer) ? 'depthwise' : 'conv';
    return { kind, name, kernel, bias, ...configSteps(layer.config) };
  }
  refuse(
    where,
    'layers with weights to be convolutions, depthwise convolutions, dense layers and batch norms',
    `${layer.className ?? 'layer'} '${name}' with ${[...weights.keys()].join(', ')}`,
  );
}

function batchNormOf({ name, config, weights }: KerasLayer): WeightedLayer | undefined {
  const movingMean = weights.get('moving_mean');
  const movingVariance = weights.get('moving_variance');
  if (!movingMean || !movingVariance) return undefined;
  const gamma = weights.get('gamma');
  const beta = weights.get('beta');
  if (weights.size !== 2 + (gamma ? 1 : 0) + (beta ? 1 : 0)) return undefined;
  const epsilon = typeof config?.epsilon === 'number' ? config.epsilon : DEFAULT_EPSILON;
  return { kind: 'batchNorm', name, gamma, beta, movingMean, movingVariance, epsilon };
}

/** Keras 3 calls a depthwise kernel a kernel. Where a file has no class names, those of layers must do. */
function isDepthwise({ name, className }: KerasLayer): boolean {
  return className === undefined ? /depthwise|(^|_)dw(_|\d|$)/i.test(name) : className === 'DepthwiseConv2D';
}
