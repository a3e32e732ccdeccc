// Softmax cross-entropy in float64; N = pictures, K = classes.
import type { StageGraph } from '../../src/graph/stage';

/** As in src/train/classificationLoss.ts. */
const EPSILON = 1e-7;

/** What {@link crossEntropy} computes from logits `[N,K]`. */
export interface CrossEntropy {
  /** Mean over the pictures. */
  loss: number;
  /** Pictures whose largest logit is that of their label. */
  correct: number;
  /** `[N,K]` */
  dLogits: Float64Array;
}

/**
 * Mean over the pictures of -sum(t * log p), t the targets `[N,K]`, whose rows may add up to anything.
 *
 * Behind a softmax layer (`'probabilities'`) p is clipped to [1e-7, 1 - 1e-7], and its gradient is 0 where it is, as
 * tfjs has it; from logits it is exact.
 */
export function crossEntropy(
  logits: Float64Array,
  { labels, targets }: { labels: ArrayLike<number>; targets: ArrayLike<number> },
  { classes, outputKind }: StageGraph,
): CrossEntropy {
  const n = labels.length;
  const dLogits = new Float64Array(logits.length);
  let loss = 0;
  let correct = 0;
  for (let row = 0; row < n; row++) {
    const of = logits.subarray(row * classes, (row + 1) * classes);
    const target = of.map((_, k) => targets[row * classes + k]!);
    const logP = logSoftmax(of);
    const p = logP.map(Math.exp);
    const isClipped = (k: number) => outputKind === 'probabilities' && (p[k]! < EPSILON || p[k]! > 1 - EPSILON);
    const clipped = (k: number) => Math.log(Math.min(Math.max(p[k]!, EPSILON), 1 - EPSILON));
    // The gradient of log(softmax)[k] is oneHot(k) - p; a clipped one has none.
    const kept = target.map((value, k) => (isClipped(k) ? 0 : value));
    const keptSum = kept.reduce((sum, value) => sum + value, 0);
    for (let k = 0; k < classes; k++) {
      loss -= (target[k]! * (isClipped(k) ? clipped(k) : logP[k]!)) / n;
      dLogits[row * classes + k] = (p[k]! * keptSum - kept[k]!) / n;
    }
    if (of.indexOf(Math.max(...of)) === labels[row]) correct += 1;
  }
  return { loss, correct, dLogits };
}

/** Targets `[N,K]` of labels: 1 - labelSmoothing + labelSmoothing / K for the label, the rest in equal parts for the others. */
export function softTargets(labels: ArrayLike<number>, classes: number, labelSmoothing = 0): Float32Array {
  const targets = new Float32Array(labels.length * classes).fill(labelSmoothing / classes);
  for (let row = 0; row < labels.length; row++) targets[row * classes + labels[row]!]! += 1 - labelSmoothing;
  return targets;
}

/** p `[N,K]` of logits. */
export function softmax(logits: Float64Array, classes: number): Float64Array {
  const p = new Float64Array(logits.length);
  for (let at = 0; at < logits.length; at += classes) {
    p.set(logSoftmax(logits.subarray(at, at + classes)).map(Math.exp), at);
  }
  return p;
}

function logSoftmax(row: Float64Array): Float64Array {
  const largest = Math.max(...row);
  const logSum = Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return row.map((value) => value - largest - logSum);
}
