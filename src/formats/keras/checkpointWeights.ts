import { refuse } from '../../io/refuse';
import type { Values } from '../networkWeights';
import type { Hdf5Group } from './hdf5/hdf5Group';
import type { KerasLayer } from './kerasLayer';
import { type ConfigLayer, DEEPEST, flatLayers } from './modelConfig';
import { Queues } from './queues';
import { classesWithWeights, snakeCase } from './weightNames';

/** The group of a layer, or of a model inside of the model. */
interface Saved {
  /** Its class in Keras's snake case: `conv2d` for the groups `conv2d`, `conv2d_1`... */
  readonly className: string;
  readonly index: number;
  readonly path: string;
  /** The weights, where it is a layer. */
  readonly vars: Hdf5Group | undefined;
  /** Where it is a model. */
  readonly inside: readonly Saved[] | undefined;
}

/** Where Keras 3 has the layers, and where the first Keras files of TensorFlow had them. */
const CONTAINERS = ['layers', '_layer_checkpoint_dependencies'];

/** Whether this is the root of a `.weights.h5`. */
export function isCheckpoint(root: Hdf5Group): boolean {
  return CONTAINERS.some((name) => root.has(name));
}

/**
 * The layers that have weights in a `.weights.h5` of Keras 3: groups named after classes and numbered, in each `vars` with
 * the weights by number.
 *
 * @param config The model's layers, which give the order. Without them the layers of each class are in their order, but
 * layers of different classes in any.
 * @throws {MobilenetError} `invalid-data`
 */
export function checkpointLayers(where: string, root: Hdf5Group, config?: readonly ConfigLayer[]): KerasLayer[] {
  const saved = savedIn(where, root, '', 0);
  return config ? inOrder(where, config, saved) : saved.flatMap((entry) => withoutConfig(where, entry));
}

/** What has weights, each class in the order of its numbers. */
function savedIn(where: string, model: Hdf5Group, path: string, depth: number): Saved[] {
  if (depth > DEEPEST) refuse(where, `at most ${DEEPEST} models inside of each other`, 'more');
  const container = CONTAINERS.find((name) => model.has(name)) ?? '';
  const layers = model.group(container);
  const saved = (layers?.names ?? []).flatMap((name): Saved[] => {
    const group = layers?.group(name);
    if (!group) return [];
    const [, className = name, index = '0'] = /^(.*?)(?:_(\d+))?$/.exec(name) ?? [];
    const own = `${path}${container}/${name}`;
    const inside = isCheckpoint(group) ? savedIn(where, group, `${own}/`, depth + 1) : undefined;
    const vars = group.group('vars');
    const hasWeights = inside ? inside.length > 0 : vars && vars.names.length > 0;
    return hasWeights ? [{ className, index: Number(index), path: own, vars, inside }] : [];
  });
  return saved.sort((a, b) => a.index - b.index);
}

function withoutConfig(where: string, { className, path, vars, inside }: Saved): KerasLayer[] {
  if (inside) return inside.flatMap((entry) => withoutConfig(where, entry));
  const known =
    classesWithWeights.get(className) ?? refuse(where, `layers of ${[...classesWithWeights.keys()].join(', ')}`, path);
  const count = vars?.names.length ?? 0;
  // Moving averages only; a batch norm of three weights could lack gamma or beta, and is refused.
  const names = className === 'batch_normalization' && count === 2 ? known.weights.slice(2) : known.weights;
  const name = vars?.strings('name')?.[0] ?? path;
  return [{ name, className: known.className, weights: readVars(where, path, vars, names) }];
}

function inOrder(where: string, config: readonly ConfigLayer[], saved: readonly Saved[]): KerasLayer[] {
  // Files may count a layer twice, so that it is the order of the numbers that matters, not the numbers.
  const queues = new Queues(saved, ({ className, inside }) => `${className} ${inside !== undefined}`);
  const layers = config.flatMap((layer): KerasLayer[] => {
    const className = snakeCase(layer.className);
    const known = classesWithWeights.get(className);
    // Models without weights, of random changes to pictures for instance, are not among what was saved.
    if (layer.layers ? !flatLayers(layer.layers).some(hasWeights) : !known) return [];
    const next = queues.next(`${className} ${layer.layers !== undefined}`);
    if (layer.layers) return next?.inside ? inOrder(where, layer.layers, next.inside) : [];
    if (!known || !next) refuse(where, `weights of layer ${layer.name}`, 'none');
    const { scale, center, use_bias: useBias } = layer.config;
    const without = [scale === false && 'gamma', center === false && 'beta', useBias === false && 'bias'];
    const names = known.weights.filter((name) => !without.includes(name));
    return [{ ...layer, weights: readVars(where, next.path, next.vars, names) }];
  });
  const left = queues.left();
  if (left) refuse(where, 'weights of the layers of its configuration', `others: ${left.path}`);
  return layers;
}

const hasWeights = ({ className }: ConfigLayer) => classesWithWeights.has(snakeCase(className));

function readVars(where: string, path: string, vars: Hdf5Group | undefined, names: readonly string[]) {
  const count = vars?.names.length ?? 0;
  const isComplete = count === names.length || (count === names.length - 1 && names[count] === 'bias');
  if (!isComplete) refuse(where, `${names.join(', ')} in ${path}`, `${count} weights`);
  return new Map<string, Values>(
    names
      .slice(0, count)
      .map((name, i) => [name, vars?.values(String(i)) ?? refuse(where, `weight ${i} in ${path}`, 'none')]),
  );
}
