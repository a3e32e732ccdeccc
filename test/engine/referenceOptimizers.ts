// The update of a weight w by its gradient g, in float64, as tfjs 4.22 defines it.
import type { WeightRole } from '../../src/engine/optimizer';
import type { StageGraph, WeightRef } from '../../src/graph/stage';

/** An optimizer and its constants. */
export type OptimizerSpec = {
  learningRate: number;
  /** Decoupled, as PyTorch's AdamW has it: w *= 1 - learningRate * weightDecay, of weights that decay. @default 0 */
  weightDecay?: number;
} & (
  | { kind: 'sgd' }
  /** Nesterov's form, unless told otherwise. */
  | { kind: 'momentum'; momentum: number; nesterov?: boolean }
  /** Epsilon stands beside the bias-corrected root. */
  | { kind: 'adam'; beta1: number; beta2: number; epsilon: number }
  /** Epsilon stands inside the root. */
  | { kind: 'rmsprop'; decay: number; epsilon: number; momentum?: number }
);

/** What an optimizer keeps between steps. */
export interface OptimizerState {
  /** Steps taken. */
  readonly step: number;
  /**
   * By weight index, as long as the weight each: momentum [accumulation], adam [first moment, second moment],
   * rmsprop [mean square, velocity]. A weight that is missing has zeros.
   */
  readonly slots: ReadonlyMap<number, readonly Float64Array[]>;
}

/** Before the first step. */
export const freshOptimizerState: OptimizerState = { step: 0, slots: new Map() };

/** How many slots a weight has. */
export const slotCounts: Record<OptimizerSpec['kind'], number> = { sgd: 0, momentum: 1, adam: 2, rmsprop: 2 };

/** The weights and the state after one step; the old ones stay as they are. */
export function updateWeights(
  spec: OptimizerSpec,
  state: OptimizerState,
  weights: readonly Float64Array[],
  gradients: ReadonlyMap<number, Float64Array>,
  decayed: ReadonlySet<number>,
): { weights: Float64Array[]; state: OptimizerState } {
  const updated = weights.map((weight) => weight.slice());
  const slots = new Map<number, Float64Array[]>();
  const step = state.step + 1;
  for (const [index, gradient] of gradients) {
    const weight = updated[index]!;
    const before = state.slots.get(index);
    const own = Array.from({ length: slotCounts[spec.kind] }, (_, slot) =>
      before ? before[slot]!.slice() : new Float64Array(weight.length),
    );
    if (decayed.has(index)) {
      weight.forEach((w, at) => {
        weight[at] = w * (1 - spec.learningRate * (spec.weightDecay ?? 0));
      });
    }
    gradient.forEach((g, at) => {
      weight[at]! -= spec.learningRate * direction(spec, step, own, at, g);
    });
    slots.set(index, own);
  }
  return { weights: updated, state: { step, slots } };
}

/** The weights that decay, by what they are for. */
export function decayedWeights({ stages }: StageGraph, roles: readonly WeightRole[] = ['kernel']): Set<number> {
  const found = stages.flatMap(({ bias, batchNorm, ...stage }) => {
    const kernel = 'kernel' in stage ? stage.kernel : undefined;
    const kernelRole: WeightRole = stage.kind === 'conv' ? 'kernel' : 'depthwise';
    const weights: [WeightRef | undefined, WeightRole][] = [
      [kernel, kernelRole],
      [bias, 'bias'],
      [batchNorm?.gamma, 'batchNorm'],
      [batchNorm?.beta, 'batchNorm'],
    ];
    return weights.flatMap(([weight, role]) => (weight && roles.includes(role) ? [weight.index] : []));
  });
  return new Set(found);
}

/** Gradients times `share`, added to those that wait. */
export function addGradients(
  waiting: ReadonlyMap<number, Float64Array>,
  gradients: ReadonlyMap<number, Float64Array>,
  share: number,
): Map<number, Float64Array> {
  const sum = (index: number, g: number, at: number) => (waiting.get(index)?.[at] ?? 0) + share * g;
  return new Map([...gradients].map(([index, values]) => [index, values.map((g, at) => sum(index, g, at))]));
}

/** All gradients times min(1, clipNorm / norm), norm over all of them. */
export function clipGradients(gradients: ReadonlyMap<number, Float64Array>, clipNorm: number) {
  let squares = 0;
  for (const values of gradients.values()) for (const g of values) squares += g * g;
  return addGradients(new Map(), gradients, Math.min(1, clipNorm / Math.sqrt(squares)));
}

/** What is subtracted, learning rate aside, for the gradient g; moves the slots on at this place. */
function direction(spec: OptimizerSpec, step: number, slots: Float64Array[], at: number, g: number): number {
  const [first, second] = slots as [Float64Array, Float64Array];
  switch (spec.kind) {
    case 'sgd':
      return g;
    case 'momentum':
      first[at] = spec.momentum * first[at]! + g;
      return spec.nesterov === false ? first[at]! : g + spec.momentum * first[at]!;
    case 'rmsprop':
      first[at] = spec.decay * first[at]! + (1 - spec.decay) * g * g;
      // With the learning rate in it, as it may change from step to step.
      second[at] = (spec.momentum ?? 0) * second[at]! + (spec.learningRate * g) / Math.sqrt(first[at]! + spec.epsilon);
      return second[at]! / spec.learningRate;
    case 'adam': {
      const { beta1, beta2, epsilon } = spec;
      first[at] = beta1 * first[at]! + (1 - beta1) * g;
      second[at] = beta2 * second[at]! + (1 - beta2) * g * g;
      return first[at]! / (1 - beta1 ** step) / (Math.sqrt(second[at]! / (1 - beta2 ** step)) + epsilon);
    }
  }
}
