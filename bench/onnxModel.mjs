// An ONNX file, as PyTorch's exporter gives it: NCHW, batch norm folded, ReLU6 as Clip.
import { importPeer } from './peers.mjs';

/** What is needed of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const PROTO = `
  syntax = "proto2";
  message AttributeProto {
    optional string name = 1; optional int64 i = 3; repeated int64 ints = 8; optional int32 type = 20;
  }
  message NodeProto {
    repeated string input = 1; repeated string output = 2; optional string op_type = 4; repeated AttributeProto attribute = 5;
  }
  message TensorProto {
    repeated int64 dims = 1; optional int32 data_type = 2; optional string name = 8; optional bytes raw_data = 9;
  }
  message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
  message TensorShapeProto { repeated Dimension dim = 1; }
  message Tensor { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
  message TypeProto { optional Tensor tensor_type = 1; }
  message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
  message GraphProto {
    repeated NodeProto node = 1; optional string name = 2; repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
  }
  message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
  message ModelProto {
    optional int64 ir_version = 1; optional GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8;
  }`;
const FLOAT = 1;
const INT_ATTRIBUTE = 2;
const INTS_ATTRIBUTE = 7;

/**
 * The layers as a model from `x` `[N,3,size,size]` to `probabilities` `[N,classes]`, for any N.
 *
 * @param {import('./inferenceLayers.mjs').FoldedLayer[]} layers
 * @param {number} size of the pictures
 * @returns {Promise<Uint8Array>}
 */
export async function onnxModel(layers, size) {
  /** @type {object[]} */
  const node = [];
  const initializer = [tensor('low', [], Float32Array.of(0)), tensor('high', [], Float32Array.of(6))];
  let input = 'x';
  for (const layer of layers.slice(0, -1)) {
    const { name, kind, shape, stride, bias } = layer;
    const [height = 0, width = 0, channels = 0, filters = 0] = shape;
    const dims = kind === 'conv' ? [filters, channels, height, width] : [channels, 1, height, width];
    initializer.push(tensor(`${name}.w`, dims, taps(layer)), tensor(`${name}.b`, [bias.length], bias));
    const [before, after] = layer.pads;
    input = add('Conv', [input, `${name}.w`, `${name}.b`], name, {
      kernel_shape: [height, width],
      strides: [stride, stride],
      pads: [before, before, after, after],
      group: kind === 'conv' ? 1 : channels,
    });
    input = add('Clip', [input, 'low', 'high'], `${name}.relu6`);
  }
  const { shape = [], kernel = [], bias = [] } = layers.at(-1) ?? {};
  initializer.push(tensor('head.w', shape.slice(2), kernel), tensor('head.b', [bias.length], bias));
  input = add('GlobalAveragePool', [input], 'pool');
  input = add('Flatten', [input], 'features');
  input = add('Gemm', [input, 'head.w', 'head.b'], 'logits');
  add('Softmax', [input], 'probabilities');
  const graph = {
    name: 'mobilenet',
    node,
    initializer,
    input: [valueInfo('x', [3, size, size])],
    output: [valueInfo('probabilities', [bias.length])],
  };
  const { default: protobuf } = await importPeer('protobufjs');
  const model = protobuf.parse(PROTO, { keepCase: true }).root.lookupType('ModelProto');
  return model.encode(model.create({ ir_version: 8, graph, opset_import: [{ domain: '', version: 17 }] })).finish();

  /** @param {string} op @param {string[]} input @param {string} output @param {Record<string, number | number[]>} attributes */
  function add(op, input, output, attributes = {}) {
    const attribute = Object.entries(attributes).map(([name, value]) =>
      Array.isArray(value) ? { name, type: INTS_ATTRIBUTE, ints: value } : { name, type: INT_ATTRIBUTE, i: value },
    );
    node.push({ op_type: op, input, output: [output], attribute });
    return output;
  }
}

/**
 * `[KH,KW,C,F]` as `[F,C,KH,KW]`, and `[KH,KW,C,1]` as `[C,1,KH,KW]`: rows for taps become columns.
 *
 * @param {import('./inferenceLayers.mjs').FoldedLayer} layer
 */
function taps({ kind, shape: [height = 0, width = 0, channels = 0, filters = 0], kernel }) {
  const outputs = kind === 'conv' ? filters : channels;
  const inputs = kind === 'conv' ? channels : 1;
  const window = height * width;
  return Float32Array.from(kernel, (_, i) => {
    const tap = i % window;
    const input = Math.floor(i / window) % inputs;
    const output = Math.floor(i / (window * inputs));
    return Number(kernel[(tap * inputs + input) * outputs + output]);
  });
}

/** @param {string} name @param {number[]} dims @param {ArrayLike<number>} values */
function tensor(name, dims, values) {
  return { name, dims, data_type: FLOAT, raw_data: new Uint8Array(Float32Array.from(values).buffer) };
}

/** @param {string} name @param {number[]} sizes behind the batch */
function valueInfo(name, sizes) {
  const dim = [{ dim_param: 'N' }, ...sizes.map((size) => ({ dim_value: size }))];
  return { name, type: { tensor_type: { elem_type: FLOAT, shape: { dim } } } };
}
