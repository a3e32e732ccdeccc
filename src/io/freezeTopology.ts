import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { isObject } from './checkArtifacts';

/** The topology that tfjs made of a model, with the layers frozen whose models are frozen as a whole, which it leaves out. */
export function freezeTopology(model: LayersModel, topology: object): object {
  return freezeLayer(model, topology, false) as object;
}

/** @param frozenAbove whether a model around it is frozen */
function freezeLayer(layer: layers.Layer, json: unknown, frozenAbove: boolean): unknown {
  if (!isObject(json) || !isObject(json.config)) return json;
  const { config } = json;
  if (!('layers' in layer)) return frozenAbove ? freezeLeaf(json) : json;
  const inner = layer.layers as layers.Layer[];
  if (!Array.isArray(config.layers)) return json;
  const isFrozen = frozenAbove || !layer.trainable;
  const frozen = config.layers.map((one, i) => freezeLayer(inner[i]!, one, isFrozen));
  return { ...json, config: { ...config, layers: frozen } };
}

/** One that wraps another has the flag from that. */
function freezeLeaf(json: unknown): unknown {
  if (!isObject(json) || !isObject(json.config)) return json;
  const { config } = json;
  const wrapped = 'layer' in config && { layer: freezeLeaf(config.layer) };
  return { ...json, config: { ...config, ...wrapped, trainable: false } };
}
