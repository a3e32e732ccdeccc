import { describe, expect, test } from 'vitest';
import type { EngineKernels } from '../../../src/kernels/engineKernels';
import { createArena, flavours } from './arena';
import { sharesOf, uniform, worstError } from './values';

const SEED = 34;
const STEPS = 3;
const RATE = 0.03;
const [BETA1, BETA2] = [0.9, 0.999];

/** A rule as a kernel, and as its definition in float64: w, g and two states of one element at step t. */
interface Rule {
  name: string;
  step(k: EngineKernels, t: number, ...args: [w: number, wOut: number, g: number, a: number, b: number, ...R]): void;
  define(t: number, w: number, g: number, a: number, b: number): [w: number, a: number, b: number];
}
type R = [begin: number, end: number];

/** What a gradient counts, and the weight decay. */
type Factors = [gradientScale: number, weightDecay: number];

/** The definition of a rule with gradients that count as they are and no decay, extended by both. */
const scaled = ([gradientScale, weightDecay]: Factors, define: Rule['define']): Rule['define'] => {
  return (t, w, g, ...state) => define(t, w * (1 - RATE * weightDecay), g * gradientScale, ...state);
};

const momentum = (nesterov: boolean, factors: Factors): Rule => ({
  name: nesterov ? 'Nesterov momentum' : 'momentum',
  step: (k, _, w, out, g, a, _b, ...range) => k.f32Momentum(w, out, g, a, RATE, 0.9, nesterov, ...factors, ...range),
  define: scaled(factors, (_, w, g, a, b) => {
    const velocity = 0.9 * a + g;
    return [w - RATE * (nesterov ? g + 0.9 * velocity : velocity), velocity, b];
  }),
});

const adam = (factors: Factors): Rule => ({
  name: 'Adam',
  step: (k, t, w, out, g, a, b, ...range) =>
    k.f32Adam(w, out, g, a, b, RATE, BETA1, BETA2, 1e-7, 1 - BETA1 ** t, 1 - BETA2 ** t, ...factors, ...range),
  define: scaled(factors, (t, w, g, a, b) => {
    const m = BETA1 * a + (1 - BETA1) * g;
    const v = BETA2 * b + (1 - BETA2) * g * g;
    const root = Math.sqrt(v / (1 - BETA2 ** t)) + 1e-7;
    return [w - (RATE * (m / (1 - BETA1 ** t))) / root, m, v];
  }),
});

const rmsprop = (inertia: number, factors: Factors): Rule => ({
  name: inertia > 0 ? 'RMSprop with momentum' : 'RMSprop',
  step: (k, _, w, out, g, a, b, ...range) =>
    k.f32Rmsprop(w, out, g, a, inertia > 0 ? b : 0, RATE, 0.9, inertia, 1e-7, ...factors, ...range),
  define: scaled(factors, (_, w, g, a, b) => {
    const meanSquare = 0.9 * a + (1 - 0.9) * g * g;
    const velocity = inertia * b + (RATE * g) / Math.sqrt(meanSquare + 1e-7);
    return [w - velocity, meanSquare, inertia > 0 ? velocity : b];
  }),
});

const sgd = (factors: Factors): Rule => ({
  name: 'SGD',
  step: (k, _, w, out, g, _a, _b, ...range) => k.f32Sgd(w, out, g, RATE, ...factors, ...range),
  define: scaled(factors, (_, w, g, a, b) => [w - RATE * g, a, b]),
});

const rules = (
  [
    [1, 0],
    [1, 0.5],
    [0.37, 0],
    [0.37, 0.5],
  ] as Factors[]
).flatMap((factors) =>
  [
    sgd(factors),
    momentum(false, factors),
    momentum(true, factors),
    adam(factors),
    rmsprop(0, factors),
    rmsprop(0.9, factors),
  ].map((rule) => ({ ...rule, name: `${rule.name}, gradients times ${factors[0]}, decay ${factors[1]}` })),
);

