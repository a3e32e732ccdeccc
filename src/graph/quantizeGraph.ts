import { channelRange, type InputRange } from '../inputRange';
import type { InferenceConv, InferenceDepthwise, InferenceGraph, InferenceStage } from './inferenceGraph';
import { quantizeChannels } from './quantizeChannels';
import { roundHalfEven } from './roundHalfEven';
import type { ConvWindow, FeatureSize, UnsupportedLayer } from './stage';

// The arithmetic: activations are bytes u from 0 to 127 that stand for `outputScale * u`, the picture is 16-bit integers q
// that stand for `inputScale * q`, zero is 0 in both, weights are signed bytes with a scale for each output channel. A sum
// of products and bias fits 32 bits, and a stage's output is
//
//     u = clamp(round(float32(float32(sum) * multiplier)), 0, 127)
//
// with the product rounded to float32 once, and round to the nearest integer, of two equally near ones the even one.

interface QuantizedBase {
  /** Of the layer that the operation comes from. */
  readonly name: string;
  readonly input: FeatureSize;
  readonly output: FeatureSize;
  readonly window: ConvWindow;
  /** One per output channel, like `multipliers`. */
  readonly bias: Int32Array;
  /** The sum's scale / `outputScale`. */
  readonly multipliers: Float32Array;
  /** A float32. */
  readonly outputScale: number;
}

/** A convolution, kernel `[KH,KW,C,F]`, of the picture where it is the first stage and else of bytes. */
export interface QuantizedConv extends QuantizedBase {
  readonly kind: 'int8Conv';
  readonly kernel: Int8Array;
}

/** A depthwise convolution, kernel `[KH,KW,Q]`: output channel q reads input channel floor(q / `multiplier`). */
export interface QuantizedDepthwise extends QuantizedBase {
  readonly kind: 'int8Depthwise';
  readonly kernel: Int8Array;
  readonly multiplier: number;
}

export type QuantizedStage = QuantizedConv | QuantizedDepthwise;

/** An {@link InferenceGraph} in integers up to the global average or the last stage; from there on its stages are floats. */
export interface QuantizedGraph extends Omit<InferenceGraph, 'stages'> {
  readonly inputScale: number;
  readonly stages: readonly (QuantizedStage | InferenceStage)[];
}

/** Options for {@link quantizeGraph}. */
export interface QuantizeGraphOptions {
  /** What the picture's bytes 0 and 255 are for the model. */
  readonly inputRange: InputRange;
  /** The highest value of each stage's output, from a calibration. @default the activation's own limit, 6 for ReLU6 */
  readonly ranges?: readonly number[] | undefined;
}

/** Which layer is in the way; the reason is a sentence's end, as in "layer 'conv1' has no ReLU or ReLU6". */
export type UnsupportedStage = Pick<UnsupportedLayer, 'layerName' | 'reason'>;

/** Levels of an activation above 0. */
const LEVELS = 127;
/** Of a bias: half of what 32 bits hold, the other half is for the sum of products. */
const MAX_BIAS = 2 ** 30;
const MAX_SUM = 2 ** 31 - 1;
/** Of a sum in units of the output's scale: the kernels round by adding 1.5 * 2^23. */
const MAX_OUTPUT = 2 ** 23;

/**
 * Turns the convolutions of a graph into integer arithmetic, up to the global average or the last stage.
 *
 * A weight moves by at most half of its channel's scale, an activation by half of its stage's, both beyond what the stages
 * before have changed.
 *
 * Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference"
 * (2018), with symmetric weights for each channel, and with ReLU6's own range where nothing was calibrated.
 */
export function quantizeGraph(
  graph: InferenceGraph,
  { inputRange, ranges }: QuantizeGraphOptions,
): { graph: QuantizedGraph } | { unsupported: UnsupportedStage } {
  const count = quantizedStages(graph);
  if (count === 0) {
    const reason = 'leaves nothing to quantise: from the global average or the last layer on, numbers stay float32';
    return { unsupported: { layerName: graph.stages[0]?.name ?? '', reason } };
  }
  const picture = pictureSource(inputRange, graph.input.channels);
  const stages: (QuantizedStage | InferenceStage)[] = [];
  let source = picture;
  for (const [i, stage] of graph.stages.entries()) {
    if (i >= count || stage.kind === 'pool') {
      stages.push(stage);
      continue;
    }
    const range = Math.min(stage.clamp[1], ranges?.[i] ?? Number.POSITIVE_INFINITY);
    const reason = obstacle(stage, range, i === 0);
    if (reason !== undefined) return { unsupported: { layerName: stage.name, reason } };
    const quantized = quantizeStage(stage, source, Math.fround(range / LEVELS), i === 0);
    if (!fits(quantized, source.largest)) {
      return { unsupported: { layerName: stage.name, reason: 'has sums that may not fit 32 bits' } };
    }
    stages.push(quantized);
    source = { scale: quantized.outputScale, largest: LEVELS };
  }
  return { graph: { ...graph, inputScale: picture.scale, stages } };
}

