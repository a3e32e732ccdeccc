import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { leafLayers } from '../model/freeze';

/**
 * Weights in the order of the layers, and in each in that in which they were made: the same for a model that was built and
 * for one that was loaded. tfjs's own order depends on which layers are frozen.
 */
export function weightsInOrder(model: LayersModel): LayerVariable[] {
  const weights = leafLayers(model).flatMap((layer) => [...layer.weights].sort((a, b) => a.id - b.id));
  return [...new Set(weights)];
}

/** A name for each weight, in that order; no two alike. */
export function weightNames(model: LayersModel): Map<LayerVariable, string> {
  const taken = new Set<string>();
  const nameOf = (name: string, times = 1): string => {
    const unique = times === 1 ? name : `${name}#${times}`;
    return taken.has(unique) ? nameOf(name, times + 1) : unique;
  };
  const names = new Map<LayerVariable, string>();
  for (const weight of weightsInOrder(model)) {
    const name = nameOf(weight.originalName);
    taken.add(name);
    names.set(weight, name);
  }
  return names;
}
