import type { InferenceStage } from '../../src/graph/inferenceGraph';
import type { QuantizedGraph, QuantizedStage } from '../../src/graph/quantizeGraph';
import { roundHalfEven } from '../../src/graph/roundHalfEven';
import type { FeatureSize } from '../../src/graph/stage';
import { type InputRange, isPerChannel } from '../../src/inputRange';

// What the stages of a graph are by definition, in plain loops: one picture `[H,W,C]` at a time, row-major.

type Convolution = Exclude<InferenceStage, { kind: 'pool' }> | QuantizedStage;

/**
 * The outputs of each stage of a quantised graph: bytes of the quantised ones, then floats, in float64.
 *
 * @param pixels numbers from 0 to 255
 */
export function runQuantizedGraph(
  graph: QuantizedGraph,
  pixels: ArrayLike<number>,
  inputRange: InputRange,
): ArrayLike<number>[] {
  let values: ArrayLike<number> = quantizePixels(pixels, inputRange, graph.inputScale);
  let scale = 1;
  return graph.stages.map((stage) => {
    if (stage.kind === 'int8Conv' || stage.kind === 'int8Depthwise') {
      values = runQuantizedStage(stage, values);
      scale = stage.outputScale;
    } else {
      values = runFloatStage(
        stage,
        Float64Array.from(values, (value) => value * scale),
      );
      scale = 1;
    }
    return values;
  });
}

/** The picture's numbers as 16-bit integers. */
export function quantizePixels(pixels: ArrayLike<number>, inputRange: InputRange, inputScale: number): Int16Array {
  const limit = (value: number) => Math.min(Math.max(value, -32768), 32767);
  return Int16Array.from(pixels, (value, i) => {
    const [low, high] = rangeOfPixel(inputRange, i);
    return limit(roundHalfEven(value * ((high - low) / 255 / inputScale) + low / inputScale));
  });
}

/** The range of number `i` of pictures `[...,channels]`. */
export function rangeOfPixel(inputRange: InputRange, i: number): readonly [low: number, high: number] {
  return isPerChannel(inputRange) ? inputRange[i % inputRange.length]! : inputRange;
}

export function runQuantizedStage(stage: QuantizedStage, input: ArrayLike<number>): Uint8Array {
  const { bias, multipliers } = stage;
  return Uint8Array.from(sumsOf(stage, input), (sum, i) => {
    const f = i % bias.length;
    const value = Math.fround(Math.fround(sum + bias[f]!) * multipliers[f]!);
    return Math.min(Math.max(roundHalfEven(value), 0), 127);
  });
}

export function runFloatStage(stage: InferenceStage, input: ArrayLike<number>): Float64Array<ArrayBuffer> {
  if (stage.kind === 'pool') return means(stage.input, input);
  const { bias, clamp } = stage;
  return sumsOf(stage, input).map((sum, i) => Math.min(Math.max(sum + bias[i % bias.length]!, clamp[0]), clamp[1]));
}

function means({ height, width, channels }: FeatureSize, input: ArrayLike<number>): Float64Array<ArrayBuffer> {
  const sums = new Float64Array(channels);
  for (let i = 0; i < input.length; i++) sums[i % channels]! += input[i]!;
  return sums.map((sum) => sum / (height * width));
}

/** Sums of products; a pixel outside of the picture counts as 0. */
function sumsOf(stage: Convolution, input: ArrayLike<number>): Float64Array<ArrayBuffer> {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft } = stage.window;
  const { height, width } = stage.output;
  const sums = new Float64Array(height * width * stage.output.channels);
  for (let oh = 0; oh < height; oh++) {
    for (let ow = 0; ow < width; ow++) {
      const to = (oh * width + ow) * stage.output.channels;
      for (let kh = 0; kh < kernelHeight; kh++) {
        for (let kw = 0; kw < kernelWidth; kw++) {
          const ih = oh * strideHeight + kh - padTop;
          const iw = ow * strideWidth + kw - padLeft;
          if (ih < 0 || iw < 0 || ih >= stage.input.height || iw >= stage.input.width) continue;
          const from = (ih * stage.input.width + iw) * stage.input.channels;
          addTap(stage, input, from, kh * kernelWidth + kw, sums, to);
        }
      }
    }
  }
  return sums;
}

function addTap(
  stage: Convolution,
  input: ArrayLike<number>,
  from: number,
  tap: number,
  sums: Float64Array,
  to: number,
): void {
  const C = stage.input.channels;
  const F = stage.output.channels;
  if ('multiplier' in stage) {
    for (let q = 0; q < F; q++) {
      sums[to + q]! += input[from + Math.floor(q / stage.multiplier)]! * stage.kernel[tap * F + q]!;
    }
    return;
  }
  for (let c = 0; c < C; c++) {
    for (let f = 0; f < F; f++) sums[to + f]! += input[from + c]! * stage.kernel[(tap * C + c) * F + f]!;
  }
}
