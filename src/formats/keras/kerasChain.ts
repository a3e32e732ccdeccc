import type { LayersModel } from '@tensorflow/tfjs-layers';
import { check } from '../../errors';
import { frozenLayers, type Layer } from '../../graph/layerChain';
import { chainOf } from '../modelLayers';
import type { Values } from '../networkWeights';
import { layerSettings } from './layerSettings';
import { weightsOf } from './weightNames';

/** `[n,...]`; null where it is left open. */
type Shape = readonly (number | null)[];

/** A layer as Keras is to have it. */
export interface LayerToWrite {
  readonly name: string;
  readonly className: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly trainable: boolean;
  readonly inputShape: Shape;
  /** By what Keras 2 names them inside of the layer, in the order that all versions of Keras have. */
  readonly weights: ReadonlyMap<string, Values>;
}

/** A model as Keras is to have it. */
export interface ChainToWrite {
  readonly name: string;
  readonly input: { readonly name: string; readonly shape: Shape; readonly dtype: string };
  readonly layers: readonly LayerToWrite[];
}

/** Reads a model that is a chain of layers; see {@link LayerToWrite}. Throws `invalid-argument` where it cannot be written. */
export async function kerasChain(where: string, model: LayersModel): Promise<ChainToWrite> {
  const chain = chainOf(where, model);
  const frozen = frozenLayers(model);
  const { shape, dtype, sourceLayer } = model.inputs[0]!;
  check(chain.length > 0, { where, expected: 'a model with layers', received: 'one without' });
  const names = uniqueNames(where, [sourceLayer.name, ...chain.map(({ name }) => name)]);
  const settings = chain.map((layer) => layerSettings(where, layer));
  const inputShapes = shapesAlong(shape, chain);
  const weights = await Promise.all(chain.map(readWeights));
  return {
    name: model.name.replaceAll('/', '_'),
    input: { name: names[0]!, shape, dtype },
    layers: chain.map((layer, i) => ({
      name: names[i + 1]!,
      className: layer.getClassName(),
      settings: settings[i]!,
      trainable: !frozen.has(layer),
      inputShape: inputShapes[i]!,
      weights: weights[i]!,
    })),
  };
}

/** Layers of two models inside of the model may have one name, of which the second gets a number. */
function uniqueNames(where: string, names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    check(!name.includes('/'), {
      where,
      expected: 'names of layers without slashes, which Keras takes for paths',
      received: name,
      remedy: 'Give the layer another name.',
    });
    let unique = name;
    for (let number = 1; taken.has(unique); number++) unique = `${name}_${number}`;
    taken.add(unique);
    return unique;
  });
}

/** What goes into each layer; a layer's own shape is ambiguous where it is part of several models. */
function shapesAlong(input: Shape, chain: readonly Layer[]): Shape[] {
  const shapes = [input];
  for (const layer of chain) shapes.push(layer.computeOutputShape([...shapes.at(-1)!]) as Shape);
  return shapes;
}

async function readWeights(layer: Layer): Promise<Map<string, Values>> {
  const variables = new Map(layer.weights.map((weight) => [weight.originalName.split('/').at(-1)!, weight]));
  const names = weightsOf(layer.getClassName()).filter((name) => variables.has(name));
  const entries = names.map(async (name): Promise<[string, Values]> => {
    const weight = variables.get(name)!;
    return [name, { shape: weight.shape as number[], data: await weight.read().data<'float32'>() }];
  });
  return new Map(await Promise.all(entries));
}
