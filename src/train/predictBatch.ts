import { type Tensor2D, type Tensor4D, tensor4d } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageBatch } from '../data/imageDataset';
import { mapToRange } from '../data/tensors';
import type { InputRange } from '../inputRange';

/** A model's outputs in inference mode on the active tfjs backend, n pictures x K classes, row-major. */
export async function predictBatch(
  model: LayersModel,
  batch: ImageBatch<Uint8Array | Float32Array>,
  inputRange: InputRange,
): Promise<Float32Array> {
  const images = imageTensor(batch, inputRange);
  let output: Tensor2D;
  try {
    // Unlike predictOnBatch, apply takes pictures of another size where the layers do.
    output = model.apply(images, { training: false }) as Tensor2D;
  } finally {
    images.dispose();
  }
  return output.data<'float32'>().finally(() => output.dispose());
}

/** A batch's pictures as `[n,H,W,C]` float32: bytes mapped to the range, numbers as they are. */
export function imageTensor(batch: ImageBatch<Uint8Array | Float32Array>, inputRange: InputRange): Tensor4D {
  const { images, labels, height, width, channels } = batch;
  const numbers = images instanceof Float32Array ? images : mapToRange(images, inputRange, channels);
  return tensor4d(numbers, [labels.length, height, width, channels]);
}
