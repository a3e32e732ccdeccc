import { add, div, maximum, mul, type NamedTensorMap, sqrt, sum, tidy } from '@tensorflow/tfjs-core';

/**
 * All gradients times `min(1, clipNorm / norm)`, where `norm` is the Euclidean norm of all of them together.
 *
 * Source: Pascanu et al. 2013, algorithm 1; TensorFlow's `clip_by_global_norm`.
 */
export function clipByGlobalNorm(gradients: NamedTensorMap, clipNorm: number): NamedTensorMap {
  return tidy(() => {
    const squares = Object.values(gradients).map((gradient) => sum(mul(gradient, gradient)));
    const norm = sqrt(squares.reduce((a, b) => add(a, b)));
    // Written so that a norm of 0 divides nothing.
    const scale = div(clipNorm, maximum(norm, clipNorm));
    return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, mul(gradient, scale)]));
  });
}
