import { dispose, type Tensor2D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageBatch } from '../data/imageDataset';
import { toTensors } from '../data/tensors';

/** A model's outputs in inference mode on the active tfjs backend, n pictures x K classes, row-major. */
export async function predictBatch(
  model: LayersModel,
  batch: ImageBatch,
  inputRange: readonly [low: number, high: number],
): Promise<Float32Array> {
  const { images, labels } = toTensors(batch, { inputRange });
  try {
    const output = model.predictOnBatch(images) as Tensor2D;
    return await output.data<'float32'>().finally(() => output.dispose());
  } finally {
    dispose([images, labels]);
  }
}
