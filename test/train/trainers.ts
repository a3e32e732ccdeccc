import type { LabelledImages } from '../../src/data/imageDataset';
import type { StepSettings, TargetBatch } from '../../src/train/trainer';
import { train } from './models';

/** A batch of these pictures of `train`, with one-hot targets where no others are given. */
export function batchOf(indices: readonly number[], targets?: Float32Array): TargetBatch {
  const { images, labels } = train.read(indices) as LabelledImages;
  const oneHot = Float32Array.from({ length: 3 * labels.length }, (_, i) =>
    labels[Math.floor(i / 3)] === i % 3 ? 1 : 0,
  );
  return { images, labels, height: 6, width: 6, channels: 2, classes: 3, targets: targets ?? oneHot };
}

/** The whole numbers from `start` on. */
export const range = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i);

/** A step that makes its update at once. */
export const step = (changes: Partial<StepSettings> = {}): StepSettings => ({
  learningRate: 0.1,
  dropoutSeed: 1,
  share: 1,
  update: true,
  averageDecay: undefined,
  ...changes,
});
