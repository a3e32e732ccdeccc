import type { ClassifierEvaluation } from './evaluateClassifier';
import type { TrainingBatch, TrainingEpoch } from './trainingRecords';

/** Who looks on while a model trains. */
export interface TrainingObserver {
  onBatch?(batch: TrainingBatch): void | Promise<void>;
  onEpoch?(epoch: TrainingEpoch, evaluation: ClassifierEvaluation | undefined): void | Promise<void>;
  /** However it ends; with the reason where it fails. */
  onEnd?(error?: unknown): void | Promise<void>;
}
