import { isObject } from './checkArtifacts';
import { checkCalls } from './checkCalls';
import { keepDims } from './keepDims';
import { normalizeLayer } from './normalizeLayer';
import { refuse } from './refuse';
import { chainCalls, functionalCalls, isModelClass, type Json, readTensors, type TensorRef } from './topologyCalls';

/** Models stand in models two or three deep. */
const MAX_NESTING = 20;

/**
 * The topology of a layers model in the words of tfjs-layers 4.22, which are those of Keras 2: `batch_shape`, dtype
 * policies, `inbound_nodes` that are objects and `keepdims` are newer. What is wrong with a layer is left to tfjs.
 *
 * The calls of layers are checked, for tfjs waits forever for a layer that never comes.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export function normalizeTopology(where: string, topology: object): object {
  const model = 'model_config' in topology ? topology.model_config : topology;
  if (!isObject(model)) return topology;
  const normal = normalizeModel(where, model, 0);
  return 'model_config' in topology ? { ...topology, model_config: normal } : normal;
}

function normalizeModel(where: string, model: Json, depth: number): Json {
  if (depth > MAX_NESTING) refuse(where, `models inside of models, at most ${MAX_NESTING} deep`, 'more');
  const { config } = model;
  if (Array.isArray(config)) return { ...model, config: sequentialLayers(where, config, depth) };
  if (!isObject(config) || !Array.isArray(config.layers)) return model;
  const { layers } = config;
  const normal =
    model.class_name === 'Sequential'
      ? { layers: sequentialLayers(where, layers, depth) }
      : functionalLayers(where, layers, config, depth);
  return { ...model, config: { ...config, ...normal } };
}

function sequentialLayers(where: string, layers: readonly unknown[], depth: number): Json[] {
  const calls = chainCalls(where, normalizeLayers(where, layers, depth));
  return keepDims(where, calls).layers.map(({ inbound_nodes: _, ...layer }) => layer);
}

/** The layers of a functional model, how they are connected, and what comes in and out. */
function functionalLayers(where: string, layers: readonly unknown[], config: Json, depth: number): Json {
  const normal = normalizeLayers(where, layers, depth);
  const nested = new Set(normal.filter((layer) => isModelClass(layer.class_name)).map(({ name }) => name));
  const { layers: connected, redirect } = keepDims(where, functionalCalls(where, normal));
  checkCalls(where, connected);
  const outputs = readTensors(where, config.output_layers).map(([layer, call, output]): TensorRef => {
    // Keras 3 counts the calls of Sequential models from 0; to tfjs that is the model's own, which is nobody's output.
    return [layer, nested.has(layer) ? Math.max(1, call) : call, output];
  });
  return { layers: connected, input_layers: readTensors(where, config.input_layers), output_layers: redirect(outputs) };
}

function normalizeLayers(where: string, layers: readonly unknown[], depth: number): Json[] {
  // Not map, which leaves holes of a list as they are.
  return Array.from(layers, (layer) => {
    if (!isObject(layer)) refuse(where, 'layers that are objects', layer);
    return isModelClass(layer.class_name) ? normalizeModel(where, layer, depth + 1) : normalizeLayer(where, layer);
  });
}
