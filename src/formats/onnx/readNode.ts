import { refuse } from '../../io/refuse';
import { functionStep, relu, softmax } from '../activation';
import type { Values } from '../networkWeights';
import type { Network } from './network';
import { activation, readClip, readMax, readMin, readQuantize } from './readActivation';
import { type NodeReader, nameOf, readConv, readGemm, readMatMul } from './readConvolution';
import type { OnnxNode } from './schema';

/** As ONNX has it. */
const DEFAULT_EPSILON = 1e-5;

/** Leaves the values as they are, but for rounding. */
const keep: NodeReader = () => {};

/** Makes one pixel of all. */
const pool: NodeReader = (network) => network.endAffine();

const one = [1];
const zero = [0];

const readers = new Map<string, NodeReader>([
  ['Add', arithmetic((term) => [one, term])],
  ['AveragePool', readAveragePool],
  ['BatchNormalization', readBatchNorm],
  ['Cast', keep],
  ['Clip', readClip],
  ['Conv', readConv],
  ['DequantizeLinear', keep],
  ['Div', arithmetic((by) => [by.map((value) => 1 / value), zero], { isOrdered: true })],
  ['Dropout', keep],
  ['Flatten', keep],
  ['Gemm', readGemm],
  ['GlobalAveragePool', pool],
  ['GlobalMaxPool', pool],
  ['Identity', keep],
  ['LogSoftmax', activation(functionStep('logSoftmax'))],
  ['MatMul', readMatMul],
  ['Max', readMax],
  ['Min', readMin],
  ['Mul', arithmetic((factor) => [factor, zero])],
  ['Pad', readPad],
  ['QuantizeLinear', readQuantize],
  ['ReduceMax', pool],
  ['ReduceMean', pool],
  ['Relu', activation(relu)],
  ['Reshape', keep],
  ['Softmax', activation(softmax)],
  ['Squeeze', keep],
  ['Sub', arithmetic((term) => [one, term.map((value) => -value)], { isOrdered: true })],
  ['Transpose', readTranspose],
  ['Unsqueeze', keep],
]);

/**
 * Adds what one node of the chain does to the network.
 *
 * @throws {MobilenetError} `invalid-data` for an operator that no MobileNetV1 has
 */
export function readNode(network: Network, node: OnnxNode): void {
  const { name, op, domain } = node;
  const reader = domain === '' ? readers.get(op) : undefined;
  if (!reader) {
    const received = `node ${name} (${domain && `${domain}.`}${op})`;
    refuse(
      network.source.where,
      "operators of a MobileNetV1, of ONNX's own",
      received,
      'Other networks cannot be read.',
    );
  }
  reader(network, node);
}

/**
 * Mul, Add, Sub and Div by constants: a bias, a batch norm that a converter has taken apart, or the preparation of pictures.
 *
 * @param terms of `factor * x + term`, given the constants
 */
function arithmetic(
  terms: (constants: Float32Array) => readonly [factor: ArrayLike<number>, term: ArrayLike<number>],
  { isOrdered = false } = {},
): NodeReader {
  return (network, node) => {
    const { where, constants } = network.source;
    const [first = '', second = ''] = node.inputs;
    const isFirst = constants.has(first);
    const name = node.name || (isFirst ? first : second);
    if (isFirst && isOrdered) refuse(where, `a constant as the second input of ${name}`, 'it as the first');
    const { shape, data } = constants.floats(isFirst ? first : second);
    const isVector = shape.filter((size) => size !== 1).length <= 1;
    if (!isVector || data.length === 0) refuse(where, `${name} of one number for each channel`, `[${shape}]`);
    network.scale(name, ...terms(data));
  };
}

/** Inputs x, scale, bias, mean and variance. */
function readBatchNorm(network: Network, node: OnnxNode): void {
  const { inputs, attributes } = node;
  const { where, constants } = network.source;
  const name = nameOf(node);
  const [gamma, beta, movingMean, movingVariance] = inputs.slice(1, 5).map((input) => constants.floats(input));
  if (!gamma || !beta || !movingMean || !movingVariance) {
    refuse(where, `${name} with scale, bias, mean and variance`, `${inputs.length} inputs`);
  }
  const channels = network.channels ?? gamma.data.length;
  const vectors: Values[] = [gamma, beta, movingMean, movingVariance];
  if (!vectors.every(({ shape, data }) => shape.length === 1 && data.length === channels)) {
    refuse(
      where,
      `vectors of ${channels} values for ${name}`,
      vectors.map(({ shape }) => shape),
    );
  }
  const epsilon = attributes.get('epsilon')?.float ?? DEFAULT_EPSILON;
  if (!(epsilon >= 0 && epsilon < 1)) refuse(where, `the epsilon of ${name} from 0 to below 1`, epsilon);
  network.add({
    kind: 'batchNorm',
    name,
    // A layer without them is written with ones and zeros, and means the same.
    gamma: gamma.data.every((value) => value === 1) ? undefined : gamma,
    beta: beta.data.every((value) => Object.is(value, 0)) ? undefined : beta,
    movingMean,
    movingVariance,
    epsilon: shortest(epsilon),
  });
}

/** The decimal number that a float32 was rounded from: 0.001 for 0.0010000000474974513. */
function shortest(float32: number): number {
  const decimal = Number(float32.toPrecision(7));
  return Math.fround(decimal) === float32 ? decimal : float32;
}

function readAveragePool(network: Network, { name, attributes }: OnnxNode): void {
  network.endAffine();
  const size = network.pictureSize();
  const kernel = attributes.get('kernel_shape')?.ints ?? [];
  if (kernel.join() === size.join()) return;
  refuse(network.source.where, `${name} over all of ${size.join(' x ')} pixels`, `one over ${kernel.join(' x ')}`);
}

/** Zeros around a picture, `[N,C,H,W]` or `[N,H,W,C]`; in files before opset 11 they are an attribute. */
function readPad(network: Network, { name, inputs, attributes }: OnnxNode): void {
  network.endAffine();
  const { where, constants } = network.source;
  const pads = inputs[1] ? constants.integers(inputs[1]) : (attributes.get('pads')?.ints ?? []);
  const mode = attributes.get('mode')?.text ?? 'constant';
  const [n0 = 0, a0 = 0, b0 = 0, c0 = 0, n1 = 0, a1 = 0, b1 = 0, c1 = 0] = pads;
  const isLast = c0 === 0 && c1 === 0 && (a0 !== 0 || a1 !== 0);
  const isPlain = pads.length === 8 && pads.every((count) => Number.isSafeInteger(count) && count >= 0);
  if (!isPlain || mode !== 'constant' || n0 + n1 !== 0 || (!isLast && a0 + a1 !== 0)) {
    refuse(where, `${name} to put zeros around a picture`, `${mode}, [${pads}]`);
  }
  const value = inputs[2] ? (constants.floats(inputs[2]).data[0] ?? 0) : (attributes.get('value')?.float ?? 0);
  if (value !== 0) refuse(where, `${name} to pad with zeros`, value);
  if (inputs[3]) refuse(where, `${name} to pad all axes`, 'one that names its axes');
  if (isLast) network.pad({ top: a0, left: b0, bottom: a1, right: b1 });
  else network.pad({ top: b0, left: c0, bottom: b1, right: c1 });
}

function readTranspose(network: Network, { attributes }: OnnxNode): void {
  network.transpose(attributes.get('perm')?.ints ?? []);
}
