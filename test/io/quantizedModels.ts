import type { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { WeightQuantization } from '../../src/io/quantizeWeights';
import { saveModel } from '../../src/io/saveModel';

/** What a handler gets, its parts that matter made certain. */
export type Artifacts = io.ModelArtifacts & { weightSpecs: io.WeightsManifestEntry[]; weightData: ArrayBuffer };

/** What `saveModel` gives a handler. */
export async function savedArtifacts(model: LayersModel, quantize?: WeightQuantization): Promise<Artifacts> {
  let saved: io.ModelArtifacts | undefined;
  const handler: io.IOHandler = {
    save: async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
  };
  await saveModel(model, handler, quantize && { quantize });
  return saved as Artifacts;
}
