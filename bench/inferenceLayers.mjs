// A MobileNetV1 as the converters of other runtimes give it: batch norm folded into the convolutions. On purpose not the
// library's own reader and folding, so that the comparison of results also checks those.

/**
 * A convolution, kernel `[KH,KW,C,F]`, or a depthwise one, kernel `[KH,KW,C,1]`.
 *
 * @typedef {object} FoldedLayer
 * @property {string} name
 * @property {'conv' | 'depthwise'} kind
 * @property {number[]} shape of the kernel
 * @property {Float32Array} kernel
 * @property {Float32Array} bias one value per output channel
 * @property {number} stride
 * @property {[before: number, after: number]} pads zeros before and behind rows and columns, as TensorFlow's `same`
 * @property {boolean} relu6
 */

/**
 * All convolutions in their order; global average pooling stands before the last, and a softmax behind it.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model of `mobilenetV1`, padding `same`
 * @returns {FoldedLayer[]}
 */
export function foldedLayers(model) {
  const convolutions = model.layers.filter((layer) => ['Conv2D', 'DepthwiseConv2D'].includes(layer.getClassName()));
  return convolutions.map((layer) => {
    const [kernel, ...rest] = layer.getWeights();
    if (!kernel) throw new Error(`${layer.name} has no kernel.`);
    const isHead = layer.name === 'conv_preds';
    const { scale, offset } = isHead
      ? { scale: undefined, offset: rest[0]?.dataSync() }
      : batchNormBehind(layer, model);
    const channels = Number(offset?.length);
    const { strides } = /** @type {{ strides: [number, number] }} */ (layer.getConfig());
    return {
      name: layer.name,
      kind: layer.getClassName() === 'Conv2D' ? 'conv' : 'depthwise',
      shape: kernel.shape,
      kernel: Float32Array.from(kernel.dataSync(), (value, i) => value * (scale?.[i % channels] ?? 1)),
      bias: Float32Array.from(offset ?? []),
      stride: strides[0],
      pads: samePads(
        Number(/** @type {import("@tensorflow/tfjs-layers").SymbolicTensor} */ (layer.input).shape[1]),
        Number(kernel.shape[0]),
        strides[0],
      ),
      relu6: !isHead,
    };
  });
}

/**
 * Of the batch norm that follows a convolution without bias: `scale * z + offset`.
 *
 * @param {import('@tensorflow/tfjs-layers').layers.Layer} layer
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 */
function batchNormBehind({ name }, model) {
  const layer = model.getLayer(`${name}_bn`);
  const [gamma = [], beta = [], mean = [], variance = []] = layer.getWeights().map((weight) => weight.dataSync());
  const { epsilon } = /** @type {{ epsilon: number }} */ (layer.getConfig());
  const scale = Float64Array.from(gamma, (value, c) => value / Math.sqrt(Number(variance[c]) + epsilon));
  const offset = scale.map((value, c) => Number(beta[c]) - Number(mean[c]) * value);
  return { scale, offset };
}

/**
 * @param {number} size @param {number} kernel @param {number} stride
 * @returns {[before: number, after: number]}
 */
function samePads(size, kernel, stride) {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}
