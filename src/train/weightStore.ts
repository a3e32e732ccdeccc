import { add, dispose, mul, sub, type Tensor, tidy, type Variable, variable } from '@tensorflow/tfjs-core';
import { check } from '../errors';
import type { WhichWeights } from './trainer';
import { assignAll, cloneAll } from './weightValues';

/** A model's variables, in the order of `model.weights`, and their moving average. */
export interface WeightStore {
  readonly weights: readonly Variable[];
  /** Undefined where none is kept. */
  readonly average: readonly Variable[] | undefined;
  /** The weights in training, also while the model holds their average. */
  current(): readonly Tensor[];
  /** Makes the model hold these. */
  hold(which: WhichWeights): void;
  /** Runs something while the model holds these. */
  whileHolding<T>(which: WhichWeights, run: () => T): T;
  /** `average = decay * average + (1 - decay) * weight` */
  moveAverage(decay: number): void;
  dispose(): void;
}

export function createWeightStore(weights: readonly Variable[], keepsAverage: boolean): WeightStore {
  // Copies share the memory of the weights until these change.
  const average = keepsAverage ? weights.map((weight) => variable(weight, false)) : undefined;
  /** The weights in training, while the model holds their average. */
  let aside: Tensor[] | undefined;

  const hold = (which: WhichWeights) => {
    if (which === 'average') {
      check(average !== undefined, {
        where: 'trainClassifier',
        expected: 'an average of the weights',
        received: 'none, as none is kept',
      });
      aside ??= cloneAll(weights);
      assignAll(weights, average);
    } else if (aside) {
      assignAll(weights, aside);
      dispose(aside);
      aside = undefined;
    }
  };

  return {
    weights,
    average,
    current: () => aside ?? weights,
    hold,

    whileHolding(which, run) {
      const before = aside ? 'average' : 'current';
      hold(which);
      try {
        return run();
      } finally {
        hold(before);
      }
    },

    moveAverage(decay) {
      average?.forEach((value, i) => {
        // In this form the average of a weight that never changes stays that weight, bit by bit.
        tidy(() => value.assign(add(value, mul(sub(weights[i]!, value), 1 - decay))));
      });
    },

    dispose() {
      dispose([...(aside ?? []), ...(average ?? [])]);
      aside = undefined;
    },
  };
}