/** What a stage reads: its scale, and the largest magnitude that a number can have. */
interface Source {
  readonly scale: number;
  readonly largest: number;
}

/**
 * One scale for all channels, as their products are added up; twice as fine as the bytes of the channel whose range is
 * narrowest, so that both -1 to 1 and 0 to 1 are exact: 2 * byte - 255, and 2 * byte.
 */
function pictureSource(inputRange: InputRange, channels: number): Source {
  const ranges = Array.from({ length: channels }, (_, c) => channelRange(inputRange, c));
  const narrowest = Math.min(...ranges.map(([low, high]) => high - low));
  const largest = Math.max(...ranges.flat().map(Math.abs));
  const scale = Math.max(narrowest / 510, largest / 32767);
  return { scale, largest: Math.ceil(largest / scale) };
}

function quantizedStages({ stages }: InferenceGraph): number {
  const pool = stages.findIndex(({ kind }) => kind === 'pool');
  return pool === -1 ? Math.max(0, stages.length - 1) : Math.min(pool, stages.length - 1);
}

/** Why a stage cannot be quantised, or undefined. */
function obstacle(
  { kind, clamp, kernel, bias }: InferenceConv | InferenceDepthwise,
  range: number,
  isFirst: boolean,
): string | undefined {
  if (isFirst && kind !== 'conv') return 'comes first and is no convolution of the picture';
  if (clamp[0] !== 0) return 'has no ReLU6 or ReLU behind it';
  if (range === Number.POSITIVE_INFINITY) return 'ends in a ReLU without a limit, whose range takes a calibration';
  if (!(range > 0)) return 'gave nothing above 0 in the calibration';
  if (![kernel, bias].every((values) => values.every(Number.isFinite))) return 'has weights that are not finite';
  return undefined;
}

function quantizeStage(
  stage: InferenceConv | InferenceDepthwise,
  source: Source,
  outputScale: number,
  readsPicture: boolean,
): QuantizedStage {
  const { name, input, output, window, bias } = stage;
  const channels = output.channels;
  // A channel of tiny weights, or none, must not lose its bias.
  const leastScales = Float64Array.from(bias, (value) => Math.abs(value) / (source.scale * MAX_BIAS));
  if (stage.kind === 'conv' && !readsPicture) limitSums(stage, leastScales);
  const { values: kernel, scales } = quantizeChannels(stage.kernel, channels, leastScales);
  const sumScales = Float64Array.from(scales, (scale) => scale * source.scale);
  const common = {
    name,
    input,
    output,
    window,
    kernel,
    bias: Int32Array.from(bias, (value, c) => roundHalfEven(value / sumScales[c]!)),
    multipliers: Float32Array.from(sumScales, (scale) => scale / outputScale),
    outputScale,
  };
  return stage.kind === 'conv'
    ? { ...common, kind: 'int8Conv' }
    : { ...common, kind: 'int8Depthwise', multiplier: stage.multiplier };
}

/**
 * Raises scales so that four products, those of input channels 0, 1, 4, 5 or 2, 3, 6, 7 of each eight, add up in 16 bits:
 * weights of one sign to at most 258 = floor(32767 / 127), two of which rounding may take.
 *
 * The kernels gain a sixth by it. Of the ImageNet weights of MobileNet 0.25 it raises 6 % of the scales, by 13 % on
 * average.
 */
function limitSums({ kernel, input, output }: InferenceConv, leastScales: Float64Array): void {
  const { channels } = output;
  const pixelRows = input.channels;
  const largest = new Float64Array(channels);
  for (let pixel = 0; pixel * channels < kernel.length; pixel += pixelRows) {
    for (let block = 0; block < pixelRows; block += 8) {
      // Of the first and the second four products, those of positive and of negative weights.
      const sums = [0, 1, 2, 3].map(() => new Float64Array(channels));
      for (let c = block; c < Math.min(block + 8, pixelRows); c++) {
        const half = 2 * ((c >> 1) & 1);
        for (let f = 0; f < channels; f++) {
          const weight = kernel[(pixel + c) * channels + f]!;
          sums[weight < 0 ? half + 1 : half]![f]! += Math.abs(weight);
        }
      }
      for (const sum of sums) for (let f = 0; f < channels; f++) largest[f] = Math.max(largest[f]!, sum[f]!);
    }
  }
  for (let f = 0; f < channels; f++) leastScales[f] = Math.max(leastScales[f]!, largest[f]! / 256);
}

/** Whether no picture can make a sum that the kernels cannot hold. */
function fits({ kernel, bias, multipliers }: QuantizedStage, largestInput: number): boolean {
  const channels = bias.length;
  const sums = Float64Array.from(bias, Math.abs);
  for (let row = 0; row < kernel.length; row += channels) {
    for (let c = 0; c < channels; c++) sums[c]! += Math.abs(kernel[row + c]!) * largestInput;
  }
  return sums.every((sum, c) => sum <= MAX_SUM && sum * multipliers[c]! <= MAX_OUTPUT);
}
