import {
  add,
  div,
  mul,
  type NamedTensorMap,
  sqrt,
  sub,
  type Tensor,
  tidy,
  type Variable,
  variable,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { OPTIMIZER_SLOTS, type OptimizerSettings } from '../engine/optimizer';
import { check } from '../errors';

/** What changes the trained weights by their gradients. */
export interface TfjsOptimizer {
  /** What can be read and written; undefined for an optimizer that does not show its own. */
  readonly state: OptimizerState | undefined;
  /** The rate that an update uses where this one is asked for. */
  rateFor(learningRate: number | undefined): number;
  /** Updates the variables; those without a gradient stay as they are. */
  update(gradients: NamedTensorMap, learningRate: number): void;
  dispose(): void;
}

/** What an optimizer keeps between updates. */
export interface OptimizerState {
  /** How many were made. */
  updates: number;
  /** By name, then by the trained variable that they belong to. */
  readonly slots: Readonly<Record<string, ReadonlyMap<Variable, Variable>>>;
}

/**
 * An optimizer in tfjs operations, with the formulas of the engine's (`assembly/engine/optimizers.ts`).
 *
 * tfjs's own have no decoupled weight decay, and go on from a saved state inexactly: Adam multiplies powers of beta up
 * in float32, but makes them anew from the count of updates when its state is set.
 *
 * @param decaying which of the variables `settings.weightDecay` shrinks
 */
export function createTfjsOptimizer(
  settings: OptimizerSettings,
  variables: readonly Variable[],
  decaying: ReadonlySet<Variable>,
): TfjsOptimizer {
  const names: readonly string[] = OPTIMIZER_SLOTS[settings.kind];
  const zeros = (like: Variable) => tidy(() => variable(zerosLike(like), false));
  const slots = Object.fromEntries(names.map((name) => [name, new Map(variables.map((w) => [w, zeros(w)]))]));
  const state = { updates: 0, slots };

  const updateOne = (w: Variable, gradient: Tensor, rate: number) => {
    const own = names.map((name) => slots[name]!.get(w)!);
    const { change, updated } = RULES[settings.kind](settings as never, gradient, own, rate, state.updates);
    own.forEach((slot, i) => {
      slot.assign(updated[i]!);
    });
    const decay = decaying.has(w) ? rate * settings.weightDecay : 0;
    // One subtraction from w: 1 - decay would round the decay to a few digits.
    w.assign(sub(w, decay === 0 ? change : add(change, mul(w, decay))));
  };

  return {
    state,

    rateFor(learningRate) {
      check(learningRate !== undefined, {
        where: 'trainClassifier',
        expected: 'a learning rate for each step',
        received: 'none',
      });
      return learningRate;
    },

    update(gradients, rate) {
      state.updates += 1;
      for (const w of variables) {
        const gradient = gradients[w.name];
        if (gradient) tidy(() => updateOne(w, gradient, rate));
      }
    },

    dispose() {
      for (const ofWeights of Object.values(slots)) for (const slot of ofWeights.values()) slot.dispose();
    },
  };
}

/** What is subtracted from a weight, decay aside, and the new values of its slots, in the order of `OPTIMIZER_SLOTS`. */
interface Update {
  change: Tensor;
  updated: Tensor[];
}

/** In update t = 1, 2, ... by the gradient g. */
type Rule<Settings> = (settings: Settings, g: Tensor, slots: Variable[], rate: number, t: number) => Update;

const RULES: { [Kind in OptimizerSettings['kind']]: Rule<Extract<OptimizerSettings, { kind: Kind }>> } = {
  sgd: (_, g, _slots, rate) => ({ change: mul(g, rate), updated: [] }),

  momentum({ momentum, nesterov }, g, [before], rate) {
    const velocity = add(mul(before!, momentum), g);
    const direction = nesterov ? add(mul(velocity, momentum), g) : velocity;
    return { change: mul(direction, rate), updated: [velocity] };
  },

  adam({ beta1, beta2, epsilon }, g, [mBefore, vBefore], rate, t) {
    const m = add(mul(mBefore!, beta1), mul(g, 1 - beta1));
    const v = add(mul(vBefore!, beta2), mul(mul(g, g), 1 - beta2));
    const root = add(sqrt(mul(v, 1 / (1 - beta2 ** t))), epsilon);
    return { change: div(mul(m, rate / (1 - beta1 ** t)), root), updated: [m, v] };
  },

  rmsprop({ decay, momentum, epsilon }, g, [squareBefore, before], rate) {
    const meanSquare = add(mul(squareBefore!, decay), mul(mul(g, g), 1 - decay));
    const velocity = add(mul(before!, momentum), div(mul(g, rate), sqrt(add(meanSquare, epsilon))));
    return { change: velocity, updated: [meanSquare, velocity] };
  },
};
