import type { Optimizer } from '@tensorflow/tfjs-core';
import { fail } from '../errors';
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
      try {
        optimizer.applyGradients(gradients);
      } catch (cause) {
        // Its state goes by the order of the weights that it has seen first.
        fail({
          code: 'invalid-argument',
          where: 'trainClassifier',
          expected: 'an optimizer that is new, or has trained these weights only',
          received: `one that failed (${(cause as Error).message})`,
          remedy: 'Make one for each model, and a new one after freezing or unfreezing layers.',
          cause,
        });
      }
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
