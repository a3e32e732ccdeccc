import { isObject } from './checkArtifacts';
import { refuse } from './refuse';

/** An object of a file, about which nothing is known. */
export type Json = Record<string, unknown>;

/** An output of a layer: of which of its calls, and which of that call's outputs; and what the call that reads it sets. */
export type TensorRef = [layer: string, call: number, output: number, settings?: Json];

/** What one call of a layer reads. */
export type LayerCall = TensorRef[];

/** A layer and its calls. */
export interface CalledLayer extends Json {
  name: string;
  inbound_nodes: LayerCall[];
}

/** In tfjs-layers these are models of their own, which have a first call: from their input to their output. */
export function isModelClass(kind: unknown): boolean {
  return kind === 'Functional' || kind === 'Model' || kind === 'Sequential';
}

/** The layers of a Sequential model, each called with the output of the one before it. */
export function chainCalls(where: string, layers: readonly Json[]): CalledLayer[] {
  const named = layers.map((layer) => ({ ...layer, name: nameOf(where, layer) }));
  return named.map((layer, i) => {
    const before = named[i - 1];
    return { ...layer, inbound_nodes: before ? [[[before.name, 0, 0, {}]]] : [] };
  });
}

/** The layers of a functional model with their calls, as Keras 2 and tfjs write them. */
export function functionalCalls(where: string, layers: readonly Json[]): CalledLayer[] {
  const nested = new Set(layers.filter((layer) => isModelClass(layer.class_name)).map(({ name }) => name));
  return layers.map((layer) => {
    const { name, inbound_nodes: nodes } = layer;
    if (typeof name !== 'string' || !Array.isArray(nodes)) refuse(where, 'layers with name and inbound_nodes', layer);
    // Old converters leave a pair of brackets out.
    const calls: unknown[] = Array.isArray(nodes[0]) && typeof nodes[0][0] === 'string' ? [nodes] : nodes;
    return { ...layer, name, inbound_nodes: Array.from(calls, (call) => readCall(where, call, nested)) };
  });
}

/** A list of tensors, or one by itself. */
export function readTensors(where: string, tensors: unknown): TensorRef[] {
  if (!Array.isArray(tensors)) refuse(where, 'lists of the tensors that layers read', tensors);
  return typeof tensors[0] === 'string'
    ? [readTensor(where, tensors)]
    : Array.from(tensors, (one) => readTensor(where, one));
}

/** A call is `[[name, call, output, settings]]` in Keras 2 and tfjs, `{ args, kwargs }` in Keras 3. */
function readCall(where: string, call: unknown, nested: ReadonlySet<unknown>): LayerCall {
  if (!isObject(call)) return readTensors(where, call);
  const settings = isObject(call.kwargs) && call.kwargs.training === true ? { training: true } : {};
  return kerasTensors(where, call.args, 0).map((history) => {
    const [layer, index, output] = readTensor(where, history);
    // Keras 3 counts the calls of models from 0; to tfjs their first call is the model's own.
    return [layer, nested.has(layer) ? index + 1 : index, output, settings];
  });
}

function readTensor(where: string, tensor: unknown): TensorRef {
  const [layer, call, output, settings = {}]: unknown[] = Array.isArray(tensor) ? tensor : [];
  if (typeof layer !== 'string' || !isIndex(call) || !isIndex(output) || !isObject(settings)) {
    refuse(where, 'tensors as [layer, number of its call, number of the output]', tensor);
  }
  return [layer, call, output, settings];
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** The places of the tensors among the arguments of a call, which may be in lists of lists. */
function kerasTensors(where: string, args: unknown, depth: number): unknown[] {
  if (depth > 4) refuse(where, 'arguments of layers that are tensors or lists of them', 'lists inside of lists');
  if (Array.isArray(args)) return args.flatMap((arg) => kerasTensors(where, arg, depth + 1));
  if (!isObject(args) || args.class_name !== '__keras_tensor__' || !isObject(args.config)) return [];
  return [args.config.keras_history];
}

function nameOf(where: string, { config, name }: Json): string {
  const own = isObject(config) ? (config.name ?? name) : name;
  if (typeof own !== 'string') refuse(where, 'layers with names', own);
  return own;
}
