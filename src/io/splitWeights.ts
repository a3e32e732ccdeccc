import { type WeightSpec, weightBytes } from './checkArtifacts';

/** Each weight with its own bytes, which lie one behind the other in `weightData`. */
export function splitWeights(
  where: string,
  weightSpecs: readonly WeightSpec[],
  weightData: ArrayBuffer,
): [WeightSpec, ArrayBuffer][] {
  let end = 0;
  return weightSpecs.map((spec) => {
    const start = end;
    end += weightBytes(where, spec);
    // A copy, since weights of one byte a value leave those behind them unaligned.
    return [spec, weightData.slice(start, end)];
  });
}
