import type { ImageBatch } from '../data/imageDataset';

// n = pictures of a batch, K = classes.

/** A batch as the loss sees it. */
export interface TargetBatch extends ImageBatch<Uint8Array | Float32Array> {
  /**
   * `[n,K]`: how much the loss counts the logarithm of each class's probability, so that the loss of a picture is
   * `-sum over k: targets[k] * log(p[k])`. One-hot, smoothed, mixed and weighted alike; a row need not sum to 1.
   */
  targets: Float32Array;
}

/** How one batch is learned from. */
export interface StepSettings {
  /** Undefined leaves a tfjs optimizer of the user's own its rate. */
  learningRate: number | undefined;
  /** An integer in [0, 2^32). */
  dropoutSeed: number;
  /** This batch's part of the pictures that the update is made from, in (0, 1]; its gradients count so much. */
  share: number;
  /** Whether the update is made after this batch; where not, its gradients wait for the next one. */
  update: boolean;
  /** What the average of the weights keeps of itself at this update, in [0, 1); undefined where none is kept. */
  averageDecay: number | undefined;
}

/** What one batch tells, measured before its update of the weights. */
export interface StepResult {
  /** Mean over the batch; NaN or infinite where the training has diverged, and then no update was made. */
  loss: number;
  /** How many pictures were classified right. */
  correct: number;
  /** False once any weight is NaN or infinite. */
  finite: boolean;
  /** What the update used. */
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

/** All that a trainer's next step depends on; lists are in the order of `model.weights`. */
export interface TrainerState {
  weights: Float32Array[];
  /** What the optimizer keeps, by name (`velocity`, `m`, ...); undefined for weights that are not trained. */
  slots: Record<string, (Float32Array | undefined)[]>;
  /** Updates made so far, which Adam's bias correction counts. */
  updates: number;
  /** The moving average of all weights, where one is kept. */
  average: Float32Array[] | undefined;
}

/** One way to train a model, batch by batch; `trainClassifier` does not know which one it holds. */
export interface Trainer {
  readonly info: TrainingEngineInfo;
  step(batch: TargetBatch, settings: StepSettings): Promise<StepResult>;
  /** The model's outputs in inference mode, n pictures x K classes, row-major; of the averaged weights where asked. */
  predict(batch: ImageBatch<Uint8Array | Float32Array>, which?: WhichWeights): Promise<Float32Array>;
  /** Puts back the weights that the last finite loss was computed from. */
  restoreLastGood(): Promise<void>;
  /** Between two updates only, as gradients that wait for theirs are no part of it. */
  readState(): Promise<TrainerState>;
  /** Goes on from a state as if it had been reached here. */
  writeState(state: TrainerState): Promise<void>;
  /** Puts the weights into the model, where they are not there all the time. */
  updateModel(which?: WhichWeights): Promise<void>;
  dispose(): Promise<void>;
}

/** The weights as the optimizer has them, or their moving average. */
export type WhichWeights = 'current' | 'average';
