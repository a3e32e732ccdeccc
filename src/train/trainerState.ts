import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { check } from '../errors';
import type { OptimizerState, TfjsOptimizer } from './tfjsOptimizer';
import type { TrainerState } from './trainer';
import type { WeightStore } from './weightStore';
import { readValues, writeValues } from './weightValues';

const WHERE = 'trainClassifier';

/** Reads all that the next step depends on. */
export async function readTrainerState(store: WeightStore, optimizer: TfjsOptimizer): Promise<TrainerState> {
  const { updates, slots } = shownState(optimizer);
  const readAll = (values: readonly Tensor[]) => Promise.all(values.map(readValues));
  const read: TrainerState['slots'] = {};
  for (const [name, ofWeights] of Object.entries(slots)) {
    const inOrder = store.weights.map((weight) => ofWeights.get(weight));
    read[name] = await Promise.all(inOrder.map((slot) => slot && readValues(slot)));
  }
  return {
    weights: await readAll(store.current()),
    slots: read,
    updates,
    average: store.average && (await readAll(store.average)),
  };
}

/**
 * Writes a state; where it does not fit it throws `invalid-argument` and nothing has changed. An average that is missing
 * begins as a copy of the weights.
 */
export function writeTrainerState(store: WeightStore, optimizer: TfjsOptimizer, state: TrainerState): void {
  const own = shownState(optimizer);
  const writes = plan('weights', store.weights, state.weights);
  for (const [name, ofWeights] of Object.entries(own.slots)) {
    const inOrder = store.weights.map((weight) => ofWeights.get(weight));
    writes.push(...plan(`slot '${name}'`, inOrder, state.slots[name]));
  }
  if (store.average) writes.push(...plan('average', store.average, state.average ?? state.weights));
  store.hold('current');
  for (const write of writes) write();
  own.updates = state.updates;
}

function shownState({ state }: TfjsOptimizer): OptimizerState {
  check(state !== undefined, {
    where: WHERE,
    expected: "an optimizer of this library's, whose state can be read and written",
    received: 'a tfjs optimizer',
    remedy: "Name the optimizer, as in optimizer: 'adam', or give its options.",
  });
  return state;
}

/** What writes the values into the variables, once all is known to fit. */
function plan(
  what: string,
  variables: readonly (Variable | undefined)[],
  values: readonly (Float32Array | undefined)[] | undefined,
): (() => void)[] {
  const sizes = (list: readonly ({ size: number } | Float32Array | undefined)[]) =>
    list.map((item) => (item instanceof Float32Array ? item.length : item?.size) ?? 'none').join(', ');
  check(values !== undefined && sizes(variables) === sizes(values), {
    where: WHERE,
    expected: `a state whose ${what} are ${variables.length} lists of ${sizes(variables)} numbers`,
    received: values === undefined ? 'none' : `${values.length} of ${sizes(values)}`,
    remedy: 'It comes from another model or optimizer, or from one with other frozen layers.',
  });
  return variables.flatMap((variable, i) => (variable ? () => writeValues(variable, values[i]!) : []));
}