/** Weights, states (every second one new, that is 0) and gradients; the last element of each is 0, as in padding. */
function createState(count: number) {
  const withPadding = (values: Float32Array) => values.fill(0, count - 1);
  const halfNew = (values: Float32Array) => values.map((value, i) => (i % 2 === 0 ? value : 0));
  return {
    w: withPadding(uniform(count, SEED, 0.5, 2)),
    a: halfNew(withPadding(uniform(count, SEED + 1, 0, 1))),
    b: halfNew(withPadding(uniform(count, SEED + 2, 0, 1))),
    gradients: Array.from({ length: STEPS }, (_, t) => withPadding(uniform(count, SEED + 3 + t))),
  };
}

describe.each(flavours)(
  `optimizers, %s: each step's error below 5e-7 of |before| + |after| (seed ${SEED})`,
  (_, module) => {
    const cases = rules.flatMap((rule) => [4, 8, 52].map((count) => [rule.name, count, rule] as const));
    test.each(cases)('%s, %i values', (_name, count, rule) => {
      const runs = sharesOf(count / 4).map((shares) => {
        const { w, a, b, gradients } = createState(count);
        const arena = createArena(module, 1);
        const buffers = [arena.floats(w), arena.floats(new Float32Array(count))] as const;
        const states = [arena.floats(a), arena.floats(b)] as const;
        return gradients.map((gradient, index) => {
          const from = buffers[index % 2]!;
          const to = buffers[(index + 1) % 2]!;
          const before = [from, ...states].map((pointer) => arena.readFloats(pointer, count));
          const g = arena.floats(gradient);
          for (const [begin, end] of shares) {
            rule.step(arena.kernels, index + 1, from, to, g, ...states, 4 * begin, 4 * end);
          }
          expect(arena.readFloats(from, count)).toEqual(before[0]);
          const after = [to, ...states].map((pointer) => arena.readFloats(pointer, count));
          for (let i = 0; i < count; i++) {
            const [w, a, b] = before.map((values) => values[i]!) as [number, number, number];
            const expected = rule.define(index + 1, w, gradient[i]!, a, b);
            const sizes = expected.map((value, part) => Math.abs(value) + Math.abs([w, a, b][part]!));
            const actual = after.map((values) => values[i]!);
            expect(worstError(actual, expected, sizes), `step ${index + 1}, element ${i}`).toBeLessThan(5e-7);
          }
          expect(after.map((values) => values[count - 1])).toEqual([0, 0, 0]);
          return after;
        });
      });
      expect(runs[1]).toEqual(runs[0]);
    });

    test('values outside of the range stay', () => {
      for (const rule of rules) {
        const { w, a, b, gradients } = createState(16);
        const arena = createArena(module, 1);
        const [from, to] = [arena.floats(w), arena.floats(w)];
        const states = [arena.floats(a), arena.floats(b)] as const;
        rule.step(arena.kernels, 1, from, to, arena.floats(gradients[0]!), ...states, 4, 8);
        for (const [pointer, original] of [[to, w] as const, [states[0], a] as const, [states[1], b] as const]) {
          const values = arena.readFloats(pointer, 16);
          expect([...values.slice(0, 4), ...values.slice(8)], rule.name).toEqual([
            ...original.slice(0, 4),
            ...original.slice(8),
          ]);
        }
      }
    });
  },
);

describe.each(flavours)('f32AllFinite, %s', (_, module) => {
  test('finds one NaN or infinite value anywhere, and nothing outside of its range', () => {
    const extremes = [0, -0, 3.4e38, -3.4e38, 1e-45, 1, -1, 2, 3, 4, 5, 6];
    const { kernels, floats } = createArena(module, 1);
    expect(kernels.f32AllFinite(floats(extremes), 0, 12)).toBe(1);
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (let i = 0; i < 12; i++) {
        const x = floats(extremes.map((value, at) => (at === i ? broken : value)));
        expect(kernels.f32AllFinite(x, 0, 12)).toBe(0);
        expect(kernels.f32AllFinite(x, 4, 8)).toBe(i >= 4 && i < 8 ? 0 : 1);
      }
    }
  });
});
