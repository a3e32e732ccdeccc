import { refuse } from '../../io/refuse';
import type { Values } from '../networkWeights';
import type { Hdf5Group } from './hdf5/hdf5Group';
import type { KerasLayer } from './kerasLayer';
import type { ConfigLayer } from './modelConfig';
import { Queues } from './queues';

/** Weights that Keras names alike up to the last part: those of one layer. */
interface Owned {
  /** The layer's name, without that of a model around it. */
  readonly name: string;
  readonly weights: Map<string, Values>;
}

/**
 * The layers that have weights in a file of Keras 2, or in an `.h5` of Keras 3: groups named after layers, and in each
 * the names of its weights.
 *
 * @param group The root of a file of weights, or `model_weights` of a file of a whole model.
 * @param config The model's layers, which then give the order; else the file's list of layers does.
 * @throws {MobilenetError} `invalid-data`
 */
export function legacyLayers(where: string, group: Hdf5Group, config?: readonly ConfigLayer[]): KerasLayer[] {
  const names = nameList(group, 'layer_names') ?? refuse(where, 'layer_names of a Keras file', 'none');
  const owned = new Map([...new Set(names)].map((name) => [name, ownedBy(where, group, name)]));
  if (!config) return [...owned.values()].flat();
  const known = new Set(config.map(({ name }) => name));
  const left = names.find((name) => !known.has(name) && owned.get(name)!.length > 0);
  if (left !== undefined) refuse(where, 'weights of the layers of its configuration', `others: ${left}`);
  return config.flatMap((layer) => {
    const members = owned.get(layer.name) ?? [];
    return layer.layers ? inOrder(where, layer, members) : members.map(({ weights }) => ({ ...layer, weights }));
  });
}

/** A list of strings, which Keras splits into `name0`, `name1`... where it is long. */
function nameList(group: Hdf5Group, attribute: string): string[] | undefined {
  const whole = group.strings(attribute);
  if (whole) return whole;
  const names: string[] = [];
  for (let part = 0; ; part++) {
    const more = group.strings(`${attribute}${part}`);
    if (!more) return part === 0 ? undefined : names;
    names.push(...more);
  }
}

/** What the group of a layer has; a model inside of the model is one layer, with the weights of all its own. */
function ownedBy(where: string, group: Hdf5Group, layerName: string): Owned[] {
  const layer = group.group(layerName);
  const names = (layer && nameList(layer, 'weight_names')) ?? [];
  const owned = new Map<string, Owned>();
  for (const name of names) {
    const values = layer?.values(name) ?? refuse(where, `weight ${name} of layer ${layerName}`, 'none');
    const slash = name.lastIndexOf('/');
    const owner = name.slice(0, Math.max(slash, 0));
    // TensorFlow numbers the outputs of an operation: kernel:0.
    const role = name.slice(slash + 1).replace(/:\d+$/, '');
    const entry = owned.get(owner) ?? { name: owner.slice(owner.lastIndexOf('/') + 1), weights: new Map() };
    if (entry.weights.has(role)) refuse(where, `one weight ${role} of layer ${layerName}`, 'several');
    entry.weights.set(role, values);
    owned.set(owner, entry);
  }
  const members = [...owned.values()];
  // TensorFlow 1 named weights conv1_1/kernel:0 where a second model had a layer conv1.
  return members.length === 1 ? [{ ...members[0]!, name: layerName }] : members;
}

/** The layers of a model inside of the model. */
function inOrder(where: string, model: ConfigLayer, members: readonly Owned[]): KerasLayer[] {
  const queues = new Queues(members, ({ name }) => name);
  const visit = (layers: readonly ConfigLayer[]): KerasLayer[] =>
    layers.flatMap((layer) => {
      if (layer.layers) return visit(layer.layers);
      const next = queues.next(layer.name);
      return next ? [{ ...layer, weights: next.weights }] : [];
    });
  const layers = visit(model.layers ?? []);
  const left = queues.left();
  if (left) refuse(where, `weights of the layers of model ${model.name}`, `others: ${left.name}`);
  return layers;
}
