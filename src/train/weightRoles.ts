import type { Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { WeightRole } from '../engine/optimizer';

type Layer = LayersModel['layers'][number] & { layers?: Layer[] };

const CONVOLUTION = { kernel: 'kernel', bias: 'bias' } as const;

/** By layer class, then by the weight's name within its layer; what is not here has no role. */
const ROLES: Record<string, Record<string, WeightRole>> = {
  Dense: CONVOLUTION,
  Conv1D: CONVOLUTION,
  Conv2D: CONVOLUTION,
  Conv2DTranspose: CONVOLUTION,
  Conv3D: CONVOLUTION,
  Conv3DTranspose: CONVOLUTION,
  DepthwiseConv2D: { depthwise_kernel: 'depthwise', bias: 'bias' },
  SeparableConv2D: { depthwise_kernel: 'depthwise', pointwise_kernel: 'kernel', bias: 'bias' },
  BatchNormalization: { gamma: 'batchNorm', beta: 'batchNorm' },
};

/** The variables of a model that have one of these roles, nested models' too. */
export function variablesOfRoles(model: LayersModel, roles: readonly WeightRole[]): ReadonlySet<Variable> {
  const found = new Set<Variable>();
  const visit = (layer: Layer) => {
    if (layer.layers) return layer.layers.forEach(visit);
    for (const weight of layer.weights) {
      const role = ROLES[layer.getClassName()]?.[weight.originalName.split('/').at(-1)!];
      if (role && roles.includes(role)) found.add(weight.read() as Variable);
    }
  };
  model.layers.forEach(visit);
  return found;
}
