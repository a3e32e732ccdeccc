import type { LayersModel } from '@tensorflow/tfjs-layers';
import { getModelMetadata } from '../../model/metadata';
import { METADATA_KEY, writeMetadata } from '../fileMetadata';
import type { Values } from '../networkWeights';
import { utf8 } from './hdf5/byteBuilder';
import { type GroupToWrite, writeHdf5 } from './hdf5/writeHdf5';
import { type ChainToWrite, kerasChain, type LayerToWrite } from './kerasChain';
import { snakeCase } from './weightNames';
import { writeConfig, writeLegacyConfig } from './writeConfig';
import { writeZip } from './zip';

/** An attribute of HDF5 has room for 64 KiB; Keras splits longer lists at this many bytes. */
const LONGEST_LIST = 64_512;

/** A model as a `.keras` file, which Keras 3 reads. */
export async function writeKerasArchive(where: string, model: LayersModel): Promise<Uint8Array<ArrayBuffer>> {
  const chain = await kerasChain(where, model);
  const metadata = { keras_version: '3.0.0', [METADATA_KEY]: writeMetadata(getModelMetadata(model)) };
  return writeZip(where, {
    'metadata.json': encodeJson(metadata),
    'config.json': encodeJson(writeConfig(chain)),
    'model.weights.h5': writeHdf5(checkpointGroup(chain)),
  });
}

/** A model as an `.h5` file, which Keras 2 and 3 read. */
export async function writeKerasH5(where: string, model: LayersModel): Promise<Uint8Array<ArrayBuffer>> {
  const chain = await kerasChain(where, model);
  const versions = { keras_version: '2.15.0', backend: 'tensorflow' };
  const attributes = {
    ...versions,
    model_config: asciiJson(writeLegacyConfig(chain)),
    [METADATA_KEY]: asciiJson(writeMetadata(getModelMetadata(model))),
  };
  const layerNames = [chain.input.name, ...chain.layers.map(({ name }) => name)];
  const groups: [string, GroupToWrite][] = chain.layers.map((layer) => [layer.name, legacyGroup(layer)]);
  const weights: GroupToWrite = {
    attributes: { ...versions, ...nameLists('layer_names', layerNames) },
    members: new Map([[chain.input.name, { attributes: { weight_names: [] } }], ...groups]),
  };
  return writeHdf5({ attributes, members: new Map([['model_weights', weights]]) });
}

/** `layers/conv2d_1/vars/0`: layers by class and number, weights by number. Keras 3.0 wants `vars` of the model, too. */
function checkpointGroup({ input, layers }: ChainToWrite): GroupToWrite {
  const counts = new Map<string, number>();
  const first = { name: input.name, className: 'InputLayer', weights: new Map<string, Values>() };
  const groups = [first, ...layers].map(({ name, className, weights }): [string, GroupToWrite] => {
    const kind = snakeCase(className);
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    const members = new Map([...weights.values()].map((values, i) => [String(i), values]));
    return [count === 0 ? kind : `${kind}_${count}`, groupOf('vars', { attributes: { name }, members })];
  });
  const members = { layers: { members: new Map(groups) }, vars: {} };
  return { members: new Map<string, GroupToWrite>(Object.entries(members)) };
}

/** `conv1/conv1/kernel:0`: in the group of a layer the weight with TensorFlow's name. */
function legacyGroup({ name, weights }: LayerToWrite): GroupToWrite {
  const members = new Map<string, Values>([...weights].map(([role, values]) => [`${role}:0`, values]));
  const names = [...members.keys()].map((weight) => `${name}/${weight}`);
  return { attributes: { weight_names: names }, ...(members.size > 0 && groupOf(name, { members })) };
}

function groupOf(name: string, member: GroupToWrite): GroupToWrite {
  return { members: new Map([[name, member]]) };
}

/** A list of names as one attribute or, where it is long, as `name0`, `name1`..., as Keras splits it. */
function nameLists(attribute: string, names: readonly string[]): Record<string, readonly string[]> {
  const longest = Math.max(...names.map((name) => utf8(name).length));
  const size = Math.floor(LONGEST_LIST / longest);
  if (names.length <= size) return { [attribute]: names };
  const lists = Array.from({ length: Math.ceil(names.length / size) }, (_, i) => names.slice(i * size, (i + 1) * size));
  return Object.fromEntries(lists.map((list, i) => [`${attribute}${i}`, list]));
}

function encodeJson(value: unknown): Uint8Array {
  return utf8(asciiJson(value));
}

/** As Python's json.dumps writes it: strings of HDF5 have no encoding that all versions of h5py agree on. */
function asciiJson(value: unknown): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, escaped);
}
