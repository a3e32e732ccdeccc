import { check } from '../errors';
import { OPTIMIZER_SLOTS, type OptimizerSettings } from './optimizer';
import type { PackedState } from './sessionMemory';
import { packWeight, unpackWeight, type WeightsLayout } from './weightLayout';

/** As `model.weights` has them, in its order; undefined for what is not there. */
export type ByWeight = (Float32Array | undefined)[];

/** All that the engine's next step depends on. */
export interface EngineState {
  /** Undefined for a weight that no stage uses. */
  readonly weights: ByWeight;
  /** What the optimizer keeps, by its name; undefined for weights that are not trained. */
  readonly slots: Record<string, ByWeight>;
  /** Updates made so far. */
  readonly updates: number;
  /** The moving average of the weights, where one is kept. */
  readonly average: ByWeight | undefined;
}

/** Weights in the engine's order; those that are not given are 0. */
export function packWeights(
  { layouts }: WeightsLayout,
  floats: number,
  weights: readonly (ArrayLike<number> | undefined)[],
) {
  const packed = new Float32Array(floats);
  for (const [i, layout] of layouts.entries()) {
    const values = weights[i];
    if (layout && values && layout.offset < floats) packWeight(layout, values, packed);
  }
  return packed;
}

/** Weights that lie past the end of `packed` (no gradient is kept of those that do not learn) come out undefined. */
export function unpackWeights({ layouts }: WeightsLayout, packed: Float32Array): (Float32Array | undefined)[] {
  return layouts.map((layout) => (layout && layout.offset < packed.length ? unpackWeight(layout, packed) : undefined));
}

/** From the order of the engine's memory into the model's. */
export function unpackState(
  layout: WeightsLayout,
  { kind }: OptimizerSettings,
  { weights, slots, average, updates }: PackedState & { updates: number },
): EngineState {
  return {
    weights: unpackWeights(layout, weights),
    slots: Object.fromEntries(OPTIMIZER_SLOTS[kind].map((name, i) => [name, unpackWeights(layout, slots[i]!)])),
    updates,
    average: average && unpackWeights(layout, average),
  };
}

/** The way back of {@link unpackState}; an average that is missing begins as a copy of the weights. */
export function packState(
  layout: WeightsLayout,
  { kind }: OptimizerSettings,
  { weights, slots, average }: EngineState,
  keepsAverage: boolean,
): PackedState {
  const where = 'The state of a training';
  const { layouts, floats, trainableFloats } = layout;
  const checkAll = (name: string, values: ByWeight, end: number) => {
    const wrong = layouts.findIndex(
      (one, i) => one && one.offset < end && values[i]?.length !== one.rows * one.columns,
    );
    check(values.length === layouts.length && wrong === -1, {
      where,
      expected: `${name} of the model's ${layouts.length} weights, each of its weight's size`,
      received: wrong === -1 ? `${values.length}` : `${values[wrong]?.length ?? 'no'} values for weight ${wrong}`,
      remedy: 'Go on with the model and the frozen layers that the state was read from.',
    });
  };
  checkAll('weights', weights, floats);
  if (average) checkAll('averages', average, floats);
  const packed = packWeights(layout, floats, weights);
  return {
    weights: packed,
    slots: OPTIMIZER_SLOTS[kind].map((name) => {
      const slot = slots[name] ?? [];
      checkAll(`'${name}'`, slot, trainableFloats);
      return packWeights(layout, trainableFloats, slot);
    }),
    average: keepsAverage ? (average ? packWeights(layout, floats, average) : packed) : undefined,
  };
}
