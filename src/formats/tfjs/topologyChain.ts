import { isObject } from '../../io/checkArtifacts';
import { refuse } from '../../io/refuse';
import { type CalledLayer, isModelClass, type Json, readTensors } from '../../io/topologyCalls';
import type { ConfigLayer } from '../keras/modelConfig';

/**
 * The layers of a topology from its input to its output; those of nested models stand in their place.
 *
 * @param topology as `normalizeTopology` gives it, so that models are not too deep and calls not in a circle
 * @throws {MobilenetError} `invalid-data` where the model is no chain
 */
export function topologyChain(where: string, topology: object): ConfigLayer[] {
  const model = 'model_config' in topology ? topology.model_config : topology;
  if (!isObject(model)) refuse(where, 'the topology of a layers model', model);
  return modelChain(where, model);
}

function modelChain(where: string, { class_name: kind, config }: Json): ConfigLayer[] {
  if (Array.isArray(config)) return config.flatMap((layer) => layerChain(where, layer));
  if (!isObject(config) || !Array.isArray(config.layers)) refuse(where, 'a model with layers', kind);
  if (kind === 'Sequential') return config.layers.flatMap((layer) => layerChain(where, layer));
  return functionalOrder(where, config, config.layers).flatMap((layer) => layerChain(where, layer));
}

function layerChain(where: string, layer: unknown): ConfigLayer[] {
  if (!isObject(layer) || typeof layer.class_name !== 'string') refuse(where, 'layers with class names', layer);
  const { class_name: className, config } = layer;
  if (isModelClass(className)) return modelChain(where, layer);
  if (!isObject(config) || typeof config.name !== 'string') refuse(where, `a ${className} with a name`, config);
  return [{ name: config.name, className, config }];
}

/** From the output back to the input, and turned round. */
function functionalOrder(where: string, config: Json, layers: readonly CalledLayer[]): CalledLayer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const outputs = readTensors(where, config.output_layers);
  const reversed: CalledLayer[] = [];
  const seen = new Set<CalledLayer>();
  for (let inputs = outputs; inputs.length > 0; ) {
    const layer = inputs.length === 1 ? byName.get(inputs[0]![0]) : undefined;
    if (!layer) refuse(where, CHAIN, `${inputs.length} inputs of ${reversed.at(-1)?.name ?? 'its output'}`);
    const { name, inbound_nodes: calls } = layer;
    if (seen.has(layer) || calls.length > 1) refuse(where, CHAIN, `layer ${name}, which is called more than once`);
    seen.add(layer);
    reversed.push(layer);
    inputs = calls[0] ?? [];
  }
  return reversed.reverse();
}

const CHAIN = 'a model that is a chain of layers';
