import { newWeightAt, onShare, type ThreadContext, weightAt } from './context';
import { usesBatchStatistics } from './forward';

/** An optimizer and its constants; the learning rate comes with each step. */
export type OptimizerSettings =
  | { readonly kind: 'sgd' }
  | { readonly kind: 'momentum'; readonly momentum: number; readonly nesterov: boolean }
  | {
      /** Adam, and AdamW where `weightDecay` is above 0. */
      readonly kind: 'adam';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    }
  | { readonly kind: 'rmsprop'; readonly decay: number; readonly momentum: number; readonly epsilon: number };

/** How many values an optimizer keeps of each weight. */
export const OPTIMIZER_STATES = { sgd: 0, momentum: 1, adam: 2, rmsprop: 2 } as const;

/** Weights that a thread takes at a time. */
const BLOCK = 4;

/** This thread's share of the update of all weights, out of place; tells whether all that it wrote is finite. */
export function runOptimizer(
  context: ThreadContext,
  settings: OptimizerSettings,
  learningRate: number,
  step: number,
): boolean {
  const { kernels, plan, current } = context;
  const { decayingFloats, trainableFloats } = plan.weights;
  const w = plan.weightCopies[current];
  const wOut = plan.weightCopies[current === 0 ? 1 : 0];
  const g = plan.gradients;
  const [state1 = 0, state2 = 0] = plan.optimizerStates;
  const isDecaying = settings.kind === 'adam' && settings.weightDecay > 0;
  // Two calls where some weights decay and others do not.
  const split = isDecaying ? decayingFloats : 0;
  let allFinite = true;
  onShare(context, trainableFloats / BLOCK, (begin, end) => {
    for (const [from, to, decay] of [
      [BLOCK * begin, Math.min(BLOCK * end, split), isDecaying ? settings.weightDecay : 0],
      [Math.max(BLOCK * begin, split), BLOCK * end, 0],
    ] as const) {
      if (from >= to) continue;
      switch (settings.kind) {
        case 'sgd':
          kernels.f32Sgd(w, wOut, g, learningRate, from, to);
          break;
        case 'momentum':
          kernels.f32Momentum(w, wOut, g, state1, learningRate, settings.momentum, settings.nesterov, from, to);
          break;
        case 'adam': {
          const { beta1, beta2, epsilon } = settings;
          const corrections = [1 - beta1 ** step, 1 - beta2 ** step] as const;
          kernels.f32Adam(
            w,
            wOut,
            g,
            state1,
            state2,
            learningRate,
            beta1,
            beta2,
            epsilon,
            ...corrections,
            decay,
            from,
            to,
          );
          break;
        }
        case 'rmsprop': {
          const { decay: rho, momentum, epsilon } = settings;
          kernels.f32Rmsprop(w, wOut, g, state1, state2, learningRate, rho, momentum, epsilon, from, to);
        }
      }
    }
    allFinite = kernels.f32AllFinite(wOut, BLOCK * begin, BLOCK * end) === 1;
  });
  return allFinite;
}

/** This thread's share of what batch norm layers keep for inference. */
export function averageMovingStatistics(context: ThreadContext): void {
  const { kernels, plan } = context;
  const learning = plan.stages.filter(usesBatchStatistics);
  onShare(context, learning.length, (begin, end) => {
    for (const stage of learning.slice(begin, end)) {
      const { movingMean, movingVariance, vectors, channels, stage: layer } = stage;
      const { momentum } = layer.batchNorm!;
      const average = (layout: NonNullable<typeof movingMean>, value: number, extra: number) =>
        kernels.f32MovingAverage(
          weightAt(context, layout),
          newWeightAt(context, layout),
          value,
          extra,
          momentum,
          0,
          channels,
        );
      average(movingMean!, vectors.mean, weightAt(context, stage.bias));
      average(movingVariance!, vectors.variance, 0);
    }
  });
}
