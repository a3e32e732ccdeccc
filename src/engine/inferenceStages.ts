import type { LayersModel } from '@tensorflow/tfjs-layers';
import { readStages } from '../graph/readStages';
import type { FeatureSize, StageGraph } from '../graph/stage';
import { inTheWay, refuseFused } from './engineChoice';

/**
 * A model's stages for pictures of a size, for inference.
 *
 * @throws {MobilenetError} `engine-failed` where the engine cannot express the model; names the layer
 */
export function inferenceStages(
  where: string,
  model: LayersModel,
  size: Pick<FeatureSize, 'height' | 'width'>,
): StageGraph {
  const read = readStages(model, { anyOutput: true, size });
  if ('graph' in read) return read.graph;
  return refuseFused(where, inTheWay(read.unsupported), FLOAT_REMEDY);
}

export const FLOAT_REMEDY = "engine: 'tfjs' runs any model, in float32.";
