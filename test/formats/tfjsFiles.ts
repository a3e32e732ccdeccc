import type { LayersModel } from '@tensorflow/tfjs-layers';
import { MobilenetError } from '../../src/errors';
import type { WeightFile } from '../../src/formats/networkWeights';
import type { WeightQuantization } from '../../src/io/quantizeWeights';
import type { LooseJson } from '../io/models';
import { savedArtifacts } from '../io/quantizedModels';

type Bytes = Uint8Array<ArrayBuffer>;

/** A tfjs model in memory: its JSON, and the shard that it names. */
export interface TfjsModel {
  readonly json: LooseJson;
  readonly shard: Bytes;
}

export const SHARD = 'weights.bin';

/** What `saveModel` writes. */
export async function layersModelFile(model: LayersModel, quantize?: WeightQuantization): Promise<TfjsModel> {
  const { weightSpecs, weightData, ...header } = await savedArtifacts(model, quantize);
  const json = { ...header, weightsManifest: [{ paths: [SHARD], weights: weightSpecs }] };
  return { json: JSON.parse(JSON.stringify(json)), shard: new Uint8Array(weightData) };
}

/** The two as a reader gets them. */
export function fileOf({ json, shard }: TfjsModel): WeightFile {
  return {
    where: 'a/model.json',
    bytes: encode(json),
    readSibling: async (path) => {
      if (path === SHARD) return shard;
      throw new MobilenetError('file-system', `no file ${path}`);
    },
  };
}

/** The two as a user picks them. */
export function pickedOf({ json, shard }: TfjsModel): File[] {
  return [new File([shard], SHARD), new File([encode(json)], 'model.json')];
}

export const encode = (json: unknown): Bytes => new TextEncoder().encode(JSON.stringify(json));
