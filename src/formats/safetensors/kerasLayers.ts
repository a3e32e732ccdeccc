import { refuse } from '../../io/refuse';
import type { SafetensorsTensor } from '../../io/safetensors';
import type { Values, WeightedLayer } from '../networkWeights';
import { compareModules } from './moduleOrder';

/** The name of a tensor: the layer's, and the weight's in it. */
const NAME = /^(.*)[/.](kernel|depthwise_kernel|bias|gamma|beta|moving_mean|moving_variance)$/;

type LayerWeights = Map<string, Values>;

/** Whether tensors have Keras's names and layouts. */
export function hasKerasNames(tensors: ReadonlyMap<string, SafetensorsTensor>): boolean {
  return [...tensors.keys()].some((name) => /[/.](depthwise_)?kernel$/.test(name));
}

/**
 * The layers of a file whose tensors have Keras's names and layouts.
 *
 * @param order the names of the layers from the input to the output; without it names must tell the order
 * @param epsilonOf the epsilon of the n-th batch norm
 * @throws {MobilenetError} `invalid-data`
 */
export function kerasLayers(
  where: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  order: readonly string[] | undefined,
  epsilonOf: (norm: number) => number | undefined,
): WeightedLayer[] {
  const byName = groupLayers(where, tensors);
  const names = order ?? [...byName.keys()].sort((a, b) => compareModules(a.split(/[/.]/), b.split(/[/.]/)));
  if (names.length !== byName.size || new Set(names).size !== names.length) {
    refuse(where, `tensors of the ${names.length} layers that the metadata names`, `of ${byName.size} layers`);
  }
  let norms = 0;
  return names.map((name) => {
    const weights = byName.get(name) ?? refuse(where, `tensors of layer ${name}`, 'none');
    const [bias, mean] = [weights.get('bias'), weights.get('moving_mean')];
    if (mean) return batchNorm(where, name, weights, mean, epsilonOf(norms++));
    const depthwise = weights.get('depthwise_kernel');
    if (depthwise) return { kind: 'depthwise', name, kernel: ofRank(where, name, depthwise, [4]), bias };
    const kernel = weights.get('kernel') ?? refuse(where, `a kernel of layer ${name}`, [...weights.keys()].join(', '));
    const kind = ofRank(where, name, kernel, [2, 4]).shape.length === 2 ? 'dense' : 'conv';
    return { kind, name, kernel, bias };
  });
}

function groupLayers(where: string, tensors: ReadonlyMap<string, SafetensorsTensor>): Map<string, LayerWeights> {
  const layers = new Map<string, LayerWeights>();
  for (const [tensor, { dtype, shape, data }] of tensors) {
    const [, layer, weight] = NAME.exec(tensor) ?? [];
    if (layer === undefined || weight === undefined) refuse(where, "tensors of Keras's names", tensor);
    if (!(data instanceof Float32Array)) refuse(where, `the tensor ${tensor} to be of floats`, dtype);
    const weights = layers.get(layer) ?? new Map<string, Values>();
    layers.set(layer, weights.set(weight, { shape, data }));
  }
  return layers;
}

function batchNorm(
  where: string,
  name: string,
  weights: LayerWeights,
  movingMean: Values,
  epsilon: number | undefined,
): WeightedLayer {
  const [gamma, beta] = [weights.get('gamma'), weights.get('beta')];
  const movingVariance = weights.get('moving_variance') ?? refuse(where, `a moving_variance of layer ${name}`, 'none');
  return { kind: 'batchNorm', name, gamma, beta, movingMean, movingVariance, epsilon };
}

function ofRank(where: string, name: string, kernel: Values, ranks: readonly number[]): Values {
  if (!ranks.includes(kernel.shape.length))
    refuse(where, `a kernel of ${ranks.join(' or ')} axes in ${name}`, kernel.shape);
  return kernel;
}
