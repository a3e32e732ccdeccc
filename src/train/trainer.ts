import type { ImageBatch } from '../data/imageDataset';
import type { TrainingPosition } from './learningRate';

/** What one optimizer step tells, measured before its update of the weights. */
export interface StepResult {
  /** Mean over the batch; NaN or infinite where the training has diverged, and then no update was made. */
  loss: number;
  /** How many pictures were classified right. */
  correct: number;
  learningRate: number;
}

/** What a training runs on. */
export interface TrainingEngineInfo {
  /** `'fused'`: the library's own kernels; `'tfjs'`: tfjs's automatic differentiation. */
  engine: 'fused' | 'tfjs';
  /** The WebAssembly module that computes: the library's own, or undefined where that is tfjs's affair. */
  module: 'relaxed-simd' | 'simd' | undefined;
  /** Threads that compute. */
  threads: number;
  /** Why `engine: 'auto'` went through tfjs; undefined where it did not, or was not asked to choose. */
  fallbackReason: string | undefined;
  /** Of WebAssembly memory that the engine works in; undefined for tfjs. */
  megabytes: number | undefined;
}

/** One way to train a model, step by step; `trainClassifier` does not know which one it holds. */
export interface Trainer {
  readonly info: TrainingEngineInfo;
  step(batch: ImageBatch, position: TrainingPosition): Promise<StepResult>;
  /** The model's outputs in inference mode, n pictures x K classes, row-major. */
  predict(batch: ImageBatch): Promise<Float32Array>;
  /** False once any weight is NaN or infinite. */
  weightsAreFinite(): Promise<boolean>;
  /** Puts back the weights that the last finite loss was computed from. */
  restoreLastGood(): Promise<void>;
  /** Puts the weights into the model, where they are not there all the time. */
  updateModel(): Promise<void>;
  dispose(): Promise<void>;
}
