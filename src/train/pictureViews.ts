import { cropAndFlip } from '../data/augment/cropAndFlip';
import { checkBytes, type ImageBatch } from '../data/imageDataset';
import { softmax } from '../engine/softmax';
import type { OutputKind } from '../graph/outputKind';

/** What a picture is looked at as, and what the probabilities that come of it count in the mean. */
interface View {
  readonly flipped: boolean;
  /** In pixels, downwards and to the right; the pixels beyond the border are reflected. */
  readonly shift: number;
  readonly weight: number;
}

/** Which views of a picture are classified, see `testTimeAugmentation` of `evaluateClassifier`. */
export type TestTimeAugmentation = 'flip' | 'flipAndShift';

/**
 * Ways to classify a picture by the mean of several views. Those of `'flipAndShift'`, and their weights, are
 * cifar10-airbench's (Jordan 2024, arXiv 2404.00498).
 */
const views: Readonly<Record<TestTimeAugmentation, readonly View[]>> = {
  flip: [
    { flipped: false, shift: 0, weight: 1 / 2 },
    { flipped: true, shift: 0, weight: 1 / 2 },
  ],
  flipAndShift: [
    { flipped: false, shift: 0, weight: 1 / 4 },
    { flipped: true, shift: 0, weight: 1 / 4 },
    { flipped: false, shift: -1, weight: 1 / 8 },
    { flipped: true, shift: -1, weight: 1 / 8 },
    { flipped: false, shift: 1, weight: 1 / 8 },
    { flipped: true, shift: 1, weight: 1 / 8 },
  ],
};

export const testTimeAugmentations = /* @__PURE__ */ Object.keys(views) as readonly TestTimeAugmentation[];

/**
 * The weighted mean of the class probabilities of several views of each picture, `[n,K]`.
 *
 * @param predict gives the outputs of a batch, of the kind `outputKind`
 * @throws {MobilenetError} `invalid-data` where the pictures are no bytes, but what a model has made of them
 */
export async function predictViews<Pixels extends Uint8Array | Float32Array>(
  predict: (batch: ImageBatch<Pixels>) => Promise<Float32Array>,
  batch: ImageBatch<Pixels>,
  outputKind: OutputKind,
  augmentation: TestTimeAugmentation,
): Promise<Float32Array> {
  const { images } = batch;
  checkBytes(`testTimeAugmentation: '${augmentation}'`, images);
  const mean = new Float32Array(batch.labels.length * batch.classes);
  for (const view of views[augmentation]) {
    const seen = viewOf({ ...batch, images }, view) as Pixels & Uint8Array;
    const outputs = await predict({ ...batch, images: seen });
    const probabilities = outputKind === 'logits' ? softmax(outputs, batch.classes) : outputs;
    probabilities.forEach((probability, i) => {
      mean[i]! += view.weight * probability;
    });
  }
  return mean;
}

function viewOf(batch: ImageBatch<Uint8Array>, { flipped, shift }: View): Uint8Array {
  const { images, height, width, channels, labels } = batch;
  const length = height * width * channels;
  const window = { top: -shift, left: -shift, fill: 'reflect', flipped } as const;
  const seen = new Uint8Array(images.length);
  for (let i = 0; i < labels.length; i++) {
    const [from, to] = [i * length, (i + 1) * length];
    cropAndFlip(images.subarray(from, to), batch, window, seen.subarray(from, to));
  }
  return seen;
}
