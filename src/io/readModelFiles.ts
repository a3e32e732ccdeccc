import { type CheckedArtifacts, checkHeader, isObject, sum, type WeightSpec, weightBytes } from './checkArtifacts';
import { joinBytes } from './joinBytes';
import type { ModelFiles } from './modelFiles';
import { refuse } from './refuse';

/** The weights of a model: what the manifest says of each, and their bytes, one behind the other. */
export type ManifestWeights = Pick<CheckedArtifacts, 'weightSpecs' | 'weightData'>;

/** One group of the manifest: weights that lie one behind the other in a row of files, the shards. */
interface WeightGroup {
  weights: WeightSpec[];
  addresses: string[];
  bytes: number;
}

/**
 * Reads a model in the tfjs layers format: a `model.json`, and the shards that its manifest names.
 *
 * @param onProgress Called with the fraction of shards that have been read, 0 to 1.
 * @throws {MobilenetError} `invalid-data`, and what reading the files throws.
 */
export async function readModelFiles(
  files: ModelFiles,
  onProgress?: (fraction: number) => void,
): Promise<CheckedArtifacts> {
  const json = parseJson(files.json, await files.read(files.json));
  const header = checkHeader(files.json, json);
  return { where: files.json, ...header, ...(await readManifest(files, json.weightsManifest, onProgress)) };
}

/**
 * Reads the shards that a manifest names.
 *
 * @param onProgress Called with the fraction of shards that have been read, 0 to 1.
 * @throws {MobilenetError} `invalid-data`, and what reading the files throws.
 */
export async function readManifest(
  files: ModelFiles,
  manifest: unknown,
  onProgress?: (fraction: number) => void,
): Promise<ManifestWeights> {
  const groups = checkManifest(files, manifest);
  const total = groups.flatMap(({ addresses }) => addresses).length;
  let done = 0;
  const readShard = async (address: string) => {
    const bytes = await files.read(address);
    onProgress?.(++done / total);
    return bytes;
  };
  const readGroup = async (group: WeightGroup) => {
    const shards = await Promise.all(group.addresses.map(readShard));
    checkSizes(files.json, group, shards);
    return shards;
  };
  return {
    weightSpecs: groups.flatMap(({ weights }) => weights),
    weightData: joinBytes((await Promise.all(groups.map(readGroup))).flat()),
  };
}

/** The object that a `model.json` holds. */
export function parseJson(where: string, bytes: Uint8Array): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    refuse(where, 'JSON', (error as Error).message, 'This must be the model.json of a tfjs model.', error);
  }
  if (!isObject(json)) refuse(where, 'a JSON object', Array.isArray(json) ? 'a list' : String(json));
  return json;
}

function checkManifest(files: ModelFiles, manifest: unknown): WeightGroup[] {
  if (!Array.isArray(manifest)) refuse(files.json, 'a weightsManifest', manifest, 'Save the model with its weights.');
  const groups = manifest.map((group): WeightGroup => {
    if (!isObject(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
      refuse(files.json, 'paths and weights in each group of the weightsManifest', group);
    }
    return {
      weights: group.weights,
      addresses: group.paths.map((path) => files.locate(checkPath(files.json, path))),
      bytes: sum(group.weights.map((spec) => weightBytes(files.json, spec))),
    };
  });
  const addresses = groups.flatMap((group) => group.addresses);
  // A short manifest could else make much memory of one file.
  const seen = new Set<string>();
  for (const address of addresses) {
    if (seen.has(address)) refuse(files.json, 'each file once in the weightsManifest', `${address} twice`);
    seen.add(address);
  }
  return groups;
}

/** A manifest may only name files beside it or below it, on any operating system. */
export function checkPath(where: string, path: unknown): string {
  const climbs = typeof path !== 'string' || path === '' || /^[\\/]|^[a-z][a-z0-9+.-]*:|\0/i.test(path);
  if (climbs || path.split(/[\\/]/).includes('..')) {
    refuse(where, 'relative paths that stay in the folder', path, 'Do not load this model: no tool writes such paths.');
  }
  return path;
}

function checkSizes(where: string, { weights, addresses, bytes }: WeightGroup, shards: Uint8Array[]): void {
  const sizes = shards.map(({ byteLength }) => byteLength);
  if (sum(sizes) === bytes) return;
  refuse(
    where,
    `${bytes} bytes for the ${weights.length} weights from ${weights[0]?.name} on`,
    `${sum(sizes)} bytes: ${addresses.map((address, i) => `${address} has ${sizes[i]}`).join(', ')}`,
    'A file is damaged or from another model: copy or save the model anew.',
  );
}
