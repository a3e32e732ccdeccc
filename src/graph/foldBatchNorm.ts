import type { InferenceDepthwise, InferenceGraph, InferenceStage } from './inferenceGraph';
import type { ConvStage, DepthwiseStage, FeatureSize, Stage, StageGraph, WeightRef } from './stage';

const noClamp: Stage['clamp'] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/**
 * The graph as it is run and no longer trained: `scale * operation(a) + offset` is the operation with its kernel times
 * `scale`, plus `offset`. Calculated in float64 and rounded once.
 *
 * @param weights as `model.weights` has them, in its order
 */
export function foldBatchNorm(graph: StageGraph, weights: readonly ArrayLike<number>[]): InferenceGraph {
  const stages = graph.stages.flatMap((stage) => foldStage(stage, weights));
  const { input, outputKind } = graph;
  return { input, stages, output: stages.at(-1)?.output ?? input, outputKind };
}

function foldStage(stage: Stage, weights: readonly ArrayLike<number>[]): InferenceStage[] {
  const { name, input, output, clamp } = stage;
  if (stage.kind === 'conv' || stage.kind === 'depthwise') return [foldConvolution(stage, weights)];
  const operation: InferenceStage[] = stage.kind === 'pool' ? [{ kind: 'pool', name, input, output }] : [];
  const isClamped = clamp[0] !== noClamp[0] || clamp[1] !== noClamp[1];
  return isClamped ? [...operation, activation(name, output, clamp)] : operation;
}

function foldConvolution(stage: ConvStage | DepthwiseStage, weights: readonly ArrayLike<number>[]): InferenceStage {
  const { name, input, output, clamp, window } = stage;
  const channels = output.channels;
  const { scale, offset } = affine(stage, weights);
  const source = stage.kernel ? weights[stage.kernel.index]! : new Float32Array(channels).fill(1);
  const kernel = scaled(source, scale);
  const common = { name, input, output, clamp, window, kernel, bias: Float32Array.from(offset) };
  return stage.kind === 'conv'
    ? { ...common, kind: 'conv' }
    : { ...common, kind: 'depthwise', multiplier: stage.multiplier };
}

/** Values times a factor for each channel of the last axis; a loop, for `Float32Array.from` takes ten times as long. */
function scaled(values: ArrayLike<number>, factors: Float64Array): Float32Array {
  const products = new Float32Array(values.length);
  for (let row = 0; row < values.length; row += factors.length) {
    for (let c = 0; c < factors.length; c++) products[row + c] = values[row + c]! * factors[c]!;
  }
  return products;
}

/** What bias and batch norm make of the operation's result z: `scale * z + offset`. */
function affine({ bias, batchNorm, output }: Stage, weights: readonly ArrayLike<number>[]) {
  const vector = (ref: WeightRef | undefined, otherwise: number) => (c: number) =>
    ref ? weights[ref.index]![c]! : otherwise;
  const biasOf = vector(bias, 0);
  const gamma = vector(batchNorm?.gamma, 1);
  const beta = vector(batchNorm?.beta, 0);
  const mean = vector(batchNorm?.movingMean, 0);
  const variance = vector(batchNorm?.movingVariance, 1);
  const scale = Float64Array.from({ length: output.channels }, (_, c) =>
    batchNorm ? gamma(c) / Math.sqrt(variance(c) + batchNorm.epsilon) : 1,
  );
  const offset = scale.map((factor, c) => (biasOf(c) - mean(c)) * factor + beta(c));
  return { scale, offset };
}

/** A stage that does nothing but clamp. */
function activation(name: string, size: FeatureSize, clamp: Stage['clamp']): InferenceDepthwise {
  return {
    kind: 'depthwise',
    name,
    input: size,
    output: size,
    kernel: new Float32Array(size.channels).fill(1),
    bias: new Float32Array(size.channels),
    clamp,
    window: { kernelHeight: 1, kernelWidth: 1, strideHeight: 1, strideWidth: 1, padTop: 0, padLeft: 0 },
    multiplier: 1,
  };
}
