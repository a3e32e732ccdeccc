import type { LayersModel, layers } from '@tensorflow/tfjs-layers';

/** What a built model says of its layers, in the words of `describeMobilenetV1`. */
export function layerRows(model: LayersModel) {
  return model.layers.map((layer) => ({
    name: layer.name,
    kind: layer.getClassName(),
    outputShape: layer.outputShape,
    parameters: layer.countParams(),
    multiplyAdds: kernelProducts(layer),
  }));
}

/** Every weight of a kernel meets every pixel of the output once. */
function kernelProducts(layer: layers.Layer): number {
  const kernel = layer.weights.find(({ originalName }) => originalName.endsWith('kernel'));
  if (!kernel) return 0;
  const [, height, width] = layer.outputShape as number[];
  return kernel.shape.reduce((product: number, size) => product * size!, height! * width!);
}
