import { refuse } from '../../io/refuse';
import { type ActivationStep, functionStep, relu, relu6, softmax } from '../activation';
import type { Values } from '../networkWeights';
import type { GraphConstants } from './graphConstants';
import type { GraphLayers } from './graphLayers';
import { flagAttribute, type GraphNode, numberAttribute, textAttribute, textsAttribute } from './graphNodes';
import type { GraphWindows } from './graphWindows';

/** A graph on the way from its input to its output. */
export interface GraphWalk {
  readonly where: string;
  readonly constants: GraphConstants;
  readonly layers: GraphLayers;
  readonly windows: GraphWindows;
}

type AddNode = (graph: GraphWalk, node: GraphNode) => void;

const adders = new Map<string, AddNode>([
  ...named(addConvolution, 'Conv2D', 'FusedConv2D', '_FusedConv2D'),
  ...named(addConvolution, 'DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative', '_FusedDepthwiseConv2dNative'),
  ...named(addMatMul, 'MatMul', 'FusedMatMul', '_FusedMatMul'),
  ...named(addBatchNorm, 'FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3'),
  ...named(addSum, 'BiasAdd', 'Add', 'AddV2'),
  ...named(addDifference, 'Sub'),
  ...named(addProduct, 'Mul'),
  ...named(addQuotient, 'RealDiv'),
  ...named(addPad, 'Pad', 'PadV2'),
  ...named(addPooling, 'AvgPool', 'MaxPool', 'Mean'),
  ...named(addActivation, 'Elu', 'LeakyRelu', 'Relu', 'Relu6', 'Sigmoid', 'Softmax', 'Tanh'),
  ...named(() => {}, 'Cast', 'Identity', 'Placeholder', 'Reshape', 'Squeeze', 'StopGradient'),
]);

function named(add: AddNode, ...ops: string[]): [string, AddNode][] {
  return ops.map((op) => [op, add]);
}

/** Whether nodes of that name have a kernel. */
export function isKernelOp(op: string): boolean {
  const add = adders.get(op);
  return add === addConvolution || add === addMatMul;
}

/** Throws `invalid-data` for a node that no chain of convolutions has. */
export function addNode(graph: GraphWalk, node: GraphNode): void {
  const add = adders.get(node.op);
  if (!add) refuse(graph.where, 'a graph of convolutions, batch norms and ReLU', `node ${node.name} (${node.op})`);
  add(graph, node);
}

function addConvolution({ where, constants, layers, windows }: GraphWalk, node: GraphNode): void {
  const kind = node.op.includes('Depthwise') ? 'depthwise' : 'conv';
  const format = textAttribute(node, 'data_format') ?? 'NHWC';
  if (format.toUpperCase() !== 'NHWC') refuse(where, `node ${node.name} with the data format NHWC`, format);
  const kernel = kernelOf(where, node, constants.floats(node, 1), 4);
  const strides = windows.convolve(node, kind, kernel.shape);
  layers.kernel({ kind, name: node.name, kernel, strides });
  addFused({ where, constants, layers, windows }, node);
}

function addMatMul(graph: GraphWalk, node: GraphNode): void {
  const values = kernelOf(graph.where, node, graph.constants.floats(node, 1), 2);
  const kernel = flagAttribute(node, 'transpose_b') ? transpose(values) : values;
  graph.layers.kernel({ kind: 'dense', name: node.name, kernel });
  addFused(graph, node);
}

/** What a kernel's node does besides: `fused_ops`, a bias and an activation or one of them. */
function addFused({ where, constants, layers }: GraphWalk, node: GraphNode): void {
  for (const op of textsAttribute(node, 'fused_ops')) {
    if (op.toLowerCase() === 'biasadd') layers.offset(node.name, constants.floats(node, 2));
    else if (adders.get(op) === addActivation) layers.activate(stepOf(node, op));
    else refuse(where, `node ${node.name} with a bias and an activation that is known`, op || 'another');
  }
}

function addBatchNorm({ constants, layers }: GraphWalk, node: GraphNode): void {
  const [gamma, beta, movingMean, movingVariance] = [1, 2, 3, 4].map((index) => constants.floats(node, index));
  // TensorFlow's default, where converters leave it out.
  const epsilon = numberAttribute(node, 'epsilon') ?? 1e-4;
  const statistics = { movingMean: movingMean!, movingVariance: movingVariance!, epsilon };
  layers.norm({ kind: 'batchNorm', name: node.name, gamma: gamma!, beta: beta!, ...statistics });
}

function addSum({ constants, layers }: GraphWalk, node: GraphNode): void {
  layers.offset(node.name, constants.floats(node, constants.has(node, 1) ? 1 : 0));
}

function addDifference({ constants, layers }: GraphWalk, node: GraphNode): void {
  layers.offset(
    node.name,
    map(constants.floats(node, 1), (value) => -value),
  );
}

function addProduct({ constants, layers }: GraphWalk, node: GraphNode): void {
  layers.scale(node.name, constants.floats(node, constants.has(node, 1) ? 1 : 0));
}

function addQuotient({ constants, layers }: GraphWalk, node: GraphNode): void {
  layers.scale(
    node.name,
    map(constants.floats(node, 1), (value) => 1 / value),
  );
}

function addPad({ where, constants, windows }: GraphWalk, node: GraphNode): void {
  if (constants.has(node, 2) && constants.floats(node, 2).data.some((value) => value !== 0)) {
    refuse(where, `node ${node.name} to pad with zeros`, 'another value');
  }
  windows.pad(constants.integers(node, 1));
}

function addPooling({ layers, windows }: GraphWalk): void {
  layers.close();
  windows.end();
}

function addActivation({ layers }: GraphWalk, node: GraphNode): void {
  layers.activate(stepOf(node, node.op));
}

/** @param op of the node, or one that is fused into it */
function stepOf(node: GraphNode, op: string): ActivationStep {
  switch (op) {
    case 'Relu':
      return relu;
    case 'Relu6':
      return relu6;
    case 'Softmax':
      return softmax;
    case 'LeakyRelu':
      // TensorFlow's default, where converters leave it out.
      return functionStep(op, numberAttribute(node, 'leakyrelu_alpha') ?? numberAttribute(node, 'alpha') ?? 0.2);
    default:
      return functionStep(op);
  }
}

function kernelOf(where: string, { name }: GraphNode, kernel: Values, rank: number): Values {
  if (kernel.shape.length !== rank) refuse(where, `a kernel of ${rank} axes in node ${name}`, kernel.shape);
  return kernel;
}

/** `[F,C]` to `[C,F]`. */
function transpose({ shape, data }: Values): Values {
  const [rows = 0, columns = 0] = shape;
  return {
    shape: [columns, rows],
    data: Float32Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!),
  };
}

function map({ shape, data }: Values, change: (value: number) => number): Values {
  return { shape, data: data.map(change) };
}
