import {
  clipByValue,
  log,
  logSoftmax,
  mean,
  mul,
  neg,
  type Scalar,
  sum,
  type Tensor2D,
  tidy,
} from '@tensorflow/tfjs-core';
import type { OutputKind } from '../graph/outputKind';

/** Keeps the logarithm finite; tfjs-layers' and Keras's own value. */
const EPSILON = 1e-7;

/**
 * Mean categorical cross-entropy over a batch of n pictures and K classes: `-sum over k: targets[k] * log(p[k])`.
 *
 * Probabilities p are clipped to [1e-7, 1 - 1e-7], as tfjs-layers' own `categoricalCrossentropy` has it; from logits
 * the loss is exact.
 *
 * @param targets `[n,K]`; rows need not sum to 1
 * @param output `[n,K]`
 */
export function crossEntropy(targets: Tensor2D, output: Tensor2D, kind: OutputKind): Scalar {
  return tidy(() => {
    const logProbabilities = kind === 'logits' ? logSoftmax(output) : log(clipByValue(output, EPSILON, 1 - EPSILON));
    return neg(mean(sum(mul(targets, logProbabilities), 1))) as Scalar;
  });
}

/** What {@link scoreBatch} counts on a batch. */
export interface BatchScore {
  /** Sum over the pictures, not their mean. */
  lossSum: number;
  /** The most probable class of each picture. */
  predictions: Int32Array;
}

/** The loss and the predicted classes of outputs that were read back: n pictures x K classes, row-major. */
export function scoreBatch(
  output: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  kind: OutputKind,
): BatchScore {
  const predictions = new Int32Array(labels.length);
  let lossSum = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = i * classes;
    let best = 0;
    for (let k = 1; k < classes; k++) if (output[row + k]! > output[row + best]!) best = k;
    predictions[i] = best;
    const label = output[row + labels[i]!]!;
    lossSum +=
      kind === 'logits' ? logSumExp(output, row, classes, output[row + best]!) - label : -Math.log(clip(label));
  }
  return { lossSum, predictions };
}

const clip = (p: number) => Math.min(Math.max(p, EPSILON), 1 - EPSILON);

function logSumExp(values: ArrayLike<number>, start: number, count: number, largest: number): number {
  let total = 0;
  for (let k = 0; k < count; k++) total += Math.exp(values[start + k]! - largest);
  return largest + Math.log(total);
}
