import type { Random } from '../random';

/**
 * A number of the Beta(a, b) distribution, a and b above 0: mean a / (a + b). From two of the gamma distribution, in
 * logarithms, as those of a small shape are smaller than any float64.
 */
export function sampleBeta(random: Random, a: number, b: number): number {
  const [logX, logY] = [sampleLogGamma(random, a), sampleLogGamma(random, b)];
  return 1 / (1 + Math.exp(logY - logX));
}

/** The logarithm of a number of the Gamma(shape, 1) distribution (Marsaglia and Tsang 2000, sections 4 and 6). */
function sampleLogGamma(random: Random, shape: number): number {
  if (shape < 1) return sampleLogGamma(random, shape + 1) + Math.log(1 - random.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
