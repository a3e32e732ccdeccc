// The slow loop is the definition: one training step over a StageGraph, in float64. Nothing here is clever, on purpose.
// Letters: N pictures, H W C a picture's size, K classes.
import { check } from '../../src/errors';
import type { BatchNorm, Stage, StageGraph, WeightRef } from '../../src/graph/stage';
import {
  type BatchNormParameters,
  channelSums,
  movingAverage,
  type Normalized,
  normalize,
  normalizeGradients,
} from './referenceBatchNorm';
import { crossEntropy, softmax, softTargets } from './referenceLoss';
import { factorsOf, inputGradient, kernelGradient, operate, sizeOf } from './referenceOperation';
import { decayedWeights, type OptimizerSpec, type OptimizerState, updateWeights } from './referenceOptimizers';

/** The weights as in `model.weights`, in its order. */
export type Weights = readonly Float64Array[];

/** What a step is computed from, beside the weights. */
export interface ReferenceBatch {
  /** `[N,H,W,C]`, as the model takes them. */
  images: ArrayLike<number>;
  /** `[N]`, class indices. */
  labels: ArrayLike<number>;
  /** For each dropout stage its factors `[N,H,W,C]`: 0, or 1 / (1 - rate). Needed where a rate is above 0. */
  dropoutMasks?: readonly ArrayLike<number>[];
  /** `[N,K]`, what the loss counts the logarithm of each class's probability. @default one-hot */
  targets?: ArrayLike<number>;
}

/** By weight index. */
export type ByWeight = Map<number, Float64Array>;

/** Where a training stands. */
export interface ReferenceState {
  weights: Weights;
  optimizer: OptimizerState;
}

/** What {@link lossAndGradients} computes. */
export interface LossAndGradients {
  /** Mean over the batch. */
  loss: number;
  correct: number;
  /** Of every trainable weight. */
  gradients: ByWeight;
  /** The moving means and variances after the step, of the batch norms that are not frozen. */
  movingAverages: ByWeight;
}

/** One step of training from a given state. */
export function trainingStep(
  graph: StageGraph,
  state: ReferenceState,
  batch: ReferenceBatch,
  optimizer: OptimizerSpec,
): LossAndGradients & { state: ReferenceState } {
  const result = lossAndGradients(graph, state.weights, batch);
  const updated = updateWeights(optimizer, state.optimizer, state.weights, result.gradients, decayedWeights(graph));
  for (const [index, values] of result.movingAverages) updated.weights[index] = values;
  return { ...result, state: { weights: updated.weights, optimizer: updated.state } };
}

/** A step without its update of the weights. */
export function lossAndGradients(graph: StageGraph, weights: Weights, batch: ReferenceBatch): LossAndGradients {
  const { labels, targets = softTargets(labels, graph.classes) } = batch;
  const traces = forward(graph, weights, batch, labels.length, true);
  const { loss, correct, dLogits } = crossEntropy(traces.at(-1)!.output, { labels, targets }, graph);
  const gradients: ByWeight = new Map();
  traces.reduceRight((dOutput, trace) => backward(trace, dOutput, gradients), dLogits);
  return {
    loss,
    correct,
    gradients,
    movingAverages: new Map(traces.flatMap((trace) => movedAverages(trace, weights))),
  };
}

/** What is lost in training, without its gradients. */
export function trainingLoss(graph: StageGraph, weights: Weights, batch: ReferenceBatch): number {
  const { labels, targets = softTargets(labels, graph.classes) } = batch;
  const traces = forward(graph, weights, batch, labels.length, true);
  return crossEntropy(traces.at(-1)!.output, { labels, targets }, graph).loss;
}

/** What the model gives in inference, probabilities or logits `[N,K]`. */
export function predict(graph: StageGraph, weights: Weights, images: ArrayLike<number>): Float64Array {
  const n = images.length / sizeOf(graph.input);
  const logits = forward(graph, weights, { images }, n, false).at(-1)!.output;
  return graph.outputKind === 'logits' ? logits : softmax(logits, graph.classes);
}

/**
 * How near an activation's input comes to a bound of its clamp. The gradient jumps there, so that two computations agree
 * only where the distance is larger than their rounding errors.
 */
export function kinkDistance(graph: StageGraph, weights: Weights, batch: ReferenceBatch): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const { stage, y } of forward(graph, weights, batch, batch.labels.length, true)) {
    const [low, high] = stage.clamp;
    for (const value of y) nearest = Math.min(nearest, Math.abs(value - low), Math.abs(value - high));
  }
  return nearest;
}

/** What a stage's backward pass needs of its forward pass. */
interface Trace {
  stage: Stage;
  /** N */
  n: number;
  input: Float64Array;
  factors: Float64Array;
  batchNorm: { parameters: BatchNormParameters; normalized: Normalized } | undefined;
  /** Before the clamp. */
  y: Float64Array;
  output: Float64Array;
}

