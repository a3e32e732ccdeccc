import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';

/** Weights in the order in which they were made; tfjs's own depends on which layers are frozen. */
export function weightsInOrder(model: LayersModel): LayerVariable[] {
  return [...model.weights].sort((a, b) => a.id - b.id);
}

/** A name for each weight, in the order in which they were made; no two alike. */
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
