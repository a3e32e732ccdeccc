import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { afterEach, expect, test } from 'vitest';
import { OPTIMIZER_SLOTS, type OptimizerSettings } from '../../src/engine/optimizer';
import { createRandom } from '../../src/random';
import { createTfjsOptimizer } from '../../src/train/tfjsOptimizer';

const STEPS = 6;
const SIZES = [5, 3];
const SEED = 20;

const cases: Record<string, OptimizerSettings> = {
  sgd: { kind: 'sgd', weightDecay: 0 },
  'sgd with decay': { kind: 'sgd', weightDecay: 0.3 },
  'classical momentum': { kind: 'momentum', momentum: 0.8, nesterov: false, weightDecay: 0.3 },
  'Nesterov momentum': { kind: 'momentum', momentum: 0.9, nesterov: true, weightDecay: 0.3 },
  adam: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 },
  'adam with decay and other constants': { kind: 'adam', beta1: 0.5, beta2: 0.7, epsilon: 1e-2, weightDecay: 0.3 },
  rmsprop: { kind: 'rmsprop', decay: 0.9, momentum: 0, epsilon: 1e-7, weightDecay: 0 },
  'rmsprop with momentum and decay': { kind: 'rmsprop', decay: 0.6, momentum: 0.9, epsilon: 1e-3, weightDecay: 0.3 },
};

/** One weight over several updates, in float64. */
function plainLoop(settings: OptimizerSettings, start: number, gradients: number[], rates: number[], decays: boolean) {
  let w = start;
  let [first, second] = [0, 0];
  gradients.forEach((g, i) => {
    const t = i + 1;
    const rate = rates[i]!;
    if (decays) w *= 1 - rate * settings.weightDecay;
    switch (settings.kind) {
      case 'sgd':
        w -= rate * g;
        break;
      case 'momentum':
        first = settings.momentum * first + g;
        w -= rate * (settings.nesterov ? g + settings.momentum * first : first);
        break;
      case 'adam': {
        const { beta1, beta2, epsilon } = settings;
        first = beta1 * first + (1 - beta1) * g;
        second = beta2 * second + (1 - beta2) * g * g;
        w -= (rate * (first / (1 - beta1 ** t))) / (Math.sqrt(second / (1 - beta2 ** t)) + epsilon);
        break;
      }
      case 'rmsprop':
        first = settings.decay * first + (1 - settings.decay) * g * g;
        second = settings.momentum * second + (rate * g) / Math.sqrt(first + settings.epsilon);
        w -= second;
        break;
    }
  });
  return { w, slots: [first, second] };
}

let made: tf.Variable[] = [];
const variable = (values: number[]) => {
  const result = tf.tidy(() => tf.variable(tf.tensor1d(values)));
  made.push(result);
  return result;
};
afterEach(() => {
  tf.dispose(made);
  made = [];
});

for (const backend of ['cpu', 'wasm']) {
  for (const [name, settings] of Object.entries(cases)) {
    test(`${name} on ${backend}: ${STEPS} updates within 2e-6 of a float64 loop, no tensor left (seed ${SEED})`, async () => {
      await tf.setBackend(backend);
      const random = createRandom(SEED);
      const count = tf.memory().numTensors;
      const values = SIZES.map((size) => Array.from({ length: size }, random.normal));
      const variables = values.map(variable);
      const decaying = new Set([variables[0]!]);
      const gradients = SIZES.map((size) =>
        Array.from({ length: STEPS }, () => Array.from({ length: size }, random.normal)),
      );
      const rates = Array.from({ length: STEPS }, () => 0.1 * random.uniform());

      const optimizer = createTfjsOptimizer(settings, variables, decaying);
      for (let i = 0; i < STEPS; i++) {
        const named = Object.fromEntries(variables.map((w, j) => [w.name, tf.tensor1d(gradients[j]![i]!)]));
        optimizer.update(named, rates[i]!);
        tf.dispose(named);
      }

      expect(optimizer.state!.updates).toBe(STEPS);
      expect(Object.keys(optimizer.state!.slots)).toEqual(OPTIMIZER_SLOTS[settings.kind]);
      variables.forEach((w, j) => {
        const slots = Object.values(optimizer.state!.slots).map((ofWeights) => ofWeights.get(w)!.dataSync());
        w.dataSync().forEach((value, at) => {
          const own = gradients[j]!.map((step) => step[at]!);
          const expected = plainLoop(settings, values[j]![at]!, own, rates, decaying.has(w));
          expect(Math.abs(value - expected.w)).toBeLessThan(2e-6);
          slots.forEach((slot, k) => {
            expect(Math.abs(slot[at]! - expected.slots[k]!)).toBeLessThan(2e-6);
          });
        });
      });
      optimizer.dispose();
      expect(tf.memory().numTensors - count).toBe(variables.length);
    });
  }
}

test('a variable without a gradient stays as it is, decay included', async () => {
  await tf.setBackend('cpu');
  const [moved, left] = [variable([1, 2]), variable([3, 4])];
  const settings = { kind: 'momentum', momentum: 0.9, nesterov: false, weightDecay: 0.5 } as const;
  const optimizer = createTfjsOptimizer(settings, [moved, left], new Set([moved, left]));
  const gradient = tf.tensor1d([1, 0]);
  optimizer.update({ [moved.name]: gradient }, 0.5);
  // w - 0.5 * 0.5 * w - 0.5 * g
  expect([...moved.dataSync()]).toEqual([0.25, 1.5]);
  expect([...left.dataSync()]).toEqual([3, 4]);
  expect([...optimizer.state!.slots.velocity!.get(left)!.dataSync()]).toEqual([0, 0]);
  gradient.dispose();
  optimizer.dispose();
});

test('a learning rate has to be given', async () => {
  const optimizer = createTfjsOptimizer({ kind: 'sgd', weightDecay: 0 }, [], new Set());
  expect(() => optimizer.rateFor(undefined)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  expect(optimizer.rateFor(0)).toBe(0);
});
