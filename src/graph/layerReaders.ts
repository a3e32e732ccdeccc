import type { Layer } from './layerChain';
import type { LayerWeights } from './layerWeights';
import type { Refusal, StageBuilder } from './stageBuilder';
import type { Sliding } from './window';

interface Formatted {
  dataFormat?: 'channelsFirst' | 'channelsLast';
}

interface ConvolutionConfig extends Sliding, Formatted {
  activation: string;
  dilationRate: readonly number[];
}

type Reader = (builder: StageBuilder, layer: Layer, weights: LayerWeights) => Refusal;

/** By tfjs's class names. */
const readers = new Map<string, Reader>([
  ['Activation', readActivation],
  ['AveragePooling2D', readAveragePooling],
  ['BatchNormalization', readBatchNorm],
  ['Conv2D', readConv],
  ['Dense', readDense],
  ['DepthwiseConv2D', readDepthwiseConv],
  ['Dropout', readDropout],
  ['Flatten', readFlatten],
  ['GlobalAveragePooling2D', readGlobalAveragePooling],
  ['ReLU', readReLU],
  ['Reshape', readReshape],
  ['Softmax', readSoftmax],
  ['ZeroPadding2D', readZeroPadding],
]);

/**
 * Adds one layer to the stages, or says why it cannot. A layer that leaves its input as it is adds nothing.
 *
 * @param inference whether nothing is trained, so that terms of the loss and constraints do not matter
 */
export function readLayer(
  builder: StageBuilder,
  layer: Layer,
  weights: LayerWeights,
  { inference }: { inference: boolean },
): Refusal {
  const reader = readers.get(layer.getClassName());
  if (!reader) return 'is of a class that has no fused stage';
  if (Object.hasOwn(layer, 'call')) return "has a 'call' of its own";
  return (inference ? undefined : addition(layer)) ?? reader(builder, layer, weights);
}

/** Names a term of the loss, or a constraint of a weight, that the stages cannot express. */
function addition(layer: Layer): Refusal {
  const names = Object.entries(layer).flatMap(([name, value]) => (value ? [name] : []));
  const found = names.find((name) => name.endsWith('Regularizer') || name.endsWith('Constraint'));
  return found && `sets ${found}`;
}

function readActivation(builder: StageBuilder, layer: Layer): Refusal {
  return activate(builder, layer, configOf<{ activation: string }>(layer).activation);
}

function readAveragePooling(builder: StageBuilder, layer: Layer): Refusal {
  const { poolSize, strides, padding, ...format } = configOf<
    Formatted & Record<'poolSize' | 'strides', [number, number]> & { padding: string }
  >(layer);
  // With zeros around it, a window that covers everything can be at more than one place.
  const slides = padding === 'same' && poolSize.some((size, axis) => size > strides[axis]!);
  if (slides)
    return `has strides of ${strides.join(' x ')} and the padding 'same'; only a mean over all pixels is known`;
  return channelsFirst(format) ?? builder.pool(layer.name, poolSize);
}

function readBatchNorm(builder: StageBuilder, layer: Layer, weights: LayerWeights): Refusal {
  const { axis, epsilon, momentum } = configOf<{ axis: number; epsilon: number; momentum: number }>(layer);
  const { gamma, beta, moving_mean, moving_variance } = weights;
  const moving = { movingMean: moving_mean!, movingVariance: moving_variance! };
  return builder.normalize({ name: layer.name, gamma, beta, ...moving, epsilon, momentum }, axis);
}

function readConv(builder: StageBuilder, layer: Layer, { kernel, bias }: LayerWeights): Refusal {
  const { filters, ...config } = configOf<ConvolutionConfig & { filters: number }>(layer);
  return (
    unknownSliding(config) ??
    builder.convolve({ ...config, name: layer.name, kernel: kernel!, bias }, filters) ??
    activate(builder, layer, config.activation)
  );
}

function readDense(builder: StageBuilder, layer: Layer, { kernel, bias }: LayerWeights): Refusal {
  const { activation, units } = configOf<{ activation: string; units: number }>(layer);
  return builder.connect({ name: layer.name, kernel: kernel!, bias }, units) ?? activate(builder, layer, activation);
}

function readDepthwiseConv(builder: StageBuilder, layer: Layer, { depthwise_kernel, bias }: LayerWeights): Refusal {
  const { depthMultiplier, ...config } = configOf<ConvolutionConfig & { depthMultiplier: number }>(layer);
  return (
    unknownSliding(config) ??
    builder.convolveDepthwise({ ...config, name: layer.name, kernel: depthwise_kernel!, bias }, depthMultiplier) ??
    activate(builder, layer, config.activation)
  );
}

function readDropout(builder: StageBuilder, layer: Layer): Refusal {
  const { noiseShape, rate } = configOf<{ noiseShape?: number[] | null; rate: number }>(layer);
  // tfjs drops nothing at a rate of 1, either.
  if (rate === 0 || rate === 1) return;
  return noiseShape ? 'sets noiseShape' : builder.drop(layer.name, rate);
}

function readFlatten(builder: StageBuilder, layer: Layer): Refusal {
  return channelsFirst(configOf<Formatted>(layer)) ?? builder.flatten();
}

function readGlobalAveragePooling(builder: StageBuilder, layer: Layer): Refusal {
  return channelsFirst(configOf<Formatted>(layer)) ?? builder.pool(layer.name) ?? builder.flatten();
}

function readReLU(builder: StageBuilder, layer: Layer): Refusal {
  const high = configOf<{ maxValue?: number | null }>(layer).maxValue ?? Number.POSITIVE_INFINITY;
  return high > 0 ? builder.clamp(layer.name, [0, high]) : `has a maxValue of ${high}, which is not above 0`;
}

function readReshape(builder: StageBuilder, layer: Layer): Refusal {
  return builder.reshape(configOf<{ targetShape: (number | null)[] }>(layer).targetShape);
}

function readSoftmax(builder: StageBuilder, layer: Layer): Refusal {
  return builder.softmax(layer.name, configOf<{ axis: number }>(layer).axis);
}

function readZeroPadding(builder: StageBuilder, layer: Layer): Refusal {
  const config = configOf<Formatted & { padding: [[number, number], [number, number]] }>(layer);
  const [[top, bottom], [left, right]] = config.padding;
  if (top + bottom + left + right === 0) return;
  return channelsFirst(config) ?? builder.pad({ top, bottom, left, right });
}

function activate(builder: StageBuilder, layer: Layer, activation: string): Refusal {
  switch (activation) {
    case 'linear':
      return;
    case 'relu':
      return builder.clamp(layer.name, [0, Number.POSITIVE_INFINITY]);
    case 'relu6':
      return builder.clamp(layer.name, [0, 6]);
    case 'softmax':
      return builder.softmax(layer.name, -1);
    default:
      return `has the activation '${activation}'; linear, relu, relu6 and softmax are known`;
  }
}

function unknownSliding(config: ConvolutionConfig): Refusal {
  const { dilationRate, padding } = config;
  if (dilationRate.some((rate) => rate !== 1)) return `has a dilationRate of ${dilationRate.join(' x ')}`;
  if (padding !== 'same' && padding !== 'valid') return `has the padding '${padding}'`;
  return channelsFirst(config);
}

function channelsFirst({ dataFormat }: Formatted): Refusal {
  return dataFormat === 'channelsFirst' ? "has the dataFormat 'channelsFirst'" : undefined;
}

function configOf<Config>(layer: Layer): Config {
  return layer.getConfig() as Config;
}
