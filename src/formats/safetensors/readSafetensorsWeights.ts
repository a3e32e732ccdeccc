import { refuse } from '../../io/refuse';
import { readSafetensors, type SafetensorsTensor } from '../../io/safetensors';
import type { PaddingStyle } from '../../model/architecture';
import { checkChain } from '../checkChain';
import { imagenetRange } from '../imagenetRange';
import type { NetworkWeights, WeightedLayer, WeightFile } from '../networkWeights';
import { hasKerasNames, kerasLayers } from './kerasLayers';
import { type OwnMetadata, readOwnMetadata } from './ownMetadata';
import { torchLayers } from './torchLayers';

/**
 * Reads a safetensors file: of ours, with Keras's names, or of PyTorch's modules, whose names must tell their order.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export async function readSafetensorsWeights({ bytes, where }: WeightFile): Promise<NetworkWeights> {
  const { tensors, metadata } = readSafetensors(bytes, where);
  const own = readOwnMetadata(where, metadata);
  const framework = hasKerasNames(tensors) ? undefined : frameworkOf(tensors);
  const { layers: order, epsilons, strides, dilations, padding, ...ofPictures }: Partial<OwnMetadata> = own ?? {};
  const epsilonOf = (norm: number) => epsilons?.[norm] ?? framework?.epsilon;
  const layers = framework ? torchLayers(where, tensors, epsilonOf) : kerasLayers(where, tensors, order, epsilonOf);
  checkChain(where, layers);
  return {
    format: 'safetensors',
    where,
    layers: strides ? withSteps(where, layers, strides, dilations) : layers,
    padding: own ? padding : framework?.padding,
    inputRange: own ? undefined : imagenetRange(layers),
    ...ofPictures,
  };
}

type Pairs = readonly (readonly number[])[];

function withSteps(
  where: string,
  layers: readonly WeightedLayer[],
  strides: Pairs,
  dilations: Pairs | undefined,
): WeightedLayer[] {
  const kernels = layers.filter(({ kind }) => kind !== 'batchNorm');
  for (const [name, { length }] of Object.entries({ strides, ...(dilations && { dilations }) })) {
    if (kernels.length !== length) refuse(where, `${name} of ${kernels.length} kernels`, length);
  }
  return layers.map((layer) => {
    if (layer.kind !== 'conv' && layer.kind !== 'depthwise') return layer;
    const i = kernels.indexOf(layer);
    return { ...layer, strides: strides[i], ...(dilations && { dilationRate: dilations[i] }) };
  });
}

/** What its framework says of a network, where the file does not. */
interface Framework {
  readonly epsilon: number;
  readonly padding: PaddingStyle;
}

/** Transformers keeps TF-slim's ways; PyTorch's defaults are those of timm, too. */
function frameworkOf(tensors: ReadonlyMap<string, SafetensorsTensor>): Framework {
  const isTransformers = [...tensors.keys()].some((name) => /(^|\.)conv_stem\.convolution\.weight$/.test(name));
  return isTransformers ? { epsilon: 1e-3, padding: 'same' } : { epsilon: 1e-5, padding: 'torch' };
}
