import { newWeightAt, onShare, type ThreadContext, weightAt } from './context';
import { usesBatchStatistics } from './forward';
import type { OptimizerSettings } from './optimizer';
import { SQUARES_BLOCK } from './sharedPlan';

/** What an update is made from. */
export interface Gradients {
  /** Where they lie. */
  readonly offset: number;
  /** How much they count. */
  readonly scale: number;
}

/** Whole vectors. */
const UNIT = 4;

/** This thread's share of adding this batch's gradients, `share` times, to those that wait. */
export function accumulateGradients(context: ThreadContext, share: number, isFirst: boolean): void {
  const { kernels, plan } = context;
  onShare(context, plan.weights.trainableFloats / UNIT, (begin, end) => {
    kernels.f32Accumulate(plan.gradients, plan.accumulated, share, isFirst, UNIT * begin, UNIT * end);
  });
}

/** This thread's share of the sums of squares that {@link clipScale} needs. */
export function sumSquares(context: ThreadContext, memory: WebAssembly.Memory, gradients: number): void {
  const { kernels, plan } = context;
  const { trainableFloats } = plan.weights;
  // Cut by the number of weights alone: the same sum on any number of threads.
  const blocks = Math.ceil(trainableFloats / SQUARES_BLOCK);
  onShare(context, blocks, (first, last) => {
    const sums = new Float64Array(memory.buffer, plan.squares, blocks);
    for (let block = first; block < last; block++) {
      const end = Math.min(trainableFloats, (block + 1) * SQUARES_BLOCK);
      sums[block] = kernels.f32SumOfSquares(gradients, block * SQUARES_BLOCK, end);
    }
  });
}

/** What gradients are multiplied with so that their norm is at most `clipNorm`, as in `tf.clip_by_global_norm`. */
export function clipScale({ plan }: ThreadContext, memory: WebAssembly.Memory, scale: number, clipNorm: number) {
  const blocks = Math.ceil(plan.weights.trainableFloats / SQUARES_BLOCK);
  const squares = new Float64Array(memory.buffer, plan.squares, blocks).reduce((sum, square) => sum + square, 0);
  return Math.min(1, clipNorm / (scale * Math.sqrt(squares)));
}

/** This thread's share of the update of all weights, out of place; tells whether all that it wrote is finite. */
export function runOptimizer(
  context: ThreadContext,
  settings: OptimizerSettings,
  { learningRate, step, gradients }: { learningRate: number; step: number; gradients: Gradients },
): boolean {
  const { kernels, plan, weights, newWeights } = context;
  const { decayingFloats, trainableFloats } = plan.weights;
  const buffers = [weights, newWeights, gradients.offset] as const;
  const [state1 = 0, state2 = 0] = plan.optimizerStates;

  const update = (begin: number, end: number) => {
    const weightDecay = begin < decayingFloats ? settings.weightDecay : 0;
    const rest = [gradients.scale, weightDecay, begin, end] as const;
    switch (settings.kind) {
      case 'sgd':
        return kernels.f32Sgd(...buffers, learningRate, ...rest);
      case 'momentum':
        return kernels.f32Momentum(...buffers, state1, learningRate, settings.momentum, settings.nesterov, ...rest);
      case 'adam': {
        const { beta1, beta2, epsilon } = settings;
        const constants = [learningRate, beta1, beta2, epsilon, 1 - beta1 ** step, 1 - beta2 ** step] as const;
        return kernels.f32Adam(...buffers, state1, state2, ...constants, ...rest);
      }
      case 'rmsprop': {
        const { decay, momentum, epsilon } = settings;
        // Without momentum the velocity would be written and never read.
        const velocity = momentum === 0 ? 0 : state2;
        return kernels.f32Rmsprop(...buffers, state1, velocity, learningRate, decay, momentum, epsilon, ...rest);
      }
    }
  };

  let allFinite = true;
  onShare(context, trainableFloats / UNIT, (first, last) => {
    for (let begin = UNIT * first; begin < UNIT * last; ) {
      // One call is for weights that decay, or for such that do not.
      const end = Math.min(UNIT * last, begin < decayingFloats ? decayingFloats : trainableFloats);
      update(begin, end);
      allFinite = kernels.f32AllFinite(newWeights, begin, end) === 1 && allFinite;
      begin = end;
    }
  });
  return allFinite;
}

/** This thread's share of writing the trainable weights anew as they are. */
export function keepWeights(context: ThreadContext, memory: WebAssembly.Memory): void {
  const { plan, weights, newWeights } = context;
  onShare(context, plan.weights.trainableFloats, (begin, end) => {
    new Uint8Array(memory.buffer).copyWithin(newWeights + 4 * begin, weights + 4 * begin, weights + 4 * end);
  });
}

/** This thread's share of what batch norm layers keep for inference; tells whether all that it wrote is finite. */
export function averageMovingStatistics(context: ThreadContext): boolean {
  const { kernels, plan } = context;
  const learning = plan.stages.filter(usesBatchStatistics);
  let allFinite = true;
  onShare(context, learning.length, (begin, end) => {
    for (const stage of learning.slice(begin, end)) {
      const { movingMean, movingVariance, vectors, channels, stage: layer } = stage;
      const { momentum } = layer.batchNorm!;
      const average = (layout: NonNullable<typeof movingMean>, value: number, extra: number) => {
        const to = newWeightAt(context, layout);
        kernels.f32MovingAverage(weightAt(context, layout), to, value, extra, momentum, 0, channels);
        allFinite = kernels.f32AllFinite(to, 0, channels) === 1 && allFinite;
      };
      average(movingMean!, vectors.mean, weightAt(context, stage.bias));
      average(movingVariance!, vectors.variance, 0);
    }
  });
  return allFinite;
}

/** This thread's share of moving the average of all weights on. */
export function averageWeights(context: ThreadContext, averageDecay: number): void {
  const { kernels, plan, weights } = context;
  onShare(context, plan.weights.floats / UNIT, (begin, end) => {
    kernels.f32ExponentialAverage(plan.average, weights, averageDecay, UNIT * begin, UNIT * end);
  });
}
