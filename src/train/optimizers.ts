import type { OptimizerSettings } from '../engine/optimizer';
import { check, checkOptions, quoted } from '../errors';

/**
 * Optimizers by name, each with Keras's constants; {@link OptimizerOptions} has others.
 *
 * - `'sgd'`: plain gradient descent; `'momentum'`: with Nesterov momentum 0.9
 * - `'adam'`, and `'adamw'`: Adam with a weight decay of 0.004 where none is given
 * - `'rmsprop'`: the paper's optimizer
 *
 * All take a weight decay, which is decoupled from the gradient (Loshchilov and Hutter 2019): before an update, a weight
 * that decays is multiplied by `1 - learningRate * weightDecay`. Kernels of convolutions and dense layers do; depthwise
 * kernels, biases and batch norm do not unless asked, as the MobileNet paper advises (arXiv 1704.04861, section 3.2).
 *
 * PyTorch's `weight_decay` of SGD is another: L2, a part of the gradient, which momentum m adds up to about `1 / (1 - m)`
 * times as much. So it stands for a weight decay of `weight_decay / (1 - m)` here: 5e-4 at momentum 0.9 for 5e-3.
 */
export type OptimizerName = 'sgd' | 'momentum' | 'adam' | 'adamw' | 'rmsprop';

/**
 * Gradient descent. Momentum as PyTorch and tfjs have it: `v = momentum * v + g`, then `w -= learningRate * v`, or
 * with Nesterov's `w -= learningRate * (g + momentum * v)`.
 *
 * Source: Sutskever et al. 2013.
 */
export interface SgdOptions {
  name: 'sgd';
  /** In [0, 1). @default 0 */
  momentum?: number | undefined;
  /** Needs a momentum. @default false */
  nesterov?: boolean | undefined;
}

/**
 * Adam; `'adamw'` differs in its default weight decay only.
 *
 * Source: Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2.
 */
export interface AdamOptions {
  name: 'adam' | 'adamw';
  /** Of the mean of gradients, in [0, 1). @default 0.9 */
  beta1?: number | undefined;
  /** Of the mean of their squares, in [0, 1). @default 0.999 */
  beta2?: number | undefined;
  /** Added to the bias-corrected root, as in PyTorch; above 0. @default 1e-7 */
  epsilon?: number | undefined;
}

/**
 * RMSprop, the optimizer of the MobileNet paper.
 *
 * Source: Tieleman and Hinton 2012, lecture 6.5; with momentum as in TensorFlow.
 */
export interface RmspropOptions {
  name: 'rmsprop';
  /** Of the mean of squared gradients, Keras's `rho`, in [0, 1). @default 0.9 */
  decay?: number | undefined;
  /** In [0, 1). @default 0 */
  momentum?: number | undefined;
  /** Added inside of the root, as in Keras and unlike in PyTorch; above 0. @default 1e-7 */
  epsilon?: number | undefined;
}

/**
 * An optimizer and its constants; what is left out is Keras's default.
 *
 * @example
 * ```ts
 * const optimizer = { name: 'sgd', momentum: 0.9, nesterov: true } as const;
 * await trainClassifier(model, train, { optimizer, learningRate: 0.1, weightDecay: 5e-3 });
 * ```
 */
export type OptimizerOptions = SgdOptions | AdamOptions | RmspropOptions;

/** What each name stands for, with all its constants. */
const NAMED = {
  sgd: { name: 'sgd', momentum: 0, nesterov: false },
  momentum: { name: 'sgd', momentum: 0.9, nesterov: true },
  adam: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  adamw: { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  rmsprop: { name: 'rmsprop', decay: 0.9, momentum: 0, epsilon: 1e-7 },
} as const satisfies Record<OptimizerName, Required<OptimizerOptions>>;

/** Keras's, of AdamW; the others have none. */
const ADAMW_WEIGHT_DECAY = 0.004;

/** Keras's. */
const LEARNING_RATES = { sgd: 0.01, adam: 0.001, adamw: 0.001, rmsprop: 0.001 };

const WHERE = 'trainClassifier';

/** An optimizer that can be run, and the learning rate that it has where none is given. */
export interface ResolvedOptimizer {
  settings: OptimizerSettings;
  learningRate: number;
}

/** Fills in defaults; throws `invalid-argument` for what is unknown or out of range. */
export function resolveOptimizer(
  optimizer: OptimizerName | OptimizerOptions,
  weightDecay: number | undefined,
): ResolvedOptimizer {
  const options = withDefaults(optimizer);
  const { name } = options;
  const decay = weightDecay ?? (name === 'adamw' ? ADAMW_WEIGHT_DECAY : 0);
  check(Number.isFinite(decay) && decay >= 0, {
    where: WHERE,
    expected: 'weightDecay to be a number of at least 0',
    received: weightDecay,
  });
  return { settings: { ...constantsOf(options), weightDecay: decay }, learningRate: LEARNING_RATES[name] };
}

function withDefaults(optimizer: OptimizerName | OptimizerOptions): Required<OptimizerOptions> {
  if (typeof optimizer === 'string') {
    checkName(optimizer, Object.keys(NAMED));
    return NAMED[optimizer];
  }
  checkName(optimizer?.name, Object.keys(LEARNING_RATES));
  const defaults = NAMED[optimizer.name];
  const kinds = Object.fromEntries(Object.keys(defaults).map((key) => [key, 'any' as const]));
  checkOptions(WHERE, optimizer, kinds as Record<keyof OptimizerOptions, 'any'>, `optimizer '${optimizer.name}'`);
  const given = Object.entries(optimizer).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

function checkName(name: unknown, names: string[]): void {
  check(names.includes(name as string), {
    where: WHERE,
    expected: `optimizer to be one of ${names.join(', ')}, or a tfjs optimizer`,
    received: name,
  });
}

/** What stands in the options, checked. */
function constantsOf(options: Required<OptimizerOptions>) {
  switch (options.name) {
    case 'sgd': {
      const { momentum, nesterov } = options;
      checkFraction('momentum', momentum);
      check(typeof nesterov === 'boolean', {
        where: WHERE,
        expected: "the optimizer's nesterov to be true or false",
        received: nesterov,
      });
      check(momentum > 0 || !nesterov, {
        where: WHERE,
        expected: "the optimizer's momentum to be above 0 where nesterov is true",
        received: quoted(momentum),
      });
      return momentum === 0 ? ({ kind: 'sgd' } as const) : ({ kind: 'momentum', momentum, nesterov } as const);
    }
    case 'rmsprop': {
      const { decay, momentum, epsilon } = options;
      checkFraction('decay', decay);
      checkFraction('momentum', momentum);
      checkEpsilon(epsilon);
      return { kind: 'rmsprop', decay, momentum, epsilon } as const;
    }
    default: {
      const { beta1, beta2, epsilon } = options;
      checkFraction('beta1', beta1);
      checkFraction('beta2', beta2);
      checkEpsilon(epsilon);
      return { kind: 'adam', beta1, beta2, epsilon } as const;
    }
  }
}

function checkFraction(name: string, value: unknown): void {
  check(typeof value === 'number' && value >= 0 && value < 1, {
    where: WHERE,
    expected: `the optimizer's ${name} to be a number in [0, 1)`,
    received: quoted(value),
  });
}

/** What float32 rounds to 0 would divide 0 by 0. */
function checkEpsilon(value: unknown): void {
  check(typeof value === 'number' && Number.isFinite(value) && Math.fround(value) > 0, {
    where: WHERE,
    expected: "the optimizer's epsilon to be a number above 0, in float32 too",
    received: quoted(value),
  });
}
