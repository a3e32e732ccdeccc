import { mul, type Optimizer, type Tensor, tidy, train, type Variable } from '@tensorflow/tfjs-core';
import type { OptimizerSettings } from '../engine/optimizer';
import { check } from '../errors';
import { type LearningRate, learningRateAt, type TrainingPosition } from './learningRate';

/**
 * Optimizers that {@link trainClassifier} makes from a name. All follow tfjs's definitions:
 *
 * - `'sgd'`: plain gradient descent; `'momentum'`: with Nesterov momentum 0.9
 * - `'adam'`: beta 0.9 and 0.999; epsilon 1e-7 stands beside the bias-corrected root, as in PyTorch
 * - `'adamw'`: Adam whose decay is decoupled from the gradient (Loshchilov and Hutter 2019): kernels of convolutions and
 *   dense layers shrink by `learningRate * weightDecay` a step; depthwise kernels, biases and batch norm do not, as the
 *   MobileNet paper advises (arXiv 1704.04861, section 4.1)
 * - `'rmsprop'`: decay 0.9; epsilon 1e-7 stands inside the root, unlike in PyTorch
 */
export type OptimizerName = 'sgd' | 'momentum' | 'adam' | 'adamw' | 'rmsprop';

interface NamedOptimizer {
  /** Keras's default. */
  learningRate: number;
  settings(weightDecay: number): OptimizerSettings;
  create(learningRate: number): Optimizer;
}

const ADAM = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;

const createAdam = (rate: number) => train.adam(rate, ADAM.beta1, ADAM.beta2, ADAM.epsilon);

/** Each with the rate that Keras gives it, and but for Nesterov's form of momentum Keras's other constants. */
const OPTIMIZERS: Record<OptimizerName, NamedOptimizer> = {
  sgd: { learningRate: 0.01, settings: () => ({ kind: 'sgd' }), create: (rate) => train.sgd(rate) },
  momentum: {
    learningRate: 0.01,
    settings: () => ({ kind: 'momentum', momentum: 0.9, nesterov: true }),
    create: (rate) => train.momentum(rate, 0.9, true),
  },
  adam: { learningRate: 0.001, settings: () => ({ ...ADAM, weightDecay: 0 }), create: createAdam },
  adamw: { learningRate: 0.001, settings: (weightDecay) => ({ ...ADAM, weightDecay }), create: createAdam },
  rmsprop: {
    learningRate: 0.001,
    settings: () => ({ kind: 'rmsprop', decay: 0.9, momentum: 0, epsilon: 1e-7 }),
    create: (rate) => train.rmsprop(rate, 0.9, 0, 1e-7),
  },
};

/** Keras's default for AdamW. */
export const DEFAULT_WEIGHT_DECAY = 0.004;

function namedOptimizer(name: OptimizerName): NamedOptimizer {
  const names = Object.keys(OPTIMIZERS);
  check(names.includes(name), {
    where: 'trainClassifier',
    expected: `optimizer to be one of ${names.join(', ')}, or a tfjs optimizer`,
    received: name,
  });
  return OPTIMIZERS[name];
}

/** What the engine needs to know of a named optimizer. */
export function engineOptimizer(name: OptimizerName, weightDecay: number) {
  const { settings, learningRate } = namedOptimizer(name);
  return { settings: settings(weightDecay), learningRate };
}

type AnyOptimizer = Optimizer & { learningRate?: number; setLearningRate?(rate: number): void; c?: Tensor };

/** A tfjs optimizer whose learning rate can be set at every step, and who owns it. */
export interface RatedOptimizer {
  optimizer: Optimizer;
  /** Sets the rate of the next step and returns it; an optimizer of the user's own keeps its rate unless told otherwise. */
  rateAt(position: TrainingPosition): number;
  /** What a weight that decays is multiplied with before an update at this rate; 1 for most optimizers. */
  decayAt(rate: number): number;
  dispose(): void;
}

/** Makes a tfjs optimizer from its name, or takes the user's own, which the user then disposes. */
export function createOptimizer(
  optimizer: OptimizerName | Optimizer,
  learningRate: LearningRate | undefined,
  weightDecay: number,
): RatedOptimizer {
  if (typeof optimizer !== 'string') {
    const { learningRate: own } = optimizer as AnyOptimizer;
    return rated(optimizer, learningRate, 0, () => setRate(optimizer, own));
  }
  const { create, learningRate: usual } = namedOptimizer(optimizer);
  const made = create(usual);
  return rated(made, learningRate ?? usual, optimizer === 'adamw' ? weightDecay : 0, () => {
    made.dispose();
    // tfjs's momentum inherits this tensor from SGD and forgets it.
    (made as AnyOptimizer).c?.dispose();
  });
}

function rated(
  optimizer: AnyOptimizer,
  learningRate: LearningRate | undefined,
  weightDecay: number,
  dispose: () => void,
): RatedOptimizer {
  return {
    optimizer,
    rateAt(position) {
      if (learningRate === undefined) return optimizer.learningRate ?? Number.NaN;
      const rate = learningRateAt(learningRate, position);
      setRate(optimizer, rate);
      return rate;
    },
    decayAt: (rate) => 1 - rate * weightDecay,
    dispose,
  };
}

/** Shrinks the variables in place. */
export function decayWeights(variables: readonly Variable[], factor: number): void {
  if (factor === 1) return;
  for (const variable of variables) tidy(() => variable.assign(mul(variable, factor)));
}

function setRate(optimizer: AnyOptimizer, rate: number | undefined): void {
  if (rate === undefined || rate === optimizer.learningRate) return;
  // SGD and momentum keep the rate in a tensor too; the others read the property.
  if (optimizer.setLearningRate) optimizer.setLearningRate(rate);
  else optimizer.learningRate = rate;
}
