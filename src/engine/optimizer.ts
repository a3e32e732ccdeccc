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

/** Whole vectors. */
const UNIT = 4;

/** This thread's share of the update of all weights, out of place; tells whether all that it wrote is finite. */
export function runOptimizer(
  context: ThreadContext,
  settings: OptimizerSettings,
  learningRate: number,
  step: number,
): boolean {
  const { kernels, plan, current } = context;
  const { decayingFloats, trainableFloats } = plan.weights;
  const updated = plan.weightCopies[current === 0 ? 1 : 0];
  const buffers = [plan.weightCopies[current], updated, plan.gradients] as const;
  const [state1 = 0, state2 = 0] = plan.optimizerStates;

  const update = (begin: number, end: number) => {
    switch (settings.kind) {
      case 'sgd':
        return kernels.f32Sgd(...buffers, learningRate, begin, end);
      case 'momentum': {
        const { momentum, nesterov } = settings;
        return kernels.f32Momentum(...buffers, state1, learningRate, momentum, nesterov, begin, end);
      }
      case 'adam': {
        const { beta1, beta2, epsilon } = settings;
        const constants = [learningRate, beta1, beta2, epsilon, 1 - beta1 ** step, 1 - beta2 ** step] as const;
        const decay = begin < decayingFloats ? settings.weightDecay : 0;
        return kernels.f32Adam(...buffers, state1, state2, ...constants, decay, begin, end);
      }
      case 'rmsprop': {
        const { decay, momentum, epsilon } = settings;
        return kernels.f32Rmsprop(...buffers, state1, state2, learningRate, decay, momentum, epsilon, begin, end);
      }
    }
  };

  let allFinite = true;
  onShare(context, trainableFloats / UNIT, (first, last) => {
    for (let begin = UNIT * first; begin < UNIT * last; ) {
      // One call is for weights that decay, or for such that do not.
      const end = Math.min(UNIT * last, begin < decayingFloats ? decayingFloats : trainableFloats);
      update(begin, end);
      allFinite = kernels.f32AllFinite(updated, begin, end) === 1 && allFinite;
      begin = end;
    }
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
