import { checkHeader, isObject } from '../../io/checkArtifacts';
import { normalizeTopology } from '../../io/normalizeTopology';
import { parseJson, readManifest } from '../../io/readModelFiles';
import { checkChain } from '../checkChain';
import { readMetadata } from '../fileMetadata';
import { imagenetRange } from '../imagenetRange';
import { configPadding } from '../keras/configPadding';
import { rescaledRange } from '../keras/rescaledRange';
import type { NetworkWeights, WeightFile } from '../networkWeights';
import { layerWeights } from './layerWeights';
import { filesOf } from './siblings';
import { topologyChain } from './topologyChain';

/**
 * Reads a tfjs layers model: ours, quantised or not, and others that tfjs or its converter wrote, from Keras 2 or 3.
 *
 * No layer is built, so that its memory is that of the weights in the file.
 *
 * @param onProgress Called with the fraction of shards that have been read, 0 to 1.
 * @throws {MobilenetError} `invalid-data`, and what reading the shards throws
 */
export async function readLayersModel(
  file: WeightFile,
  onProgress?: (fraction: number) => void,
): Promise<NetworkWeights> {
  const { where } = file;
  const json = parseJson(where, file.bytes);
  const { modelTopology, userDefinedMetadata } = checkHeader(where, json);
  const chain = topologyChain(where, normalizeTopology(where, modelTopology));
  const layers = layerWeights(where, chain, await readManifest(filesOf(file), json.weightsManifest, onProgress));
  checkChain(where, layers);
  // What saveModel writes has the range that the model knows, if any.
  const isOurs = isObject(userDefinedMetadata) && 'inputShape' in userDefinedMetadata;
  const inputRange = rescaledRange(chain) ?? (isOurs ? undefined : imagenetRange(layers));
  const metadata = readMetadata(userDefinedMetadata);
  return { format: 'tfjs-layers', where, layers, padding: configPadding(chain), inputRange, ...metadata };
}
