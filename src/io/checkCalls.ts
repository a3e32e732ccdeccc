import { sum } from './checkArtifacts';
import { refuse } from './refuse';
import { type CalledLayer, isModelClass, type LayerCall } from './topologyCalls';

/** tfjs goes over all inputs again for each layer that comes before its own; beyond this that takes more than a second. */
const MOST = 10_000;

/**
 * Throws `invalid-data` where tfjs would wait forever for an input: of a layer or a call that there is none of, or one
 * that waits itself.
 *
 * The calls are made as tfjs makes them: the n-th call of a layer is the n-th whose inputs are all there. One without
 * inputs is never made.
 */
export function checkCalls(where: string, layers: readonly CalledLayer[]): void {
  const inputs = sum(layers.flatMap(({ inbound_nodes }) => inbound_nodes.map((call) => Math.max(1, call.length))));
  if (Math.max(layers.length, inputs) > MOST) refuse(where, `at most ${MOST} layers and inputs of layers`, inputs);
  const names = new Set(layers.map(({ name }) => name));
  if (names.size < layers.length) refuse(where, 'layers whose names differ', 'two of one name');

  const made = new Map(layers.map(({ name, class_name: kind }) => [name, hasOwnCall(kind) ? 1 : 0]));
  const calls = layers.flatMap(({ name, inbound_nodes }) =>
    inbound_nodes.flatMap((call): Pending[] => (call.length > 0 ? [{ name, call }] : [])),
  );
  /** The next one last. */
  const ready = calls.reverse();
  /** By the call that they wait for. */
  const waiting = new Map<string, Pending[]>();
  for (let pending = ready.pop(); pending !== undefined; pending = ready.pop()) {
    const missing = pending.call.find(([layer, call]) => (made.get(layer) ?? 0) <= call);
    if (missing) {
      const key = callName(missing[0], missing[1]);
      const others = waiting.get(key);
      if (others) others.push(pending);
      else waiting.set(key, [pending]);
    } else {
      const index = made.get(pending.name)!;
      made.set(pending.name, index + 1);
      const key = callName(pending.name, index);
      for (const other of waiting.get(key) ?? []) ready.push(other);
      waiting.delete(key);
    }
  }
  for (const [call, [first]] of waiting) {
    refuse(where, 'layers that can be called one after the other', `${first?.name}, which waits for ${call} forever`);
  }
}

interface Pending {
  /** Of the layer that is called. */
  name: string;
  call: LayerCall;
}

function callName(layer: string, index: number): string {
  return `call ${index} of ${layer}`;
}

function hasOwnCall(kind: unknown): boolean {
  return kind === 'InputLayer' || isModelClass(kind);
}
