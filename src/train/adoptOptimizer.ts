import type { Optimizer } from '@tensorflow/tfjs-core';
import type { TfjsOptimizer } from './tfjsOptimizer';

type RatedOptimizer = Optimizer & { learningRate?: number; setLearningRate?(rate: number): void };

/** A tfjs optimizer of the user's own, who disposes of it; where it was given other rates, it gets its own back. */
export function adoptOptimizer(optimizer: RatedOptimizer): TfjsOptimizer {
  let own: number | undefined;
  return {
    state: undefined,
    rateFor(learningRate) {
      if (learningRate !== undefined) {
        own ??= optimizer.learningRate;
        return learningRate;
      }
      // Read anew each time: hooks may set it.
      const rate = own ?? optimizer.learningRate ?? Number.NaN;
      own = undefined;
      return rate;
    },
    update(gradients, learningRate) {
      setRate(optimizer, learningRate);
      optimizer.applyGradients(gradients);
    },
    dispose() {
      if (own !== undefined) setRate(optimizer, own);
    },
  };
}

function setRate(optimizer: RatedOptimizer, rate: number): void {
  if (Number.isNaN(rate) || rate === optimizer.learningRate) return;
  // SGD and momentum keep the rate in a tensor too; the others read the property.
  if (optimizer.setLearningRate) optimizer.setLearningRate(rate);
  else optimizer.learningRate = rate;
}
