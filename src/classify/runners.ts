import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Runner } from './runner';

/** What runs a model, and parts of it. */
export interface Runners {
  readonly whole: Runner;
  /** What runs it up to the output of one of its layers. */
  startUntil(output: SymbolicTensor): Promise<Runner>;
}
