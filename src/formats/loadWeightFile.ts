import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { InputRange } from '../inputRange';
import type { ModelMetadata } from '../model/metadata';
import { type AssignedLayers, type AssignWeightsOptions, assignWeights } from './assignWeights';
import { writeMetadata } from './fileMetadata';
import type { HeadChoice } from './heads';
import type { WeightFile, WeightFormat } from './networkWeights';
import { readWeights } from './readWeights';

/** What `loadWeights` resolves with. */
export interface LoadedWeights extends AssignedLayers {
  readonly format: WeightFormat;
  /** What bytes 0 to 255 are mapped to before they enter the network, where the file or its kind tells. */
  readonly inputRange?: InputRange;
  /**
   * All that the file says of pictures and classes, `inputRange` among it; files of ours say as much as the model knew
   * that they were written from. `classNames` are there where the model got the file's classifier, and has as many classes.
   */
  readonly metadata: ModelMetadata;
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
  const classNames = weights.classNames && namesOfModel(model, weights.classNames, options.head);
  const metadata = writeMetadata({ ...weights, classNames });
  return { format, layers, skipped, ...(inputRange && { inputRange }), metadata };
}

/** Those of the file's names that belong to the classes of the model; undefined where they are others. */
function namesOfModel(
  { outputs }: LayersModel,
  classNames: readonly string[],
  head: HeadChoice | undefined,
): readonly string[] | undefined {
  const classes = outputs[0]!.shape.at(-1);
  if (head === 'skip') return undefined;
  const own = head === 'dropBackground' && classNames.length - 1 === classes ? classNames.slice(1) : classNames;
  return own.length === classes ? own : undefined;
}
