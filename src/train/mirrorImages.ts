import type { ImageBatch } from '../data/imageDataset';
import { softmax } from '../engine/softmax';
import { check } from '../errors';
import type { OutputKind } from '../graph/outputKind';

/**
 * The mean of the class probabilities of each picture and of its mirror image, `[n,K]`.
 *
 * @param predict gives the outputs of a batch, of the kind `outputKind`
 * @throws {MobilenetError} `invalid-argument` where the pictures are no bytes, but what a model has made of them
 */
export async function predictWithMirrorImages<Pixels extends Uint8Array | Float32Array>(
  predict: (batch: ImageBatch<Pixels>) => Promise<Float32Array>,
  batch: ImageBatch<Pixels>,
  outputKind: OutputKind,
): Promise<Float32Array> {
  check(batch.images instanceof Uint8Array, {
    where: "testTimeAugmentation: 'flip'",
    expected: 'pictures of bytes',
    received: 'features that were computed from pictures',
  });
  const probabilities = async (pictures: ImageBatch<Pixels>) => {
    const outputs = await predict(pictures);
    return outputKind === 'logits' ? softmax(outputs, batch.classes) : outputs;
  };
  const straight = await probabilities(batch);
  const mirrored = await probabilities({ ...batch, images: mirror(batch) });
  return straight.map((p, i) => (p + mirrored[i]!) / 2);
}

/** The pictures `[n,H,W,C]` with left and right exchanged. */
function mirror<Pixels extends Uint8Array | Float32Array>({ images, width, channels }: ImageBatch<Pixels>): Pixels {
  const mirrored = images.slice() as Pixels;
  for (let pixel = 0; pixel * channels < images.length; pixel++) {
    const column = pixel % width;
    const from = (pixel - column + width - 1 - column) * channels;
    for (let c = 0; c < channels; c++) mirrored[pixel * channels + c] = images[from + c]!;
  }
  return mirrored;
}
