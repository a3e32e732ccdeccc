import type { ImageBatch } from '../data/imageDataset';
import type { TrainingPosition } from './optimizers';

/** What one optimizer step tells, measured before its update of the weights. */
export interface StepResult {
  /** Mean over the batch; NaN or infinite where the training has diverged, and then no update was made. */
  loss: number;
  /** How many pictures were classified right. */
  correct: number;
  learningRate: number;
}

/** One way to train a model, step by step; `trainClassifier` does not know which one it holds. */
export interface Trainer {
  step(batch: ImageBatch, position: TrainingPosition): Promise<StepResult>;
  /** False once any weight is NaN or infinite. */
  weightsAreFinite(): Promise<boolean>;
  /** Puts back the weights that the last finite loss was computed from. */
  restoreLastGood(): void;
  dispose(): void;
}
