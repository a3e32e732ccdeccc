import { noZeros, type Sliding, type Zeros } from '../../graph/window';
import { refuse } from '../../io/refuse';
import type { Values } from '../networkWeights';
import type { Network } from './network';
import { OIHW_TO_HWIO, permute } from './permute';
import type { OnnxNode } from './schema';

// F = filters, C = input channels, G = groups, KH and KW = the kernel's height and width.

/** Adds a node to what has been read of a network. */
export type NodeReader = (network: Network, node: OnnxNode) => void;

/** Conv; its kernel is `[F,C/G,KH,KW]`. */
export const readConv: NodeReader = (network, node) => {
  const { where } = network.source;
  const kernel = weightsOf(network, node, 4);
  const [filters, rows, height, width] = kernel.shape as [number, number, number, number];
  const groups = node.attributes.get('group')?.int ?? 1;
  const isDepthwise = groups > 1 && rows === 1 && filters % groups === 0;
  if (!isDepthwise && groups !== 1) {
    refuse(where, `${node.name} of one group, or of one for each channel`, `${groups} groups of [${kernel.shape}]`);
  }
  const { sliding, pads } = slidingOf(network, node, [height, width]);
  const data = permute(kernel.data, kernel.shape, OIHW_TO_HWIO);
  const layer = { name: nameOf(node), bias: biasOf(network, node, filters) };
  if (isDepthwise) {
    const shape = [height, width, groups, filters / groups];
    network.convolve({ ...layer, kind: 'depthwise', kernel: { shape, data } }, sliding, pads);
  } else {
    network.convolve(
      { ...layer, kind: 'conv', kernel: { shape: [height, width, rows, filters], data } },
      sliding,
      pads,
    );
  }
};

/** Gemm; its kernel is `[C,F]`, or `[F,C]` with transB. */
export const readGemm: NodeReader = (network, node) => {
  const { where } = network.source;
  const { attributes } = node;
  const alpha = attributes.get('alpha')?.float ?? 1;
  const beta = attributes.get('beta')?.float ?? 1;
  if (alpha !== 1 || beta !== 1 || attributes.get('transA')?.int) {
    refuse(where, `${node.name} without alpha, beta and transA`, `alpha ${alpha}, beta ${beta}`);
  }
  const { shape, data } = weightsOf(network, node, 2);
  const isTurned = attributes.get('transB')?.int === 1;
  const kernel = isTurned ? { shape: shape.toReversed(), data: permute(data, shape, [1, 0]) } : { shape, data };
  addDense(network, node, kernel);
};

/** MatMul with a kernel `[C,F]`; its bias is an Add. */
export const readMatMul: NodeReader = (network, node) => addDense(network, node, weightsOf(network, node, 2));

function addDense(network: Network, node: OnnxNode, { shape, data }: Values): void {
  const [inputs, units] = shape as [number, number];
  const channels = network.channels ?? inputs;
  const pixels = inputs / channels;
  // A vector of several pixels, flattened as [C,H,W]; the rows of a kernel are to be in the order [H,W,C].
  const isTurned = pixels > 1 && Number.isInteger(pixels) && !network.isChannelsLast;
  const kernel = { shape, data: isTurned ? permute(data, [channels, pixels, units], [1, 0, 2]) : data };
  network.add({ kind: 'dense', name: nameOf(node), kernel, bias: biasOf(network, node, units) });
}

function weightsOf({ source }: Network, node: OnnxNode, rank: number): Values {
  const weights = source.constants.floats(node.inputs[1] ?? '');
  if (weights.shape.length === rank && weights.data.length > 0) return weights;
  return refuse(source.where, `weights of ${node.name} with ${rank} dimensions`, `[${weights.shape}]`);
}

/** Undefined where the node has none, or one of zeros, as our folded files do. */
function biasOf({ source }: Network, node: OnnxNode, channels: number): Values | undefined {
  const name = node.inputs[2];
  if (!name) return undefined;
  const { shape, data } = source.constants.floats(name);
  if (data.length !== channels) refuse(source.where, `${name} to be a bias of ${channels} values`, `[${shape}]`);
  return data.some((value) => !Object.is(value, 0)) ? { shape: [channels], data } : undefined;
}

/** The node's name; where it has none that of its weights. */
export function nameOf({ name, inputs }: OnnxNode): string {
  return name || (inputs[1] ?? '');
}

function slidingOf({ source: { where } }: Network, { name, attributes }: OnnxNode, kernelSize: Sliding['kernelSize']) {
  const [strideHeight = 1, strideWidth = 1] = attributes.get('strides')?.ints ?? [];
  const dilations = attributes.get('dilations')?.ints ?? [];
  const [top = 0, left = 0, bottom = 0, right = 0] = attributes.get('pads')?.ints ?? [];
  const mode = attributes.get('auto_pad')?.text ?? 'NOTSET';
  const demand = (holds: boolean, expected: string, received: unknown) => {
    if (!holds) refuse(where, `${name} ${expected}`, received);
  };
  demand(strideHeight >= 1 && strideWidth >= 1, 'with strides of at least 1', `${strideHeight}, ${strideWidth}`);
  demand(
    dilations.every((rate) => rate === 1),
    'without dilations',
    `[${dilations}]`,
  );
  demand(
    [top, left, bottom, right].every((count) => count >= 0),
    'without pads below 0',
    `[${[top, left, bottom, right]}]`,
  );
  demand(['NOTSET', 'VALID', 'SAME_UPPER'].includes(mode), 'with explicit pads, VALID or SAME_UPPER', mode);
  const pads: Zeros = mode === 'NOTSET' ? { top, left, bottom, right } : noZeros;
  const sliding: Sliding = {
    kernelSize,
    strides: [strideHeight, strideWidth],
    padding: mode === 'SAME_UPPER' ? 'same' : 'valid',
  };
  return { sliding, pads };
}
