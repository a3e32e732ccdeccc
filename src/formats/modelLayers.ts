import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { check } from '../errors';
import { type Layer, layerChain } from '../graph/layerChain';
import { activationOf } from '../model/head';
import type { Activation } from './activation';
import { layerActivations } from './layerActivations';

/** A convolution or dense layer of a model. */
export interface ModelKernel {
  readonly kind: 'conv' | 'depthwise' | 'dense';
  readonly name: string;
  readonly layer: Layer;
  readonly kernel: LayerVariable;
  readonly bias: LayerVariable | undefined;
  /** What stands behind it, up to the next layer with weights; undefined behind layers of classes that are not known. */
  readonly activation: Activation | undefined;
}

/** A batch norm of a model. */
export interface ModelBatchNorm {
  readonly kind: 'batchNorm';
  readonly name: string;
  readonly gamma: LayerVariable | undefined;
  readonly beta: LayerVariable | undefined;
  readonly movingMean: LayerVariable;
  readonly movingVariance: LayerVariable;
  readonly epsilon: number;
  /** Whether it normalises what a kernel puts out, with no activation in between. */
  readonly isFoldable: boolean;
  /** As of a {@link ModelKernel}. */
  readonly activation: Activation | undefined;
}

export type ModelLayer = ModelKernel | ModelBatchNorm;

const KERNELS = new Map<string, { kind: ModelKernel['kind']; kernel: string }>([
  ['Conv2D', { kind: 'conv', kernel: 'kernel' }],
  ['DepthwiseConv2D', { kind: 'depthwise', kernel: 'depthwise_kernel' }],
  ['Dense', { kind: 'dense', kernel: 'kernel' }],
]);

/** The layers of a model from its input to its output. Throws `invalid-argument` where it is no chain. */
export function chainOf(where: string, model: LayersModel): readonly Layer[] {
  const chain = layerChain(model);
  check('layers' in chain, {
    where,
    expected: 'a model that is a chain of layers',
    received:
      'unsupported' in chain &&
      `layer '${chain.unsupported.layerName}' (${chain.unsupported.className}), which ${chain.unsupported.reason}`,
  });
  return chain.layers;
}

/**
 * Those layers of a chain that have weights, in its order.
 *
 * @throws {MobilenetError} `invalid-argument` for weights of other layers than convolutions, dense layers and batch norms
 */
export function modelLayers(where: string, chain: readonly Layer[]): ModelLayer[] {
  const activations = activationsOf(chain);
  return chain.flatMap((layer, i): ModelLayer[] => {
    if (layer.weights.length === 0) return [];
    const activation = activations[i];
    const kernel = KERNELS.get(layer.getClassName());
    if (kernel) {
      const { [kernel.kernel]: values, bias } = variablesOf(layer);
      return [{ kind: kernel.kind, name: layer.name, layer, kernel: values!, bias, activation }];
    }
    check(layer.getClassName() === 'BatchNormalization', {
      where,
      expected: 'weights in convolutions, depthwise convolutions, dense layers and batch norms only',
      received: `layer '${layer.name}' (${layer.getClassName()})`,
    });
    return [{ ...batchNormOf(layer, chain[i - 1]), activation }];
  });
}

function activationsOf(chain: readonly Layer[]): (Activation | undefined)[] {
  const configured = chain.map((layer) => ({ className: layer.getClassName(), config: layer.getConfig() }));
  const activations = layerActivations(configured);
  return configured.map((layer) => activations.get(layer));
}

function batchNormOf(layer: Layer, before: Layer | undefined): Omit<ModelBatchNorm, 'activation'> {
  const { gamma, beta, moving_mean, moving_variance } = variablesOf(layer);
  return {
    kind: 'batchNorm',
    name: layer.name,
    gamma,
    beta,
    movingMean: moving_mean!,
    movingVariance: moving_variance!,
    epsilon: layer.getConfig().epsilon as number,
    isFoldable: before !== undefined && KERNELS.has(before.getClassName()) && activationOf(before) === 'linear',
  };
}

/** A layer's weights by the names that tfjs gives them inside of the layer. */
function variablesOf(layer: Layer): Partial<Record<string, LayerVariable>> {
  return Object.fromEntries(layer.weights.map((weight) => [weight.originalName.split('/').at(-1)!, weight]));
}
