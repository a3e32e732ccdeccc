import { check } from '../../errors';
import type { Float32Values } from '../../io/safetensors';
import type { ModelLayer } from '../modelLayers';
import type { ModelTensors } from './modelTensors';

/**
 * `layer/weight`, in TensorFlow's layouts, in the order of the network.
 *
 * @throws {MobilenetError} `invalid-argument` where two layers have one name, as those of nested models may
 */
export function kerasTensors(
  where: string,
  layers: readonly ModelLayer[],
  tensors: ModelTensors,
): Map<string, Float32Values> {
  checkNames(where, layers);
  const named = new Map<string, Float32Values>();
  for (const layer of layers) {
    for (const [weight, tensor] of Object.entries(layerTensors(layer, tensors))) {
      if (tensor) named.set(`${layer.name}/${weight}`, tensor);
    }
  }
  return named;
}

function checkNames(where: string, layers: readonly ModelLayer[]): void {
  const names = layers.map(({ name }) => name);
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  check(repeated === undefined, {
    where,
    expected: "a model whose layers have different names, by which the layout 'keras' tells their weights apart",
    received: `two layers named ${repeated}`,
    remedy: 'Give the layers of nested models different names.',
  });
}

function layerTensors(layer: ModelLayer, tensors: ModelTensors): Record<string, Float32Values | undefined> {
  if (layer.kind !== 'batchNorm') {
    const kernel = layer.kind === 'depthwise' ? 'depthwise_kernel' : 'kernel';
    return { [kernel]: tensors.of(layer.kernel), bias: layer.bias && tensors.of(layer.bias) };
  }
  return {
    gamma: tensors.gamma(layer),
    beta: layer.beta && tensors.of(layer.beta),
    moving_mean: tensors.of(layer.movingMean),
    moving_variance: tensors.of(layer.movingVariance),
  };
}
