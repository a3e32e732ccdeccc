import type { InferenceGraph } from '../../../src/graph/inferenceGraph';
import type { InputRange } from '../../../src/inputRange';
import { rangeOfPixel, runFloatStage } from '../../graph/integerReference';

/** The outputs of each stage for one picture of numbers from 0 to 255, in plain loops and float64. */
export function runInferenceGraph(
  graph: InferenceGraph,
  pixels: ArrayLike<number>,
  inputRange: InputRange,
): Float64Array[] {
  let values = Float64Array.from(pixels, (pixel, i) => {
    const [low, high] = rangeOfPixel(inputRange, i);
    return low + (pixel / 255) * (high - low);
  });
  return graph.stages.map((stage) => {
    values = runFloatStage(stage, values);
    return values;
  });
}

/** The largest difference as a part of the largest magnitude; Infinity where lengths differ or one is not a number. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    magnitude = Math.max(magnitude, Math.abs(expected[i]!));
  }
  if (difference === 0) return 0;
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference / magnitude;
}
