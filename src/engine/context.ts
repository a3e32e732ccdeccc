import type { EngineKernels } from '../kernels/engineKernels';
import { shareOf } from './blocking';
import type { TrainingPlan } from './plan';
import type { WeightLayout } from './weightLayout';

/** What one thread's share of a pass is made with. */
export interface ThreadContext {
  readonly kernels: EngineKernels;
  /** For pictures of the size that the batch has. */
  plan: TrainingPlan;
  readonly thread: number;
  /** This thread's own scratch memory. */
  readonly scratch: number;
  /** Rows of a matrix product's tile: 4 or 6, whichever is faster here. The bits are the same. */
  tileRows: number;
  /** The copy of the weights that is read. */
  weights: number;
  /** The copy that is written. */
  newWeights: number;
}

/** Runs `work` on this thread's part of `units`, unless that is nothing. */
export function onShare(context: ThreadContext, units: number, work: (begin: number, end: number) => void): void {
  const [begin, end] = shareOf(units, context.thread, context.plan.threads);
  if (begin < end) work(begin, end);
}

/** Offset of a weight in the copy that is read; 0 for none. */
export function weightAt({ weights }: ThreadContext, layout: WeightLayout | undefined): number {
  return layout ? weights + 4 * layout.offset : 0;
}

/** Offset of a weight in the copy that is written. */
export function newWeightAt({ newWeights }: ThreadContext, layout: WeightLayout): number {
  return newWeights + 4 * layout.offset;
}

/** From now on the copy is read that was written, and the other way round. */
export function swapWeights(context: ThreadContext): void {
  const { weights, newWeights } = context;
  context.weights = newWeights;
  context.newWeights = weights;
}

/** Offset of a weight's gradient; 0 where nobody wants it. */
export function gradientAt({ plan }: ThreadContext, layout: WeightLayout | undefined): number {
  return layout?.trainable ? plan.gradients + 4 * layout.offset : 0;
}
