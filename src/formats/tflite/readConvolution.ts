import type { Sliding } from '../../graph/window';
import { refuse } from '../../io/refuse';
import type { Values } from '../networkWeights';
import type { FlatTable } from './flatTable';
import type { Network, OperatorReader } from './network';
import { fusedActivation } from './readActivation';
import { ConvField, DenseField, DepthwiseField, OptionsType, Padding } from './schema';
import type { TfliteOperator } from './tfliteFile';

// KH and KW are a kernel's height and width, C its input channels, F its filters, M its outputs for each input channel.

/** CONV_2D; its filter is `[F,KH,KW,C]`. */
export const readConv: OperatorReader = (network, operator, input) => {
  const options = optionsOf(network, operator, OptionsType.conv);
  const { name, filter } = filterOf(network, operator, 4);
  const [filters, height, width, channels] = filter.shape as [number, number, number, number];
  const kernel = { shape: [height, width, channels, filters], data: firstToLast(filter.data, filters) };
  const sliding = slidingOf(network, operator, { options, fields: ConvField, kernelSize: [height, width] });
  const bias = biasOf(network, operator, filters);
  network.add({ kind: 'conv', name, kernel, bias }, { kind: 'conv', sliding, ...pictureOf(network, input) });
  network.activate(fusedActivation(network.file.where, operator.name, options.int8(ConvField.activation)));
};

/** DEPTHWISE_CONV_2D; its filter is `[1,KH,KW,C * M]`. */
export const readDepthwise: OperatorReader = (network, operator, input) => {
  const options = optionsOf(network, operator, OptionsType.depthwise);
  const { name, filter } = filterOf(network, operator, 4);
  const [first, height, width, outputs] = filter.shape as [number, number, number, number];
  const { channels, ...picture } = pictureOf(network, input);
  // The option depth_multiplier is redundant, and runtimes do not read it.
  const multiplier = outputs / channels;
  if (first !== 1 || !Number.isInteger(multiplier)) {
    refuse(network.file.where, `the filter of ${name} to be for ${channels} channels`, `[${filter.shape}]`);
  }
  const kernel = { shape: [height, width, channels, multiplier], data: filter.data };
  const sliding = slidingOf(network, operator, { options, fields: DepthwiseField, kernelSize: [height, width] });
  const bias = biasOf(network, operator, outputs);
  network.add({ kind: 'depthwise', name, kernel, bias }, { kind: 'depthwise', sliding, ...picture });
  network.activate(fusedActivation(network.file.where, operator.name, options.int8(DepthwiseField.activation)));
};

/** FULLY_CONNECTED; its weights are `[F,C]`. */
export const readDense: OperatorReader = (network, operator) => {
  const options = optionsOf(network, operator, OptionsType.dense);
  const { where } = network.file;
  if (options.int8(DenseField.weightsFormat) !== 0) refuse(where, `${operator.name} in the default format`, 'another');
  const { name, filter } = filterOf(network, operator, 2);
  const [filters, channels] = filter.shape as [number, number];
  const kernel = { shape: [channels, filters], data: firstToLast(filter.data, filters) };
  network.add({ kind: 'dense', name, kernel, bias: biasOf(network, operator, filters) });
  network.activate(fusedActivation(where, operator.name, options.int8(DenseField.activation)));
};

function optionsOf({ file }: Network, operator: TfliteOperator, type: number): FlatTable {
  return operator.options(type) ?? refuse(file.where, `options of ${operator.name}`, 'none');
}

function filterOf({ file, constants }: Network, operator: TfliteOperator, rank: number) {
  const index = operator.inputs[1] ?? -1;
  const { name } = file.tensor(index);
  const filter = constants.floats(index);
  if (filter.shape.length !== rank) refuse(file.where, `${name} to have ${rank} dimensions`, `[${filter.shape}]`);
  return { name, filter };
}

/** Undefined where the operator has none, or one of zeros: converters give every operator one. */
function biasOf({ file, constants }: Network, operator: TfliteOperator, channels: number): Values | undefined {
  const index = operator.inputs[2] ?? -1;
  if (index < 0) return undefined;
  const { shape, data } = constants.floats(index);
  if (data.length !== channels) {
    refuse(file.where, `${file.tensor(index).name} to be a bias of ${channels} values`, `[${shape}]`);
  }
  return data.some((value) => !Object.is(value, 0)) ? { shape: [channels], data } : undefined;
}

interface SlidingOptions {
  readonly options: FlatTable;
  readonly fields: Record<keyof typeof ConvField, number>;
  readonly kernelSize: Sliding['kernelSize'];
}

function slidingOf(
  { file }: Network,
  { name }: TfliteOperator,
  { options, fields, kernelSize }: SlidingOptions,
): Sliding {
  const { where } = file;
  const strides = [options.int32(fields.strideH), options.int32(fields.strideW)] as const;
  if (strides.some((stride) => stride < 1)) refuse(where, `strides of ${name} of at least 1`, `[${strides}]`);
  const dilation = [options.int32(fields.dilationH, 1), options.int32(fields.dilationW, 1)];
  if (dilation.some((rate) => rate !== 1)) refuse(where, `${name} without dilation`, `[${dilation}]`);
  const padding = options.int8(fields.padding);
  if (padding === Padding.same) return { kernelSize, strides, padding: 'same' };
  if (padding === Padding.valid) return { kernelSize, strides, padding: 'valid' };
  return refuse(where, `${name} to pad SAME or VALID`, padding);
}

/** Of a picture before its zeros. */
function pictureOf({ file, zeros }: Network, input: number) {
  const { name, shape } = file.tensor(input);
  const [, height = 0, width = 0, channels = 0] = shape;
  if (shape.length !== 4) refuse(file.where, `${name} to be a picture [N,H,W,C]`, `[${shape}]`);
  return { height: height - zeros.top - zeros.bottom, width: width - zeros.left - zeros.right, channels };
}

/** Values `[F,..]` as `[..,F]`. */
function firstToLast(values: Float32Array, filters: number): Float32Array {
  const taps = values.length / filters;
  const turned = new Float32Array(values.length);
  for (let f = 0; f < filters; f++) {
    for (let tap = 0; tap < taps; tap++) turned[tap * filters + f] = values[f * taps + tap]!;
  }
  return turned;
}
