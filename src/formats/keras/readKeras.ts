import { isObject } from '../../io/checkArtifacts';
import { refuse } from '../../io/refuse';
import { checkChain } from '../checkChain';
import { METADATA_KEY, readMetadata } from '../fileMetadata';
import { imagenetRange } from '../imagenetRange';
import type { NetworkWeights, WeightedLayer, WeightFile } from '../networkWeights';
import { checkpointLayers, isCheckpoint } from './checkpointWeights';
import { configPadding } from './configPadding';
import { openHdf5 } from './hdf5/hdf5Group';
import { type KerasLayer, weightedLayer } from './kerasLayer';
import { isMobilenetV1, orderLayers } from './layerOrder';
import { legacyLayers } from './legacyWeights';
import { type ConfigLayer, flatLayers, parseJson, readModelConfig } from './modelConfig';
import { rescaledRange } from './rescaledRange';
import { readZip } from './zip';

/**
 * Reads an HDF5 file of Keras 2 or 3: a whole model (`model.save('x.h5')`), the weights of Keras 2
 * (`save_weights('x.h5')`, as MobileNet's are published), or those of Keras 3 (`x.weights.h5`).
 *
 * Where there is no configuration, order and padding are those of Keras's MobileNet, which the layers must fit.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export async function readKerasH5({ bytes, where }: WeightFile): Promise<NetworkWeights> {
  const root = openHdf5(bytes, where);
  if (isCheckpoint(root)) {
    return withoutConfig(where, orderLayers(where, weightedLayers(where, checkpointLayers(where, root))));
  }
  const whole = root.group('model_weights');
  const json = root.strings('model_config')?.[0];
  if (!whole || json === undefined) {
    const layers = weightedLayers(where, legacyLayers(where, whole ?? root));
    checkChain(where, layers);
    return withoutConfig(where, layers);
  }
  const config = readModelConfig(where, json);
  const metadata = root.strings(METADATA_KEY)?.[0];
  return withConfig(
    { format: 'keras-h5', where, layers: weightedLayers(where, legacyLayers(where, whole, config)) },
    config,
    metadata === undefined ? undefined : parseJson(where, metadata),
  );
}

/** In bytes; that of MobileNet has 88,000. */
const LARGEST_JSON = 2 ** 23;

const LARGEST = new Map([
  ['config.json', LARGEST_JSON],
  ['metadata.json', LARGEST_JSON],
  ['model.weights.h5', Number.POSITIVE_INFINITY],
] as const);

/**
 * Reads a `.keras` file, of Keras 3 or of TensorFlow 2.12 and later.
 *
 * @throws {MobilenetError} `invalid-data`, `missing-backend` where fflate is not installed.
 */
export async function readKerasArchive({ bytes, where }: WeightFile): Promise<NetworkWeights> {
  const files = await readZip(bytes, where, LARGEST);
  const text = (name: 'config.json' | 'metadata.json') => new TextDecoder().decode(files.get(name));
  const weights = files.get('model.weights.h5');
  if (!files.has('config.json') || !weights) {
    refuse(where, 'config.json and model.weights.h5 in a .keras file', `${[...files.keys()].join(', ') || 'neither'}`);
  }
  const config = readModelConfig(where, text('config.json'));
  const layers = weightedLayers(where, checkpointLayers(where, openHdf5(weights, where), config));
  const metadata = files.has('metadata.json') ? parseJson(where, text('metadata.json')) : undefined;
  return withConfig(
    { format: 'keras', where, layers },
    config,
    isObject(metadata) ? metadata[METADATA_KEY] : undefined,
  );
}

function weightedLayers(where: string, layers: readonly KerasLayer[]): WeightedLayer[] {
  if (layers.length === 0) refuse(where, 'layers with weights', 'none');
  return layers.map((layer) => ({ ...weightedLayer(where, layer), activation: layer.activation }));
}

/** Adds what the configuration says, and what is kept beside it if the file is one of ours. */
function withConfig(
  weights: Pick<NetworkWeights, 'format' | 'where' | 'layers'>,
  config: readonly ConfigLayer[],
  metadata: unknown,
): NetworkWeights {
  const layers = flatLayers(config);
  const padding = configPadding(layers);
  if (metadata !== undefined) return { ...weights, padding, ...readMetadata(metadata) };
  return { ...weights, padding, inputRange: rescaledRange(layers) ?? imagenetRange(weights.layers) };
}

function withoutConfig(where: string, layers: readonly WeightedLayer[]): NetworkWeights {
  const padding = isMobilenetV1(layers) ? 'keras' : undefined;
  return { format: 'keras-h5', where, layers, padding, inputRange: imagenetRange(layers) };
}
