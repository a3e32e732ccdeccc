import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { isLinear } from './activation';
import type { ModelBatchNorm, ModelKernel } from './modelLayers';
import type { BatchNormWeights, Values, WeightedLayer } from './networkWeights';
import type { Unit } from './units';

export type KernelWeights = Exclude<WeightedLayer, BatchNormWeights>;
export type FileUnit = Unit<KernelWeights, BatchNormWeights>;
export type ModelUnit = Unit<ModelKernel, ModelBatchNorm>;

/** Values for a weight of the model. */
export interface NewValues {
  readonly variable: LayerVariable;
  readonly values: Float32Array;
}

/** What the model gets of a file's unit; undefined where the two do not fit each other. */
export function fitUnit(model: ModelUnit, file: FileUnit): NewValues[] | undefined {
  const kernel = fitKernel(model.kernel, file.kernel);
  if (!kernel || !normalizesAlike(model, file)) return undefined;
  const { kernel: own, norm } = model;
  const bias = file.kernel?.bias;
  if (bias && bias.data.length !== outputsOf(own)) return undefined;
  if (own?.bias) {
    const values = bias?.data ?? new Float32Array(outputsOf(own));
    return join(kernel, [{ variable: own.bias, values }], fitNorm(norm, file.norm, undefined));
  }
  // Batch norm adds a bias of its own; only where nothing comes in between is it the same.
  if (bias && !norm?.isFoldable) return undefined;
  return join(kernel, fitNorm(norm, file.norm, bias?.data));
}

/** Whether the batch norms of both stand on the same side of an activation, as far as that is known. */
function normalizesAlike(model: ModelUnit, file: FileUnit): boolean {
  const [own, others] = [model.kernel?.activation, file.kernel?.activation];
  return !model.norm || !file.norm || !own || !others || isLinear(own) === isLinear(others);
}

function join(...parts: (NewValues[] | undefined)[]): NewValues[] | undefined {
  const whole = parts.filter((part) => part !== undefined);
  return whole.length === parts.length ? whole.flat() : undefined;
}

function outputsOf(kernel: ModelKernel | undefined): number {
  const shape = kernel ? (kernel.kernel.shape as number[]) : [];
  return kernel?.kind === 'depthwise' ? shape[2]! * shape[3]! : (shape.at(-1) ?? 0);
}

function fitKernel(model: ModelKernel | undefined, file: KernelWeights | undefined): NewValues[] | undefined {
  if (!model || !file) return model || file ? undefined : [];
  const fits = sameKernel([model.kind, model.kernel.shape as number[]], [file.kind, file.kernel.shape]);
  return fits ? [{ variable: model.kernel, values: file.kernel.data }] : undefined;
}

type Kernel = readonly [kind: KernelWeights['kind'], shape: readonly number[]];

function sameKernel(a: Kernel, b: Kernel): boolean {
  return asConvolution(a).join() === asConvolution(b).join();
}

/** The convolution that a kernel is by another name: of one pixel, or of one channel. */
function asConvolution([kind, shape]: Kernel): Kernel {
  if (kind === 'dense') return ['conv', [1, 1, ...shape]];
  return kind === 'depthwise' && shape[2] === 1 ? ['conv', shape] : [kind, shape];
}

/** @param bias of the file's kernel, which the model's batch norm is to add */
function fitNorm(
  model: ModelBatchNorm | undefined,
  file: BatchNormWeights | undefined,
  bias: Float32Array | undefined,
): NewValues[] | undefined {
  if (!model) return file ? undefined : [];
  if (!file) return model.isFoldable ? foldedNorm(model, bias) : undefined;
  const channels = model.movingMean.shape[0]!;
  const { gamma, beta, movingMean, movingVariance } = file;
  const vectors = [gamma, beta, movingMean, movingVariance].filter((values) => values !== undefined);
  const fits = vectors.every(({ data }) => data.length === channels);
  // What the model's batch norm does without may be there as long as it does nothing.
  const isDone = (model.gamma || isAll(gamma, 1)) && (model.beta || isAll(beta, 0));
  if (!fits || !isDone) return undefined;
  const mean = bias ? movingMean.data.map((value, c) => value - bias[c]!) : movingMean.data;
  return [
    { variable: model.movingMean, values: mean },
    ...fitScale(model, file, channels),
    ...(model.beta ? [{ variable: model.beta, values: beta?.data ?? new Float32Array(channels) }] : []),
  ];
}

function isAll(values: Values | undefined, constant: number): boolean {
  return !values || values.data.every((value) => value === constant);
}

/**
 * Gamma and the variance. An epsilon other than the model's is made up for in gamma, so that the statistics stay those
 * of the activations; a batch norm without gamma has the variance for it.
 */
function fitScale(model: ModelBatchNorm, file: BatchNormWeights, channels: number): NewValues[] {
  const { epsilon = model.epsilon, movingVariance } = file;
  const variance = movingVariance.data;
  if (!model.gamma) {
    const shift = epsilon - model.epsilon;
    return [
      { variable: model.movingVariance, values: shift === 0 ? variance : variance.map((value) => value + shift) },
    ];
  }
  const gamma = file.gamma?.data ?? new Float32Array(channels).fill(1);
  return [
    { variable: model.movingVariance, values: variance },
    { variable: model.gamma, values: scaleGamma(gamma, variance, epsilon, model.epsilon) },
  ];
}

/** The gamma that does with the epsilon `to` what `gamma` does with `from`; calculated in float64 and rounded once. */
export function scaleGamma(gamma: Float32Array, variance: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return gamma;
  return gamma.map((value, c) => value * Math.sqrt((variance[c]! + to) / (variance[c]! + from)));
}

/**
 * A batch norm that does nothing but add a bias, as in files whose batch norms were folded into the kernels.
 *
 * Variance and epsilon make 1 but for the rounding of the variance, at most 2^-25; the square root halves that, and a
 * kernel times a factor that near to 1 rounds to itself. So folding gives the file's bits back.
 */
function foldedNorm(model: ModelBatchNorm, bias: Float32Array | undefined): NewValues[] {
  const channels = model.movingMean.shape[0]!;
  const constant = (value: number) => new Float32Array(channels).fill(value);
  const added = bias ?? constant(0);
  const { gamma, beta, movingMean, movingVariance, epsilon } = model;
  return [
    ...(gamma ? [{ variable: gamma, values: constant(1) }] : []),
    ...(beta ? [{ variable: beta, values: added }] : []),
    { variable: movingMean, values: beta ? constant(0) : added.map((value) => -value) },
    { variable: movingVariance, values: constant(1 - epsilon) },
  ];
}

/** Leaves the first output out, which TF-slim has for the background. */
export function withoutBackground(file: KernelWeights): KernelWeights {
  const { kernel, bias } = file;
  return { ...file, kernel: withoutFirst(kernel), bias: bias && withoutFirst(bias) };
}

function withoutFirst({ shape, data }: Values): Values {
  const size = shape.at(-1)!;
  return { shape: [...shape.slice(0, -1), size - 1], data: data.filter((_, i) => i % size !== 0) };
}
