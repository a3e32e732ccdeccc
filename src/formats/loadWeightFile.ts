import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { InputRange } from '../inputRange';
import { type AssignedLayers, type AssignWeightsOptions, assignWeights } from './assignWeights';
import type { WeightFile, WeightFormat } from './networkWeights';
import { readWeights } from './readWeights';

/** What `loadWeights` resolves with. */
export interface LoadedWeights extends AssignedLayers {
  readonly format: WeightFormat;
  /** What bytes 0 to 255 are mapped to before they enter the network, where the file or its kind tells. */
  readonly inputRange?: InputRange;
}

/** Options for {@link loadWeightFile}. */
export interface LoadWeightFileOptions extends AssignWeightsOptions {
  /** Called with the fraction of what there is to read, 0 to 1. */
  onProgress?: ((fraction: number) => void) | undefined;
}

/**
 * Reads a file of weights that is at hand, and puts them into a model.
 *
 * @throws {MobilenetError} `invalid-data` for the file, `invalid-argument` where it does not fit the model, which is then
 * as it was
 */
export async function loadWeightFile(
  model: LayersModel,
  file: WeightFile,
  { onProgress, ...options }: LoadWeightFileOptions = {},
): Promise<LoadedWeights> {
  const weights = await readWeights(file, onProgress);
  const { format, inputRange } = weights;
  const { layers, skipped } = assignWeights(model, weights, options);
  return { format, layers, skipped, ...(inputRange && { inputRange }) };
}
