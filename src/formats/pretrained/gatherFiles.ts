import { inParallel } from '../../data/inParallel';
import { isObject, sum, weightBytes } from '../../io/checkArtifacts';
import { httpFiles, type ModelFiles } from '../../io/modelFiles';
import { checkPath, parseJson } from '../../io/readModelFiles';
import { refuse } from '../../io/refuse';
import { type DownloadOptions, downloadBytes } from '../../platform/download';
import { detectFormat } from '../detectFormat';
import { localFiles } from '../localFiles';
import { type Bytes, byteCountOf, type WeightFiles } from './weightFiles';

/** Far above the largest of these networks; what is larger is something else. */
const MAX_BYTES = 2 ** 28;

/** As many as browsers load at a time from one server. */
const CONNECTIONS = 6;

/** The files of one network on a server; `onProgress` counts all of them together. */
export async function downloadFiles(url: string, options: DownloadOptions): Promise<WeightFiles> {
  const { fetch, signal, onProgress } = options;
  let loaded = 0;
  let total: number | undefined;
  const read = async (address: string): Promise<Bytes> => {
    let before = 0;
    const count = (now: number, length: number | undefined) => {
      loaded += now - before;
      before = now;
      if (loaded > MAX_BYTES) refuse(address, `at most ${MAX_BYTES} bytes of weights`, 'more', TOO_LARGE);
      if (address === url) total = length;
      onProgress?.(loaded, total);
    };
    return downloadBytes(address, { fetch, signal, onProgress: count });
  };
  return gather({ ...httpFiles(url), read }, (bytes) => {
    total = bytes;
  });
}

const TOO_LARGE = 'Check that the address is right.';

/** Those of a folder with a `model.json`, or of the path of any file of weights; `onProgress` is called at the end. */
export async function readLocalFiles(
  path: string,
  { signal, onProgress }: Pick<DownloadOptions, 'signal' | 'onProgress'>,
): Promise<WeightFiles> {
  const files = await gather(await localFiles(path));
  signal?.throwIfAborted();
  onProgress?.(byteCountOf(files), byteCountOf(files));
  return files;
}

/** @param onTotal Called with the number of bytes of all files once it is known. */
async function gather(files: ModelFiles, onTotal?: (bytes: number) => void): Promise<WeightFiles> {
  const main = await files.read(files.json);
  const { paths, shardBytes } = readManifest(files.json, main);
  onTotal?.(main.length + shardBytes);
  const shards: Bytes[] = [];
  await inParallel(paths.length, CONNECTIONS, async (i) => {
    shards[i] = await files.read(files.locate(paths[i]!));
  });
  return { main, shards: new Map(paths.map((path, i) => [path, shards[i]!])) };
}

interface Manifest {
  paths: string[];
  shardBytes: number;
}

/** The shards of a `model.json`; none for any other file. What else is wrong with it, its reader says. */
function readManifest(where: string, main: Bytes): Manifest {
  const isJson = detectFormat(main)?.startsWith('tfjs');
  const manifest = isJson ? parseJson(where, main).weightsManifest : undefined;
  if (!Array.isArray(manifest)) return { paths: [], shardBytes: 0 };
  const paths = new Set<string>();
  let shardBytes = 0;
  for (const group of manifest) {
    if (!isObject(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
      refuse(where, 'paths and weights in each group of the weightsManifest', group);
    }
    for (const path of group.paths) paths.add(checkPath(where, path));
    shardBytes += sum(group.weights.map((spec) => weightBytes(where, spec)));
  }
  return { paths: [...paths], shardBytes };
}
