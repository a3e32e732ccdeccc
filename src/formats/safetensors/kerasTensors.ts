import type { Float32Values } from '../../io/safetensors';
import type { ModelLayer } from '../modelLayers';
import type { ModelTensors } from './modelTensors';

/** `layer/weight`, in TensorFlow's layouts, in the order of the network. */
export function kerasTensors(layers: readonly ModelLayer[], tensors: ModelTensors): Map<string, Float32Values> {
  const named = new Map<string, Float32Values>();
  for (const layer of layers) {
    for (const [weight, tensor] of Object.entries(layerTensors(layer, tensors))) {
      if (tensor) named.set(`${layer.name}/${weight}`, tensor);
    }
  }
  return named;
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
