import { decodeFloats } from '../../io/decodeFloats';
import type { ManifestWeights } from '../../io/readModelFiles';
import { refuse } from '../../io/refuse';
import { splitWeights } from '../../io/splitWeights';
import { configSteps } from '../keras/configSteps';
import type { ConfigLayer } from '../keras/modelConfig';
import { layerActivations } from '../layerActivations';
import type { Values, WeightedLayer } from '../networkWeights';

/**
 * The weights of a manifest by the layers of a chain.
 *
 * @throws {MobilenetError} `invalid-data` where one is missing, has another shape, or is of another kind of layer
 */
export function layerWeights(where: string, chain: readonly ConfigLayer[], manifest: ManifestWeights): WeightedLayer[] {
  const weights = weightsByPath(where, manifest);
  const paths = pathsByName(weights);
  const activations = layerActivations(chain);
  const layers = chain.flatMap((layer) => {
    const [path, other] = weights.has(layer.name) ? [layer.name] : (paths.get(layer.name) ?? []);
    if (other !== undefined) refuse(where, 'weights of different names', `two that end in /${layer.name}`);
    const own = weights.get(path ?? '');
    weights.delete(path ?? '');
    if (!own && !needsWeights.has(layer.className)) return [];
    return [{ ...weightedLayer(where, layer, own ?? new Map()), activation: activations.get(layer) }];
  });
  const [left] = weights.keys();
  if (left !== undefined) refuse(where, 'weights of the layers of its topology', `others: ${left}`);
  return layers;
}

const needsWeights: ReadonlySet<string> = new Set(['BatchNormalization', 'Conv2D', 'Dense', 'DepthwiseConv2D']);

type LayerWeights = ReadonlyMap<string, () => Values>;

/** By their names up to that of the weight. */
function weightsByPath(where: string, { weightSpecs, weightData }: ManifestWeights): Map<string, LayerWeights> {
  const layers = new Map<string, Map<string, () => Values>>();
  for (const [spec, bytes] of splitWeights(where, weightSpecs, weightData)) {
    const { name, shape, group } = spec;
    if (group === 'optimizer') continue;
    const slash = name.lastIndexOf('/');
    const [path, weight] = [name.slice(0, Math.max(slash, 0)), name.slice(slash + 1)];
    const own = layers.get(path) ?? new Map<string, () => Values>();
    if (own.has(weight)) refuse(where, 'weights of different names', `two called ${name}`);
    layers.set(
      path,
      own.set(weight, () => ({ shape, data: decodeFloats(where, spec, bytes) })),
    );
  }
  return layers;
}

/** Names of layers may have slashes; files from Keras 3 have the name of a Sequential model before them. */
function pathsByName(weights: ReadonlyMap<string, LayerWeights>): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const path of weights.keys()) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const ending = paths.get(name) ?? [];
    ending.push(path);
    paths.set(name, ending);
  }
  return paths;
}

function weightedLayer(where: string, { name, className, config }: ConfigLayer, weights: LayerWeights): WeightedLayer {
  const optional = (weight: string, rank: number) => {
    const values = weights.get(weight)?.();
    if (values && values.shape.length !== rank) refuse(where, `${rank} axes of ${name}/${weight}`, values.shape);
    return values;
  };
  const required = (weight: string, rank: number) =>
    optional(weight, rank) ?? refuse(where, `the weight ${name}/${weight}`, [...weights.keys()].join(', ') || 'none');
  switch (className) {
    case 'Conv2D':
      return { kind: 'conv', name, kernel: required('kernel', 4), bias: optional('bias', 1), ...configSteps(config) };
    case 'DepthwiseConv2D': {
      // Keras 3 calls it kernel.
      const kernel = optional('depthwise_kernel', 4) ?? required('kernel', 4);
      return { kind: 'depthwise', name, kernel, bias: optional('bias', 1), ...configSteps(config) };
    }
    case 'Dense':
      return { kind: 'dense', name, kernel: required('kernel', 2), bias: optional('bias', 1) };
    case 'BatchNormalization':
      return {
        kind: 'batchNorm',
        name,
        gamma: optional('gamma', 1),
        beta: optional('beta', 1),
        movingMean: required('moving_mean', 1),
        movingVariance: required('moving_variance', 1),
        // As tfjs and Keras have it where a configuration leaves it out.
        epsilon: typeof config.epsilon === 'number' ? config.epsilon : 1e-3,
      };
    default:
      return refuse(where, 'weights of convolutions, dense layers and batch norms', `those of ${name} (${className})`);
  }
}