function forward(
  graph: StageGraph,
  weights: Weights,
  { images, dropoutMasks = [] }: Pick<ReferenceBatch, 'images' | 'dropoutMasks'>,
  n: number,
  isTraining: boolean,
): Trace[] {
  const traces: Trace[] = [];
  const masks = [...dropoutMasks];
  let input: Float64Array = Float64Array.from(images);
  for (const stage of graph.stages) {
    const mask = stage.kind === 'dropout' && isTraining ? masks.shift() : undefined;
    checkMask(stage, n, isTraining, mask);
    const factors = mask ? Float64Array.from(mask) : (kernelOf(stage, weights) ?? factorsOf(stage, n));
    const trace = forwardStage(stage, n, input, factors, weights, isTraining);
    traces.push(trace);
    input = trace.output;
  }
  return traces;
}

function forwardStage(
  stage: Stage,
  n: number,
  input: Float64Array,
  factors: Float64Array,
  weights: Weights,
  isTraining: boolean,
): Trace {
  const { channels } = stage.output;
  const [low, high] = stage.clamp;
  const bias = stage.bias && weights[stage.bias.index]!;
  const z = operate(stage, n, input, factors).map((value, at) => value + (bias ? bias[at % channels]! : 0));
  const parameters = stage.batchNorm && parametersOf(stage.batchNorm, weights, channels, isTraining);
  const batchNorm = parameters && { parameters, normalized: normalize(z, parameters) };
  const y = batchNorm ? batchNorm.normalized.y : z;
  const output = y.map((value) => Math.min(Math.max(value, low), high));
  return { stage, n, input, factors, batchNorm, y, output };
}

/** Adds the gradients of a stage's trainable weights, and returns that of its input. */
function backward(trace: Trace, dOutput: Float64Array, gradients: ByWeight): Float64Array {
  const { stage, n, input, factors, batchNorm, y } = trace;
  const [low, high] = stage.clamp;
  const put = (weight: WeightRef | undefined, gradient: () => Float64Array) => {
    if (weight?.trainable) gradients.set(weight.index, gradient());
  };
  let dz: Float64Array = dOutput.map((value, at) => (low < y[at]! && y[at]! <= high ? value : 0));
  if (batchNorm) {
    const { dx, dGamma, dBeta } = normalizeGradients(dz, batchNorm.normalized, batchNorm.parameters);
    put(stage.batchNorm?.gamma, () => dGamma);
    put(stage.batchNorm?.beta, () => dBeta);
    dz = dx;
  }
  put(stage.bias, () => channelSums(dz, stage.output.channels));
  put(kernelRefOf(stage), () => kernelGradient(stage, n, input, dz, factors.length));
  return inputGradient(stage, n, dz, factors);
}

function movedAverages({ stage, batchNorm }: Trace, weights: Weights): [number, Float64Array][] {
  if (!batchNorm || batchNorm.parameters.usesMoving) return [];
  const { movingMean, movingVariance, momentum } = stage.batchNorm!;
  const { mean, variance } = batchNorm.normalized;
  return [
    [movingMean.index, movingAverage(weights[movingMean.index]!, mean, momentum)],
    [movingVariance.index, movingAverage(weights[movingVariance.index]!, variance, momentum)],
  ];
}

function parametersOf(
  { gamma, beta, movingMean, movingVariance, epsilon }: BatchNorm,
  weights: Weights,
  channels: number,
  isTraining: boolean,
): BatchNormParameters {
  return {
    gamma: gamma ? weights[gamma.index]! : new Float64Array(channels).fill(1),
    beta: beta ? weights[beta.index]! : new Float64Array(channels),
    movingMean: weights[movingMean.index]!,
    movingVariance: weights[movingVariance.index]!,
    epsilon,
    usesMoving: !isTraining || !movingMean.trainable,
  };
}

const kernelRefOf = (stage: Stage) => ('kernel' in stage ? stage.kernel : undefined);

function kernelOf(stage: Stage, weights: Weights): Float64Array | undefined {
  const kernel = kernelRefOf(stage);
  return kernel && weights[kernel.index];
}

function checkMask(stage: Stage, n: number, isTraining: boolean, mask: ArrayLike<number> | undefined): void {
  if (stage.kind !== 'dropout' || !isTraining || (stage.rate === 0 && !mask)) return;
  const size = n * sizeOf(stage.input);
  check(mask?.length === size, {
    where: 'the reference',
    expected: `a mask of ${size} factors for dropout '${stage.name}'`,
    received: mask ? `${mask.length}` : 'none',
  });
}
