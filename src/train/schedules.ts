import { check, checkOptions } from '../errors';
import type { Schedule } from './learningRate';
import { plateau } from './plateau';
import { above0, atLeast0, below1, checkNumbers, share, WARM_UP_OPTIONS, type WarmUpOptions, warmUp } from './warmUp';

/** Options for `schedules.constant`. */
export interface ConstantOptions extends WarmUpOptions {
  rate: number;
}

/** Options for `schedules.step`. */
export interface StepOptions extends WarmUpOptions {
  rate: number;
  /** What the rate is multiplied by at each stair. @default 0.1 */
  factor?: number | undefined;
  /** Length of a stair as a share of the training: 0.25 makes four stairs. */
  every: number;
}

/** Options for `schedules.piecewise`. */
export interface PiecewiseOptions extends WarmUpOptions {
  /** Shares of the training at which the next rate begins, rising, in (0, 1). */
  boundaries: readonly number[];
  /** One more than boundaries. */
  rates: readonly number[];
}

/** Options for `schedules.cosine`. */
export interface CosineOptions extends WarmUpOptions {
  rate: number;
  /** The rate at the end. @default 0 */
  final?: number | undefined;
}

/** Options for `schedules.polynomial`. */
export interface PolynomialOptions extends CosineOptions {
  /** 1 is a straight line, 2 a parabola that falls fast at first. @default 1 */
  power?: number | undefined;
}

/** Options for `schedules.exponential`. */
export interface ExponentialOptions extends WarmUpOptions {
  rate: number;
  /** The rate at the end, above 0. */
  final: number;
}

/** Options for `schedules.oneCycle`. */
export interface OneCycleOptions {
  /** The largest rate. */
  rate: number;
  /** The share of the training after which it is reached. @default 0.3 */
  peakAt?: number | undefined;
  /** What the rate starts from, as a share of it. @default 0.01 */
  warmupFrom?: number | undefined;
  /** How the rate falls after that. @default 'linear' */
  anneal?: 'linear' | 'cosine' | undefined;
  /** The rate at the end. @default 0 */
  final?: number | undefined;
}

/**
 * Learning rates that change over a training, each a plain function of the position in it, for the option
 * `learningRate`; {@link sampleSchedule} gives points to plot.
 *
 * Every place in a schedule is a share of the whole training, in [0, 1], and so the same schedule stretches to any number
 * of epochs or minutes. Rates are rates, not shares of one another. All take `warmup` (`oneCycle` calls it `peakAt`), a
 * share of the training in which the rate rises from `warmupFrom` (a share of the rate) on a straight line: large rates
 * need it (Goyal et al. 2017, arXiv 1706.02677, section 2.2). Curves that fall to a `final` rate begin after it and reach
 * `final` at the end.
 *
 * @example
 * ```ts
 * await trainClassifier(model, train, {
 *   epochs: 10,
 *   optimizer: 'momentum',
 *   learningRate: schedules.cosine({ rate: 0.1, warmup: 0.1 }),
 * });
 * ```
 */
