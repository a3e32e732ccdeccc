import type { LayersModel, layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { UnsupportedLayer } from './stage';

export type Layer = layers.Layer;

/** What a model is, at the top and as a layer inside of another. */
type Model = Layer & Pick<LayersModel, 'inputs' | 'outputs' | 'layers'>;

/** Words why `layer` cannot be read. */
export function unsupportedLayer(layer: Layer, reason: string): UnsupportedLayer {
  return { layerName: layer.name, className: layer.getClassName(), reason };
}

/** The model's layers from its input to its output, without input layers; those of nested models stand in their place. */
export function layerChain(model: LayersModel): { layers: readonly Layer[] } | { unsupported: UnsupportedLayer } {
  const reversed: Layer[] = [];
  const unsupported = walkBack(model, reversed, new Set());
  return unsupported ? { unsupported } : { layers: reversed.reverse() };
}

function walkBack(model: Model, reversed: Layer[], seen: Set<Layer>): UnsupportedLayer | undefined {
  const { inputs, outputs } = model;
  if (inputs.length !== 1 || outputs.length !== 1) {
    return unsupportedLayer(model, `has ${inputs.length} inputs and ${outputs.length} outputs, not one of each`);
  }
  let tensor: SymbolicTensor = outputs[0]!;
  while (tensor.sourceLayer.getClassName() !== 'InputLayer') {
    const layer = tensor.sourceLayer;
    if (seen.has(layer)) return unsupportedLayer(layer, 'is used more than once');
    seen.add(layer);
    const { inputTensors } = layer.inboundNodes[tensor.nodeIndex]!;
    if (inputTensors.length !== 1) return unsupportedLayer(layer, `has ${inputTensors.length} inputs`);
    if (isModel(layer)) {
      const unsupported = walkBack(layer, reversed, seen);
      if (unsupported) return unsupported;
    } else {
      reversed.push(layer);
    }
    tensor = inputTensors[0]!;
  }
  return undefined;
}

function isModel(layer: Layer): layer is Model {
  return 'outputs' in layer;
}

/** The layers that are frozen, by themselves or by a model around them. */
export function frozenLayers(model: LayersModel): ReadonlySet<Layer> {
  const frozen = new Set<Layer>();
  const visit = (layer: Layer & { layers?: Layer[] }, frozenAbove: boolean) => {
    const isFrozen = frozenAbove || !layer.trainable;
    if (isFrozen) frozen.add(layer);
    for (const inner of layer.layers ?? []) visit(inner, isFrozen);
  };
  visit(model, false);
  return frozen;
}
