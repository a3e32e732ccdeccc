import { f64Exp, f64Log } from './math';

// ln 1e-7 and ln(1 - 1e-7): the bounds between which tfjs clips a probability, as its logarithm has them.
const LOG_LOWEST: f64 = -16.11809565095832;
const LOG_HIGHEST: f64 = -1.00000005000000333e-7;

/**
 * Softmax, cross-entropy with soft targets, and the gradient of both, in float64 within a row.
 *
 * N pictures, K classes, K8 = K rounded up to a multiple of 8; `logits`, `dlogits [N,K8]`, `scale`, `offset [K8]`,
 * `targets`, `probabilities [N,K]` float32, `labels`, `correct [N]` int32, `losses [N]` float64. The definition, for
 * begin <= n < end:
 *
 *     z[k] = scale[k] * logits[n,k] + offset[k]
 *     p[k] = exp(z[k]) / sum over j: exp(z[j])
 *     q[k] = clip ? min(max(p[k], 1e-7), 1 - 1e-7) : p[k]
 *     losses[n] = -sum over k: t[k] * log(q[k]), t[k] = targets[n,k]
 *     dlogits[n,k] = (p[k] * (sum over j: t[j] * m[j]) - t[k] * m[k]) / N, m[k] = p[k] == q[k] ? 1 : 0; 0 for k >= K
 *     probabilities[n,k] = clip ? p[k] : z[k]
 *     correct[n] = the first k of the largest z is labels[n] ? 1 : 0
 *
 * A row of targets may add up to anything: the weight of a picture is part of it. With `clip` this is tfjs's
 * categorical cross-entropy of a model that ends in a softmax, and its gradient through `clipByValue`; without, that of
 * logits. dlogits = 0 or probabilities = 0: not wanted. A NaN logit, or an infinite
 * largest one, makes the loss of its row NaN.
 */
export function f32SoftmaxCrossEntropy(
  logits: usize, scale: usize, offset: usize, labels: usize, targets: usize, dlogits: usize, probabilities: usize,
  losses: usize, correct: usize, N: i32, K: i32, K8: i32, clip: bool, begin: i32, end: i32,
): void {
  const lowest = clip ? LOG_LOWEST : -Infinity;
  const highest = clip ? LOG_HIGHEST : Infinity;
  for (let n = begin; n < end; n++) {
    const row = logits + (<usize>(n * K8) << 2);
    const target = targets + (<usize>(n * K) << 2);
    const best = largestLogit(row, scale, offset, K);
    const largest = logit(row, scale, offset, best);
    let sum: f64 = 0;
    for (let k = 0; k < K; k++) sum += f64Exp(logit(row, scale, offset, k) - largest);
    const logSum = largest + f64Log(sum);

    let loss: f64 = 0;
    let passed: f64 = 0;
    for (let k = 0; k < K; k++) {
      const t = <f64>load<f32>(target + (<usize>k << 2));
      const logP = logit(row, scale, offset, k) - logSum;
      const logQ = min(max(logP, lowest), highest);
      loss -= t * logQ;
      if (logP == logQ) passed += t;
    }
    store<f64>(losses + (<usize>n << 3), loss);
    store<i32>(correct + (<usize>n << 2), best == load<i32>(labels + (<usize>n << 2)) ? 1 : 0);

    if (dlogits != 0) {
      const out = dlogits + (<usize>(n * K8) << 2);
      for (let k = 0; k < K; k++) {
        const logP = logit(row, scale, offset, k) - logSum;
        const t = <f64>load<f32>(target + (<usize>k << 2));
        const direct = lowest <= logP && logP <= highest ? t : 0;
        store<f32>(out + (<usize>k << 2), <f32>((f64Exp(logP) * passed - direct) / <f64>N));
      }
      memory.fill(out + (<usize>K << 2), 0, <usize>(K8 - K) << 2);
    }
    if (probabilities != 0) {
      const out = probabilities + (<usize>(n * K) << 2);
      for (let k = 0; k < K; k++) {
        const z = logit(row, scale, offset, k);
        store<f32>(out + (<usize>k << 2), <f32>(clip ? f64Exp(z - logSum) : z));
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function logit(row: usize, scale: usize, offset: usize, k: i32): f64 {
  const at = <usize>k << 2;
  return <f64>load<f32>(scale + at) * <f64>load<f32>(row + at) + <f64>load<f32>(offset + at);
}

/** The first class of the largest logit. */
function largestLogit(row: usize, scale: usize, offset: usize, K: i32): i32 {
  let best = 0;
  for (let k = 1; k < K; k++) {
    if (logit(row, scale, offset, k) > logit(row, scale, offset, best)) best = k;
  }
  return best;
}