export const schedules = {
  /** Always the same rate, but for a warm-up. */
  constant(options: ConstantOptions): Schedule {
    checkOptions('schedules.constant', options, { rate: 'any', ...WARM_UP_OPTIONS });
    const { rate } = options;
    checkNumbers('schedules.constant', { rate }, { rate: atLeast0 });
    return warmUp('schedules.constant', options, () => rate);
  },

  /** Stairs: `rate * factor ^ floor(progress / every)`; they are counted from the start of the training. */
  step(options: StepOptions): Schedule {
    checkOptions('schedules.step', options, { rate: 'any', factor: 'any', every: 'any', ...WARM_UP_OPTIONS });
    const { rate, factor = 0.1, every } = options;
    checkNumbers('schedules.step', { rate, factor, every }, { rate: atLeast0, factor: above0, every: share });
    // A progress of 3 / 10 over 0.1 is a little less than 3.
    return warmUp('schedules.step', options, (_, { progress }) => rate * factor ** Math.floor(progress / every + 1e-9));
  },

  /** `rates[i]` from `boundaries[i - 1]` on and before `boundaries[i]`, counted from the start of the training. */
  piecewise(options: PiecewiseOptions): Schedule {
    checkOptions('schedules.piecewise', options, { boundaries: 'any', rates: 'any', ...WARM_UP_OPTIONS });
    const { boundaries, rates } = options;
    checkPiecewise(boundaries, rates);
    return warmUp(
      'schedules.piecewise',
      options,
      (_, { progress }) => rates[boundaries.filter((boundary) => progress >= boundary).length]!,
    );
  },

  /**
   * Half a cosine from `rate` down to `final`: `final + (rate - final) * (1 + cos(pi t)) / 2`, t being the share of the
   * way after the warm-up. Loshchilov and Hutter 2017 (arXiv 1608.03983), equation 5, without restarts.
   */
  cosine(options: CosineOptions): Schedule {
    checkOptions('schedules.cosine', options, { rate: 'any', final: 'any', ...WARM_UP_OPTIONS });
    const { rate, final = 0 } = options;
    checkNumbers('schedules.cosine', { rate, final }, { rate: atLeast0, final: atLeast0 });
    return warmUp('schedules.cosine', options, (t) => halfCosine(rate, final, t));
  },

  /** `final + (rate - final) * (1 - t) ^ power`, as Keras's `PolynomialDecay`; a straight line unless asked. */
  polynomial(options: PolynomialOptions): Schedule {
    checkOptions('schedules.polynomial', options, { rate: 'any', final: 'any', power: 'any', ...WARM_UP_OPTIONS });
    const { rate, final = 0, power = 1 } = options;
    checkNumbers('schedules.polynomial', { rate, final, power }, { rate: atLeast0, final: atLeast0, power: above0 });
    return warmUp('schedules.polynomial', options, (t) => final + (rate - final) * (1 - t) ** power);
  },

  /**
   * Falls by the same factor in equal times: `rate * (final / rate) ^ t`. That is Keras's `ExponentialDecay` whose
   * `decay_rate` is `final / rate` and whose `decay_steps` are the whole training.
   */
  exponential(options: ExponentialOptions): Schedule {
    checkOptions('schedules.exponential', options, { rate: 'any', final: 'any', ...WARM_UP_OPTIONS });
    const { rate, final } = options;
    checkNumbers('schedules.exponential', { rate, final }, { rate: above0, final: above0 });
    return warmUp('schedules.exponential', options, (t) => rate * (final / rate) ** t);
  },

  /**
   * One cycle: on a straight line up to `rate`, then down to `final`. Smith and Topin 2018 (arXiv 1708.07120); PyTorch's
   * `OneCycleLR` does the same with `anneal_strategy="linear"`, and with `warmupFrom` 1 / 25 and `final` near 0.
   */
  oneCycle(options: OneCycleOptions): Schedule {
    checkOptions('schedules.oneCycle', options, {
      rate: 'any',
      peakAt: 'any',
      warmupFrom: 'any',
      anneal: 'any',
      final: 'any',
    });
    const { rate, peakAt = 0.3, warmupFrom, anneal = 'linear', final = 0 } = options;
    checkNumbers('schedules.oneCycle', { rate, peakAt, final }, { rate: atLeast0, peakAt: below1, final: atLeast0 });
    check(anneal === 'linear' || anneal === 'cosine', {
      where: 'schedules.oneCycle',
      expected: "anneal to be 'linear' or 'cosine'",
      received: anneal,
    });
    const fall = anneal === 'linear' ? straightLine : halfCosine;
    const warmup = { warmup: peakAt, ...(warmupFrom !== undefined && { warmupFrom }) };
    return warmUp('schedules.oneCycle', warmup, (t) => fall(rate, final, t), options);
  },

  /**
   * Falls when an epoch's loss or accuracy has not become better for some epochs, as Keras's `ReduceLROnPlateau`. It is a
   * function of the epochs so far, so that it goes on after an interruption as if there had been none.
   */
  plateau,
};

const straightLine = (from: number, to: number, t: number) => to + (from - to) * (1 - t);

const halfCosine = (from: number, to: number, t: number) => to + ((from - to) * (1 + Math.cos(Math.PI * t))) / 2;

function checkPiecewise(boundaries: unknown, rates: unknown): void {
  const where = 'schedules.piecewise';
  const isRising = (values: readonly unknown[]) =>
    values.every((value, i) => typeof value === 'number' && value > Number(values[i - 1] ?? 0) && value < 1);
  check(Array.isArray(boundaries) && isRising(boundaries), {
    where,
    expected: 'boundaries to be shares of the training in (0, 1), rising',
    received: boundaries,
  });
  check(Array.isArray(rates) && rates.every((rate) => Number.isFinite(rate) && rate >= 0), {
    where,
    expected: 'rates to be numbers of at least 0',
    received: rates,
  });
  check(rates.length === boundaries.length + 1, {
    where,
    expected: `${boundaries.length + 1} rates, one more than boundaries`,
    received: rates.length,
  });
}
