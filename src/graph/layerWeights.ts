import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { frozenLayers, type Layer } from './layerChain';
import type { WeightInfo, WeightRef } from './stage';

/** A layer's weights by the names that tfjs gives them inside of the layer. */
export type LayerWeights = Partial<Record<WeightName, WeightRef>>;

type WeightName = 'kernel' | 'depthwise_kernel' | 'bias' | 'gamma' | 'beta' | 'moving_mean' | 'moving_variance';

/** Finds a layer's weights in `model.weights`, whose order changes as layers are frozen. */
export interface WeightTable {
  /** As in `model.weights`, in its order. */
  readonly infos: readonly WeightInfo[];
  /** Undefined where an earlier call has given one of them to another layer. */
  take(layer: Layer): LayerWeights | undefined;
}

export function weightTable(model: LayersModel): WeightTable {
  const { weights } = model;
  const indices = new Map(weights.map((weight, index) => [weight, index]));
  const trainable = new Set(model.trainableWeights);
  const frozen = frozenLayers(model);
  const taken = new Set<LayerVariable>();
  return {
    infos: weights.map(({ originalName, shape }) => ({ name: originalName, shape: shape as number[] })),

    take(layer) {
      const refs: LayerWeights = {};
      for (const weight of layer.weights) {
        if (taken.has(weight)) return undefined;
        taken.add(weight);
        const name = weight.originalName.split('/').at(-1) as WeightName;
        // Moving averages are never among the trainable weights: it is the layer that says whether they move.
        const moves = name.startsWith('moving_') ? !frozen.has(layer) : trainable.has(weight);
        refs[name] = { index: indices.get(weight)!, trainable: moves };
      }
      return refs;
    },
  };
}
