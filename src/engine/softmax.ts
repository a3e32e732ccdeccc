/**
 * The softmax of each row of `logits` `[N,K]`, calculated in float64 and rounded once.
 *
 * The definition: `p[n,k] = exp(x[n,k]) / sum over j of exp(x[n,j])`, of which the row's highest logit is taken off first,
 * so that nothing overflows.
 *
 * @param K values in a row
 */
export function softmax(logits: Float32Array, K: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let row = 0; row < logits.length; row += K) {
    const x = Float64Array.from(logits.subarray(row, row + K));
    const highest = x.reduce((a, b) => Math.max(a, b));
    const powers = x.map((value) => Math.exp(value - highest));
    const sum = powers.reduce((a, b) => a + b);
    for (let k = 0; k < K; k++) probabilities[row + k] = powers[k]! / sum;
  }
  return probabilities;
}
