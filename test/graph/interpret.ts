import type { BatchNorm, ConvStage, DepthwiseStage, FeatureSize, Stage, StageGraph } from '../../src/graph/stage';

/** Values of a model's weights, in the order of `StageGraph.weights`. */
type Weights = readonly ArrayLike<number>[];

/** One picture `[H,W,C]`, row-major. */
interface Picture {
  readonly size: FeatureSize;
  readonly values: ArrayLike<number>;
}

/** What the stages say, in plain loops and float64: the outputs for one picture, in inference. */
export function interpret(graph: StageGraph, weights: Weights, picture: ArrayLike<number>): number[] {
  let last: Picture = { size: graph.input, values: picture };
  for (const stage of graph.stages) {
    if (!sameSize(stage.input, last.size)) throw new Error(`${stage.name} does not fit to the stage before it`);
    last = { size: stage.output, values: finish(stage, weights, operate(stage, weights, last)) };
  }
  if (!sameSize(last.size, { height: 1, width: 1, channels: graph.classes })) throw new Error('no classes at the end');
  return graph.outputKind === 'logits' ? Array.from(last.values) : softmax(Array.from(last.values));
}

function operate(stage: Stage, weights: Weights, picture: Picture): ArrayLike<number> {
  switch (stage.kind) {
    case 'conv':
      return convolve(stage, weights[stage.kernel.index]!, picture);
    case 'depthwise':
      return convolveDepthwise(stage, stage.kernel && weights[stage.kernel.index]!, picture);
    case 'pool':
      return mean(picture);
    case 'dropout':
      return picture.values;
  }
}

function convolve(stage: ConvStage, kernel: ArrayLike<number>, picture: Picture): number[] {
  const { kernelHeight, kernelWidth } = stage.window;
  const C = stage.input.channels;
  return outputs(stage.output, (y, x, f) => {
    let z = 0;
    for (let i = 0; i < kernelHeight; i++) {
      for (let j = 0; j < kernelWidth; j++) {
        for (let c = 0; c < C; c++) {
          const tap = kernel[((i * kernelWidth + j) * C + c) * stage.output.channels + f]!;
          z += tap * read(stage, picture, [y, x], [i, j], c);
        }
      }
    }
    return z;
  });
}

function convolveDepthwise(stage: DepthwiseStage, kernel: ArrayLike<number> | undefined, picture: Picture): number[] {
  const { kernelHeight, kernelWidth } = stage.window;
  const C = stage.input.channels;
  const M = stage.multiplier;
  return outputs(stage.output, (y, x, q) => {
    let z = 0;
    for (let i = 0; i < kernelHeight; i++) {
      for (let j = 0; j < kernelWidth; j++) {
        const tap = kernel ? kernel[(i * kernelWidth + j) * C * M + q]! : 1;
        z += tap * read(stage, picture, [y, x], [i, j], Math.floor(q / M));
      }
    }
    return z;
  });
}

function mean({ size, values }: Picture): number[] {
  const { height, width, channels } = size;
  const sums = Array.from({ length: channels }, () => 0);
  for (let i = 0; i < values.length; i++) sums[i % channels]! += values[i]!;
  return sums.map((sum) => sum / (height * width));
}

/** Bias, batch norm with the moving averages, clamp. */
function finish(stage: Stage, weights: Weights, z: ArrayLike<number>): number[] {
  const { bias, batchNorm, clamp, output } = stage;
  const [low, high] = clamp;
  return Array.from(z, (value, i) => {
    const channel = i % output.channels;
    const biased = value + (bias ? weights[bias.index]![channel]! : 0);
    const y = batchNorm ? normalize(batchNorm, weights, biased, channel) : biased;
    return Math.min(Math.max(y, low), high);
  });
}

function normalize(batchNorm: BatchNorm, weights: Weights, value: number, channel: number): number {
  const { gamma, beta, movingMean, movingVariance, epsilon } = batchNorm;
  const of = (ref: typeof gamma, otherwise: number) => (ref ? weights[ref.index]![channel]! : otherwise);
  const scale = of(gamma, 1) / Math.sqrt(of(movingVariance, 1) + epsilon);
  return (value - of(movingMean, 0)) * scale + of(beta, 0);
}

/** The pixel under one tap of a window; 0 outside of the picture. */
function read(
  { window }: ConvStage | DepthwiseStage,
  { size, values }: Picture,
  [y, x]: [number, number],
  [i, j]: [number, number],
  channel: number,
): number {
  const row = y * window.strideHeight - window.padTop + i;
  const column = x * window.strideWidth - window.padLeft + j;
  const isInside = row >= 0 && row < size.height && column >= 0 && column < size.width;
  return isInside ? values[(row * size.width + column) * size.channels + channel]! : 0;
}

function outputs({ height, width, channels }: FeatureSize, value: (y: number, x: number, f: number) => number) {
  return Array.from({ length: height * width * channels }, (_, index) => {
    const pixel = Math.floor(index / channels);
    return value(Math.floor(pixel / width), pixel % width, index % channels);
  });
}

function softmax(logits: number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

function sameSize(a: FeatureSize, b: FeatureSize): boolean {
  return a.height === b.height && a.width === b.width && a.channels === b.channels;
}
