import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import type { LayerDescription, MobilenetV1Description } from '../../index';

/** A loaded model in the terms of `describeMobilenetV1`; of models inside of it, their layers. */
export function describeModel(model: LayersModel): Omit<MobilenetV1Description, 'toString'> {
  const all = leafLayers(model.layers).map(describeLayer);
  const size = (shape: readonly (number | null)[]) => product(shape.map(Number));
  return {
    layers: all,
    parameters: model.countParams(),
    trainableParameters: sum(model.trainableWeights.map(({ shape }) => size(shape))),
    multiplyAdds: sum(all.map(({ multiplyAdds }) => multiplyAdds)),
  };
}

function leafLayers(all: readonly layers.Layer[]): layers.Layer[] {
  return all.flatMap((layer) => ('layers' in layer ? leafLayers(layer.layers as layers.Layer[]) : [layer]));
}

function describeLayer(layer: layers.Layer): LayerDescription {
  const kind = layer.getClassName();
  // Of its first call: tfjs's own `outputShape` throws where a layer is called at several sizes.
  const outputShape = layer.inboundNodes[0]!.outputTensors[0]!.shape;
  const kernels = KERNELS.includes(kind) ? layer.weights.filter(({ shape }) => shape.length >= 2) : [];
  // Each weight of a kernel meets each output pixel once; a dense layer has one.
  const pixels = product(outputShape.slice(1, -1).map(Number));
  const weights = sum(kernels.map(({ shape }) => product(shape.map(Number))));
  return { name: layer.name, kind, outputShape, parameters: layer.countParams(), multiplyAdds: weights * pixels };
}

/** Layers whose work is counted. */
const KERNELS: readonly string[] = ['Conv2D', 'DepthwiseConv2D', 'SeparableConv2D', 'Dense'];

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const product = (values: readonly number[]) => values.reduce((total, value) => total * value, 1);
