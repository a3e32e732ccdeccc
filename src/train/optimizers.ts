import { type Optimizer, type Tensor, train } from '@tensorflow/tfjs-core';
import { check } from '../errors';

/** Optimizers that {@link trainClassifier} makes from a name; `'momentum'` is SGD with Nesterov momentum 0.9. */
export type OptimizerName = 'sgd' | 'momentum' | 'adam' | 'rmsprop';

/** Each with the rate that Keras gives it, and but for Nesterov's form of momentum Keras's other constants. */
const OPTIMIZERS: Record<OptimizerName, { learningRate: number; create(learningRate: number): Optimizer }> = {
  sgd: { learningRate: 0.01, create: (rate) => train.sgd(rate) },
  momentum: { learningRate: 0.01, create: (rate) => train.momentum(rate, 0.9, true) },
  adam: { learningRate: 0.001, create: (rate) => train.adam(rate, 0.9, 0.999, 1e-7) },
  rmsprop: { learningRate: 0.001, create: (rate) => train.rmsprop(rate, 0.9, 0, 1e-7) },
};

/** Where a training stands, for a learning rate that changes over it. */
export interface TrainingPosition {
  /** Steps taken so far; 0 at the first. */
  step: number;
  /** Epoch, from 1. */
  epoch: number;
  /** How much of the training is done, in [0, 1]: of its steps, or of its minutes where those run out first. */
  progress: number;
}

/** A constant, or a function of where the training stands. */
export type LearningRate = number | ((position: TrainingPosition) => number);

type AnyOptimizer = Optimizer & { learningRate?: number; setLearningRate?(rate: number): void; c?: Tensor };

/** An optimizer whose learning rate can be set at every step, and who owns it. */
export interface RatedOptimizer {
  optimizer: Optimizer;
  /** Sets the rate of the next step and returns it; an optimizer of the user's own keeps its rate unless told otherwise. */
  rateAt(position: TrainingPosition): number;
  dispose(): void;
}

/** Makes an optimizer from its name, or takes the user's own, which the user then disposes. */
export function createOptimizer(optimizer: OptimizerName | Optimizer, learningRate?: LearningRate): RatedOptimizer {
  if (typeof optimizer !== 'string') {
    const { learningRate: own } = optimizer as AnyOptimizer;
    return rated(optimizer, learningRate, () => setRate(optimizer, own));
  }
  const names = Object.keys(OPTIMIZERS);
  check(names.includes(optimizer), {
    where: 'trainClassifier',
    expected: `optimizer to be one of ${names.join(', ')}, or a tfjs optimizer`,
    received: optimizer,
  });
  const { create, learningRate: usual } = OPTIMIZERS[optimizer];
  const made = create(usual);
  return rated(made, learningRate ?? usual, () => {
    made.dispose();
    // tfjs's momentum inherits this tensor from SGD and forgets it.
    (made as AnyOptimizer).c?.dispose();
  });
}

function rated(optimizer: AnyOptimizer, learningRate: LearningRate | undefined, dispose: () => void): RatedOptimizer {
  const current = () => optimizer.learningRate ?? Number.NaN;
  return {
    optimizer,
    rateAt(position) {
      if (learningRate === undefined) return current();
      const rate = typeof learningRate === 'function' ? learningRate(position) : learningRate;
      check(Number.isFinite(rate) && rate >= 0, {
        where: 'trainClassifier',
        expected: 'learningRate to be a number of at least 0',
        received: rate,
      });
      setRate(optimizer, rate);
      return rate;
    },
    dispose,
  };
}

function setRate(optimizer: AnyOptimizer, rate: number | undefined): void {
  if (rate === undefined || rate === optimizer.learningRate) return;
  // SGD and momentum keep the rate in a tensor too; the others read the property.
  if (optimizer.setLearningRate) optimizer.setLearningRate(rate);
  else optimizer.learningRate = rate;
}
