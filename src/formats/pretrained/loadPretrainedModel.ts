import type { LayersModel } from '@tensorflow/tfjs-layers';
import { refuse } from '../../io/refuse';
import { type ModelMetadata, setModelMetadata } from '../../model/metadata';
import { mobilenetV1 } from '../../model/mobilenetV1';
import type { MobilenetV1Options } from '../../model/options';
import { cachedDownload, cacheNameOf, type LoadProgress } from '../../platform/cachedDownload';
import { loadWeightFile } from '../loadWeightFile';
import { downloadFiles, readLocalFiles } from './gatherFiles';
import { type PretrainedNetwork, type PublishedChecksum, pretrainedFamilies } from './pretrainedNetworks';
import { publishedSha256 } from './publishedSha256';
import { byteCountOf, digestOf, packFiles, unpackFiles, type WeightFiles, weightFileOf } from './weightFiles';

/** Where a user has the file, in the place of its public address: an absolute address or a path. */
export type PretrainedPlace = { readonly url: string } | { readonly path: string };

/** What `loadPretrained` was asked for, with its defaults filled in. */
export interface PretrainedSettings
  extends Pick<MobilenetV1Options, 'pooling' | 'dropout' | 'classifierActivation' | 'seed'> {
  readonly network: PretrainedNetwork;
  readonly includeTop: boolean;
  readonly classes: number;
  readonly place: PretrainedPlace | undefined;
  readonly cacheDir?: string;
  readonly verify: boolean | string;
  readonly onDigest?: (sha256: string) => void;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
  readonly fetch?: typeof globalThis.fetch;
}

const IMAGENET_CLASSES = 1000;

/** The network with its weights and metadata; where that fails, no tensor stays behind. */
export async function loadPretrainedModel(settings: PretrainedSettings): Promise<LayersModel> {
  const model = buildNetwork(settings);
  try {
    const digest = await loadInto(model, settings);
    settings.signal?.throwIfAborted();
    setModelMetadata(model, await metadataOf(settings));
    settings.onDigest?.(digest);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

function buildNetwork({ network, ...settings }: PretrainedSettings): LayersModel {
  const { source, alpha, resolution } = network;
  const { padding, batchNormEpsilon } = pretrainedFamilies[source];
  const { includeTop, classes, pooling, dropout, classifierActivation, seed } = settings;
  return mobilenetV1({
    alpha,
    inputShape: [resolution, resolution, 3],
    padding,
    batchNormEpsilon,
    includeTop,
    classes,
    ...(pooling !== undefined && { pooling }),
    ...(dropout !== undefined && { dropout }),
    ...(classifierActivation !== undefined && { classifierActivation }),
    ...(seed !== undefined && { seed }),
  });
}

async function metadataOf(settings: PretrainedSettings): Promise<ModelMetadata> {
  const { network } = settings;
  const preprocessing = pretrainedFamilies[network.source].preprocessingOf(network);
  if (!hasImageNetHead(settings)) return preprocessing;
  const { imagenetClasses } = await import('./imagenetClasses');
  return { ...preprocessing, classNames: imagenetClasses };
}

/** Sets the weights, and resolves with the digest of their file; empty where nobody asked for it. */
function loadInto(model: LayersModel, settings: PretrainedSettings): Promise<string> {
  const { network, place } = settings;
  if (place !== undefined) {
    return 'url' in place ? loadDownload(model, place, settings) : loadLocal(model, place.path, settings);
  }
  const family = pretrainedFamilies[network.source];
  const hasHead = hasImageNetHead(settings);
  const checksum = family.checksumOf?.(network, hasHead);
  return loadDownload(model, { url: family.urlOf(network, hasHead), checksum }, settings);
}

function loadDownload(
  model: LayersModel,
  { url, checksum }: { url: string; checksum?: PublishedChecksum | undefined },
  settings: PretrainedSettings,
): Promise<string> {
  const { cacheDir, verify, fetch, signal } = settings;
  return cachedDownload({
    url,
    cacheDir,
    name: () => cacheNameOf(url, 'weights.tar'),
    async download() {
      const isPublished = checksum !== undefined && verify === true;
      const sha256 = isPublished ? await publishedSha256(checksum, { fetch, signal }) : undefined;
      const files = await downloadFiles(url, { fetch, signal, onProgress: progressOf(settings, 'download') });
      const digest = await checkedDigest(url, files, settings, sha256);
      return packFiles({ files, digest: verify === false ? '' : digest });
    },
    async read(bytes, from) {
      const { files, digest } = await unpackFiles(url, bytes);
      signal?.throwIfAborted();
      if (from === 'read') progressOf(settings, 'read')(byteCountOf(files), byteCountOf(files));
      return setWeights(model, url, files, settings, digest);
    },
  });
}

async function loadLocal(model: LayersModel, path: string, settings: PretrainedSettings): Promise<string> {
  const { signal } = settings;
  const files = await readLocalFiles(path, { signal, onProgress: progressOf(settings, 'read') });
  return setWeights(model, path, files, settings, undefined);
}

async function setWeights(
  model: LayersModel,
  where: string,
  files: WeightFiles,
  settings: PretrainedSettings,
  expected: string | undefined,
): Promise<string> {
  const digest = await checkedDigest(where, files, settings, expected);
  const head = hasImageNetHead(settings) ? 'load' : 'skip';
  await loadWeightFile(model, weightFileOf(where, files), { head });
  return digest;
}

/** The digest of the files, checked against the one that the user gave, else against `expected`, where there is one. */
async function checkedDigest(
  where: string,
  files: WeightFiles,
  { verify, onDigest }: PretrainedSettings,
  expected: string | undefined,
): Promise<string> {
  if (verify === false && onDigest === undefined) return '';
  const digest = await digestOf(files);
  const wanted = verify === true ? expected : verify;
  if (wanted !== undefined && wanted !== false && wanted !== digest) {
    const remedy = 'The file is damaged or another one: get it again, or pass { verify: false } if you trust it.';
    refuse(where, `SHA-256 ${wanted}`, digest, remedy);
  }
  return digest;
}

function hasImageNetHead({ includeTop, classes }: PretrainedSettings): boolean {
  return includeTop && classes === IMAGENET_CLASSES;
}

function progressOf({ onProgress }: PretrainedSettings, phase: LoadProgress['phase']) {
  return (loaded: number, total: number | undefined) => onProgress?.({ phase, loaded, total });
}
