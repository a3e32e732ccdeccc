import { refuse } from '../../io/refuse';
import type { SafetensorsTensor } from '../../io/safetensors';
import { channelsOf } from '../checkChain';
import type { Values, WeightedLayer } from '../networkWeights';
import { compareModules } from './moduleOrder';
import { toTensorflow } from './torchLayout';

// F filters, C input channels, M outputs for each of them, KH and KW a kernel's height and width.

/** What a PyTorch module may have that is no part of the network's function in inference. */
const COUNTER = 'num_batches_tracked';

type Module = Map<string, Values>;

/**
 * The layers of a network whose tensors PyTorch's modules have named, in the order that their names tell.
 *
 * Convolutions come as `[F,C,KH,KW]`, depthwise ones as `[C*M,1,KH,KW]`, dense layers as `[F,C]`, batch norms as weight,
 * bias, running_mean and running_var.
 *
 * @param epsilonOf the epsilon of the n-th batch norm
 * @throws {MobilenetError} `invalid-data`
 */
export function torchLayers(
  where: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  epsilonOf: (norm: number) => number | undefined,
): WeightedLayer[] {
  const modules = [...groupModules(where, tensors)].map(([name, module]) => ({ name, module, path: name.split('.') }));
  modules.sort((a, b) => compareModules(a.path, b.path));
  const layers: WeightedLayer[] = [];
  let norms = 0;
  let channels: number | undefined;
  for (const { name, module } of modules) {
    const layer = module.has('running_mean')
      ? batchNorm(where, name, module, epsilonOf(norms++))
      : kernel(where, name, module, channels);
    layers.push(layer);
    [, channels] = channelsOf(layer);
  }
  return layers;
}

function groupModules(where: string, tensors: ReadonlyMap<string, SafetensorsTensor>): Map<string, Module> {
  const modules = new Map<string, Module>();
  for (const [name, tensor] of tensors) {
    const dot = name.lastIndexOf('.');
    const part = name.slice(dot + 1);
    if (part === COUNTER) continue;
    const { shape, data } = tensor;
    if (!(data instanceof Float32Array)) refuse(where, `the tensor ${name} to be of floats`, tensor.dtype);
    const module = modules.get(name.slice(0, Math.max(0, dot))) ?? new Map<string, Values>();
    modules.set(name.slice(0, Math.max(0, dot)), module.set(part, { shape, data }));
  }
  return modules;
}

function batchNorm(where: string, name: string, module: Module, epsilon: number | undefined): WeightedLayer {
  refuseOthers(where, name, module, ['weight', 'bias', 'running_mean', 'running_var']);
  const movingMean = module.get('running_mean')!;
  const movingVariance = module.get('running_var') ?? refuse(where, `the tensor ${name}.running_var`, 'none');
  const [gamma, beta] = [module.get('weight'), module.get('bias')];
  for (const values of [gamma, beta, movingVariance]) {
    if (values && values.data.length !== movingMean.data.length) {
      refuse(where, `${movingMean.data.length} values in each tensor of ${name}`, values.data.length);
    }
  }
  return { kind: 'batchNorm', name, gamma, beta, movingMean, movingVariance, epsilon };
}

/** @param channels of what the module reads; undefined for the first */
function kernel(where: string, name: string, module: Module, channels: number | undefined): WeightedLayer {
  refuseOthers(where, name, module, ['weight', 'bias']);
  const weight = module.get('weight') ?? refuse(where, `the tensor ${name}.weight`, 'a bias alone');
  const bias = module.get('bias');
  const { shape } = weight;
  const [filters = 0, inputs = 0] = shape;
  if (bias && bias.data.length !== filters) refuse(where, `${filters} values in ${name}.bias`, bias.data.length);
  if (shape.length === 2) return { kind: 'dense', name, kernel: denseKernel(where, name, weight, channels), bias };
  if (shape.length !== 4) refuse(where, `a kernel, dense or of a convolution, in ${name}.weight`, shape);
  if (channels === undefined || channels === inputs) return { kind: 'conv', name, kernel: convKernel(weight), bias };
  if (inputs !== 1 || filters % channels !== 0) {
    refuse(where, `${name} to read the ${channels} channels of the layer before it`, `${inputs}`, ORDER);
  }
  return { kind: 'depthwise', name, kernel: depthwiseKernel(weight, channels), bias };
}

function convKernel({ shape, data }: Values): Values {
  const [filters = 0, inputs = 0, height = 0, width = 0] = shape;
  return { shape: [height, width, inputs, filters], data: toTensorflow(data, [filters, inputs, height * width]) };
}

function depthwiseKernel({ shape, data }: Values, channels: number): Values {
  const [outputs = 0, , height = 0, width = 0] = shape;
  const turned = toTensorflow(data, [outputs, 1, height * width]);
  return { shape: [height, width, channels, outputs / channels], data: turned };
}

/** PyTorch flattens a map channel by channel, TensorFlow pixel by pixel. */
function denseKernel(where: string, name: string, { shape, data }: Values, channels = shape[1]!): Values {
  const [units = 0, inputs = 0] = shape;
  const pixels = inputs / channels;
  if (!Number.isInteger(pixels)) {
    refuse(where, `${name} to read the ${channels} channels of the layer before it`, inputs, ORDER);
  }
  return { shape: [inputs, units], data: toTensorflow(data, [units, channels, pixels]) };
}

const ORDER = 'Files have no order: the names of layers must tell which comes first, by numbers.';

function refuseOthers(where: string, name: string, module: Module, known: readonly string[]): void {
  const other = [...module.keys()].find((part) => !known.includes(part));
  if (other !== undefined) refuse(where, `tensors of convolutions, dense layers and batch norms`, `${name}.${other}`);
}
