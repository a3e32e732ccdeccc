/**
 * The layers as a TensorFlow.js graph model, as its converter writes one: a convolution, its bias and ReLU6 are one node.
 *
 * @param {import('./inferenceLayers.mjs').FoldedLayer[]} layers
 * @param {number} size of the pictures
 * @returns {{ artifacts: import('@tensorflow/tfjs-core').io.ModelArtifacts, weights: Uint8Array }} artifacts without
 *   their weights, so that they are JSON
 */
export function graphModel(layers, size) {
  /** @type {object[]} */
  const nodes = [placeholder('x', [-1, size, size, 3])];
  const constants = layers.flatMap(({ name, shape, kernel, bias }) => [
    { name: `${name}/kernel`, shape, values: kernel },
    { name: `${name}/bias`, shape: [bias.length], values: bias },
  ]);
  let input = 'x';
  for (const { name, kind, stride, relu6 } of layers) {
    if (name === layers.at(-1)?.name) input = add('Mean', 'pool', [input, 'axes'], { keep_dims: { b: true } });
    const op = kind === 'conv' ? '_FusedConv2D' : 'FusedDepthwiseConv2dNative';
    input = add(op, name, [input, `${name}/kernel`, `${name}/bias`], {
      num_args: { i: '1' },
      strides: integers([1, stride, stride, 1]),
      dilations: integers([1, 1, 1, 1]),
      padding: text('SAME'),
      data_format: text('NHWC'),
      fused_ops: { list: { s: ['BiasAdd', ...(relu6 ? ['Relu6'] : [])].map(base64) } },
    });
  }
  add('Squeeze', 'logits', [input], { squeeze_dims: integers([1, 2]) });
  add('Softmax', 'probabilities', ['logits']);
  const consts = [...constants, { name: 'axes', shape: [2], values: Int32Array.of(1, 2) }];
  const node = [...nodes, ...consts.map(({ name }) => ({ name, op: 'Const', attr: {} }))];
  return {
    artifacts: {
      format: 'graph-model',
      modelTopology: { node, versions: {} },
      weightSpecs: consts.map(({ name, shape, values }) => ({
        name,
        shape,
        dtype: values instanceof Float32Array ? 'float32' : 'int32',
      })),
    },
    weights: Buffer.concat(consts.map(({ values }) => new Uint8Array(values.buffer))),
  };

  /** @param {string} op @param {string} name @param {string[]} input @param {object} attr @returns {string} its name */
  function add(op, name, input, attr = {}) {
    nodes.push({ name, op, input, attr: { T: { type: 'DT_FLOAT' }, ...attr } });
    return name;
  }
}

const base64 = (/** @type {string} */ value) => Buffer.from(value).toString('base64');
const text = (/** @type {string} */ value) => ({ s: base64(value) });
const integers = (/** @type {number[]} */ values) => ({ list: { i: values.map(String) } });

/** @param {string} name @param {number[]} shape */
function placeholder(name, shape) {
  const dim = shape.map((size) => ({ size: `${size}` }));
  return { name, op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim } } } };
}
