import type { EngineKernels } from '../kernels/engineKernels';
import { shareOf } from './blocking';
import type { TrainingPlan } from './plan';
import type { WeightLayout } from './weightLayout';

/** What one thread's share of a pass is made with. */
export interface ThreadContext {
  readonly kernels: EngineKernels;
  readonly plan: TrainingPlan;
  readonly thread: number;
  /** This thread's own scratch memory. */
  readonly scratch: number;
  /** Rows of a matrix product's tile: 4 or 6, whichever is faster here. The bits are the same. */
  tileRows: number;
  /** Which copy of the weights is read; the other one is written. */
  current: 0 | 1;
}

/** Runs `work` on this thread's part of `units`, unless that is nothing. */
export function onShare(context: ThreadContext, units: number, work: (begin: number, end: number) => void): void {
  const [begin, end] = shareOf(units, context.thread, context.plan.threads);
  if (begin < end) work(begin, end);
}

/** Offset of a weight in the copy that is read; 0 for none. */
export function weightAt({ plan, current }: ThreadContext, layout: WeightLayout | undefined): number {
  return layout ? plan.weightCopies[current] + 4 * layout.offset : 0;
}

/** Offset of a weight in the copy that is written. */
export function newWeightAt({ plan, current }: ThreadContext, layout: WeightLayout): number {
  return plan.weightCopies[current === 0 ? 1 : 0] + 4 * layout.offset;
}

/** Offset of a weight's gradient; 0 where nobody wants it. */
export function gradientAt({ plan }: ThreadContext, layout: WeightLayout | undefined): number {
  return layout?.trainable ? plan.gradients + 4 * layout.offset : 0;
}
