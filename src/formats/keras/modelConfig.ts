import { isObject } from '../../io/checkArtifacts';
import { refuse } from '../../io/refuse';
import type { Activation } from '../activation';
import { layerActivations } from '../layerActivations';

/** A layer of a model's configuration. */
export interface ConfigLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Of a model inside of the model, from its input to its output. */
  readonly layers?: readonly ConfigLayer[] | undefined;
  /** Of a layer with weights what stands behind it, up to the next one; undefined where that is not known. */
  readonly activation?: Activation | undefined;
}

/** No honest model has models inside of models this often. */
export const DEEPEST = 20;

/**
 * The layers of a model's configuration in JSON, of Keras 2 or 3, from the input to the output.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export function readModelConfig(where: string, json: string): readonly ConfigLayer[] {
  const { layers } = readLayer(where, parseJson(where, json), 0);
  if (!layers) refuse(where, 'the configuration of a model', 'one of a layer');
  return withActivations(layers, layerActivations(flatLayers(layers)));
}

function withActivations(
  layers: readonly ConfigLayer[],
  activations: ReadonlyMap<ConfigLayer, Activation | undefined>,
): ConfigLayer[] {
  return layers.map((layer) => ({
    ...layer,
    layers: layer.layers && withActivations(layer.layers, activations),
    activation: activations.get(layer),
  }));
}

/** Text of a file as JSON. */
export function parseJson(where: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    refuse(where, 'a configuration in JSON', (error as Error).message, 'The file is damaged: get it anew.', error);
  }
}

/** All layers, those of models inside in their place. */
export function flatLayers(layers: readonly ConfigLayer[]): ConfigLayer[] {
  return layers.flatMap((layer) => (layer.layers ? flatLayers(layer.layers) : [layer]));
}

function readLayer(where: string, entry: unknown, depth: number): ConfigLayer {
  if (!isObject(entry) || typeof entry.class_name !== 'string' || depth > DEEPEST) {
    refuse(where, 'layers with class names in the configuration', depth > DEEPEST ? `${depth} models deep` : 'others');
  }
  const className = entry.class_name;
  // Sequential models of Keras 2.0 have their layers for a configuration.
  const config = Array.isArray(entry.config) ? { layers: entry.config } : entry.config;
  if (!isObject(config)) refuse(where, `a configuration of the ${className}`, 'none');
  const name = [config.name, entry.name].find((value) => typeof value === 'string') ?? className;
  const layers = Array.isArray(config.layers)
    ? config.layers.map((layer) => readLayer(where, layer, depth + 1))
    : undefined;
  return { name, className, config, layers };
}
