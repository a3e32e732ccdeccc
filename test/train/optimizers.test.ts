import { expect, test } from 'vitest';
import { type OptimizerOptions, resolveOptimizer } from '../../src/train/optimizers';

const ADAM = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

test("names have Keras's constants, rates and weight decay", () => {
  expect(resolveOptimizer('sgd', undefined)).toEqual({ settings: { kind: 'sgd', weightDecay: 0 }, learningRate: 0.01 });
  expect(resolveOptimizer('momentum', undefined)).toEqual({
    settings: { kind: 'momentum', momentum: 0.9, nesterov: true, weightDecay: 0 },
    learningRate: 0.01,
  });
  expect(resolveOptimizer('adam', undefined)).toEqual({ settings: { ...ADAM, weightDecay: 0 }, learningRate: 0.001 });
  expect(resolveOptimizer('adamw', undefined)).toEqual({
    settings: { ...ADAM, weightDecay: 0.004 },
    learningRate: 0.001,
  });
  expect(resolveOptimizer('rmsprop', undefined)).toEqual({
    settings: { kind: 'rmsprop', decay: 0.9, momentum: 0, epsilon: 1e-7, weightDecay: 0 },
    learningRate: 0.001,
  });
});

test('options stand in for the constants that they name, and a weight decay applies to any', () => {
  const settingsOf = (options: OptimizerOptions, decay = 0) => resolveOptimizer(options, decay).settings;
  expect(settingsOf({ name: 'sgd' })).toEqual({ kind: 'sgd', weightDecay: 0 });
  expect(settingsOf({ name: 'sgd', momentum: 0 }, 0.1)).toEqual({ kind: 'sgd', weightDecay: 0.1 });
  expect(settingsOf({ name: 'sgd', momentum: 0.5 }, 0.2)).toEqual({
    kind: 'momentum',
    momentum: 0.5,
    nesterov: false,
    weightDecay: 0.2,
  });
  expect(settingsOf({ name: 'adamw', beta1: 0, epsilon: undefined } as OptimizerOptions, 0)).toEqual({
    ...ADAM,
    beta1: 0,
    weightDecay: 0,
  });
  expect(settingsOf({ name: 'rmsprop', momentum: 0.9, epsilon: 1 }, 4e-5)).toEqual({
    kind: 'rmsprop',
    decay: 0.9,
    momentum: 0.9,
    epsilon: 1,
    weightDecay: 4e-5,
  });
  expect(resolveOptimizer({ name: 'sgd', momentum: 0.9 }, undefined).learningRate).toBe(0.01);
});

const refused: [options: unknown, message: string][] = [
  ['adagrad', 'optimizer to be one of sgd, momentum, adam, adamw, rmsprop'],
  ['toString', 'optimizer to be one of'],
  [{}, 'optimizer to be one of sgd, adam, adamw, rmsprop'],
  [undefined, 'optimizer to be one of'],
  [{ name: 'momentum' }, 'optimizer to be one of'],
  [
    { name: 'sgd', beta1: 0.9, momentun: 0.9 },
    "'sgd' to be an object with only name, momentum, nesterov, received 'beta1', 'momentun'",
  ],
  [{ name: 'sgd', toString: 1 }, "received 'toString'"],
  [{ name: 'sgd', momentum: 1 }, 'momentum to be a number in [0, 1), received 1'],
  [{ name: 'sgd', momentum: '0.9' }, 'momentum to be a number'],
  [{ name: 'sgd', nesterov: true }, 'momentum to be above 0 where nesterov is true'],
  [{ name: 'sgd', momentum: 0.9, nesterov: 1 }, 'nesterov to be true or false'],
  [{ name: 'adam', beta1: -0.1 }, 'beta1'],
  [{ name: 'adam', beta2: Number.NaN }, 'beta2'],
  [{ name: 'adamw', epsilon: 0 }, 'epsilon to be a number above 0'],
  [{ name: 'adamw', epsilon: 1e-50 }, 'epsilon to be a number above 0'],
  [{ name: 'rmsprop', epsilon: Number.POSITIVE_INFINITY }, 'epsilon'],
  [{ name: 'rmsprop', decay: 1.5 }, 'decay'],
  [{ name: 'rmsprop', momentum: -1 }, 'momentum'],
];
for (const [options, message] of refused) {
  test(`refuses ${JSON.stringify(options)}`, () => {
    const resolve = () => resolveOptimizer(options as OptimizerOptions, undefined);
    expect(resolve).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(resolve).toThrow(message);
  });
}

for (const decay of [-1, Number.NaN, Number.POSITIVE_INFINITY, '0.1']) {
  test(`refuses a weight decay of ${decay}`, () => {
    expect(() => resolveOptimizer('sgd', decay as number)).toThrow('weightDecay to be a number of at least 0');
  });
}
