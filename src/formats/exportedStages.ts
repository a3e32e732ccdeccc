import type { LayersModel } from '@tensorflow/tfjs-layers';
import { fail } from '../errors';
import { readStages } from '../graph/readStages';
import type { StageGraph } from '../graph/stage';

/** The stages of a model that is written as `format`. Throws `invalid-argument` for a layer that stages cannot express. */
export function exportedStages(where: string, format: string, model: LayersModel): StageGraph {
  const read = readStages(model, { anyOutput: true });
  if ('graph' in read) return read.graph;
  const { layerName, className, reason } = read.unsupported;
  return fail({
    code: 'invalid-argument',
    where,
    expected: `a chain of layers that can be written as ${format}`,
    received: `layer '${layerName}' (${className}), which ${reason}`,
  });
}
