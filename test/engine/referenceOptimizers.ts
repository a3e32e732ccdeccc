// The update of a weight w by its gradient g, in float64, as tfjs 4.22 defines it.
import type { StageGraph } from '../../src/graph/stage';

/** An optimizer and its constants. */
export type OptimizerSpec =
  | { kind: 'sgd'; learningRate: number }
  /** Nesterov's form. */
  | { kind: 'momentum'; learningRate: number; momentum: number }
  /** Epsilon stands beside the bias-corrected root. */
  | { kind: 'adam'; learningRate: number; beta1: number; beta2: number; epsilon: number }
  /** Adam behind PyTorch's decoupled decay, w *= 1 - learningRate * weightDecay, of dense and full convolutions' kernels. */
  | { kind: 'adamw'; learningRate: number; beta1: number; beta2: number; epsilon: number; weightDecay: number }
  /** Without momentum; epsilon stands inside the root. */
  | { kind: 'rmsprop'; learningRate: number; decay: number; epsilon: number };

/** What an optimizer keeps between steps. */
export interface OptimizerState {
  /** Steps taken. */
  readonly step: number;
  /**
   * By weight index, as long as the weight each: momentum [accumulation], adam and adamw [first moment, second moment],
   * rmsprop [mean square]. A weight that is missing has zeros.
   */
  readonly slots: ReadonlyMap<number, readonly Float64Array[]>;
}

/** Before the first step. */
export const freshOptimizerState: OptimizerState = { step: 0, slots: new Map() };

/** How many slots a weight has. */
export const slotCounts: Record<OptimizerSpec['kind'], number> = { sgd: 0, momentum: 1, adam: 2, adamw: 2, rmsprop: 1 };

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
    if (spec.kind === 'adamw' && decayed.has(index)) {
      weight.forEach((w, at) => {
        weight[at] = w * (1 - spec.learningRate * spec.weightDecay);
      });
    }
    gradient.forEach((g, at) => {
      weight[at]! -= spec.learningRate * direction(spec, step, own, at, g);
    });
    slots.set(index, own);
  }
  return { weights: updated, state: { step, slots } };
}

/** The kernels that weight decay applies to: those of dense layers and full convolutions, not depthwise ones. */
export function decayedKernels({ stages }: StageGraph): Set<number> {
  return new Set(stages.flatMap((stage) => (stage.kind === 'conv' ? [stage.kernel.index] : [])));
}

/** What is subtracted, learning rate aside, for the gradient g; moves the slots on at this place. */
function direction(spec: OptimizerSpec, step: number, slots: Float64Array[], at: number, g: number): number {
  const [first, second] = slots as [Float64Array, Float64Array];
  switch (spec.kind) {
    case 'sgd':
      return g;
    case 'momentum':
      first[at] = spec.momentum * first[at]! + g;
      return g + spec.momentum * first[at]!;
    case 'rmsprop':
      first[at] = spec.decay * first[at]! + (1 - spec.decay) * g * g;
      return g / Math.sqrt(first[at]! + spec.epsilon);
    default: {
      const { beta1, beta2, epsilon } = spec;
      first[at] = beta1 * first[at]! + (1 - beta1) * g;
      second[at] = beta2 * second[at]! + (1 - beta2) * g * g;
      return first[at]! / (1 - beta1 ** step) / (Math.sqrt(second[at]! / (1 - beta2 ** step)) + epsilon);
    }
  }
}
