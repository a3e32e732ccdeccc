import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';

/** Values of a model's weights at one moment, which its training does not change. */
export interface ModelWeights {
  /** As `model.weights` has them, in its order; of the model itself, or of one with the same layers. */
  of(model: LayersModel): Float32Array[];
}

export async function copyWeights(model: LayersModel): Promise<ModelWeights> {
  const copies = new Map<LayerVariable, Float32Array>();
  await Promise.all(
    model.weights.map(async (weight) => {
      // On the cpu backend these are the tensor's own values; they never change, for an update makes a new tensor.
      copies.set(weight, await weight.read().data<'float32'>());
    }),
  );
  return { of: ({ weights }) => weights.map((weight) => copies.get(weight)!) };
}
