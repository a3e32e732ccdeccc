import { readBlob } from '../data/readBlob';
import { check, fail } from '../errors';
import { httpFiles, type ModelFiles } from '../io/modelFiles';
import { checkPath } from '../io/readModelFiles';
import { refuse } from '../io/refuse';
import { isHttp, isUrl } from '../io/url';
import { downloadBytes } from '../platform/download';
import { localFiles } from './localFiles';
import type { WeightFile } from './networkWeights';

/**
 * Where weights come from: in Node a path or `file:` URL of a file, or of a folder with a `model.json`; anywhere an
 * `http(s)://` address, the bytes themselves, or files that the user picked: one, or a `model.json` and its shards.
 */
export type WeightSource = string | URL | ArrayBuffer | Uint8Array | Blob | ArrayLike<File>;

/** Options for {@link openWeightSource}. */
export interface OpenWeightSourceOptions {
  fetch?: typeof globalThis.fetch | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the fraction of the file that has been read, 0 to 1; not for a `model.json`, which is the least of it. */
  onProgress?: ((fraction: number) => void) | undefined;
}

const WHERE = 'loadWeights';

/**
 * Reads a file of weights, wherever it is.
 *
 * @throws {MobilenetError} `file-system`, `download-failed`, `invalid-argument`; the signal's reason where it was aborted
 */
export async function openWeightSource(source: WeightSource, options: OpenWeightSourceOptions): Promise<WeightFile> {
  options.signal?.throwIfAborted();
  if (source instanceof ArrayBuffer) return { where: WHERE, bytes: new Uint8Array(source) };
  if (source instanceof Uint8Array) return { where: WHERE, bytes: withoutSharing(source) };
  if (source instanceof Blob) return openBlob(source);
  if (typeof source !== 'string' && !(source instanceof URL)) return openPicked(Array.from(source));
  const place = String(source);
  if (isHttp(place)) return openAddress(place, options);
  check(!isUrl(place), { where: WHERE, expected: 'a path, or an http(s):// or file: URL', received: place });
  return openPath(place, options);
}

/** The bytes where they are, or a copy of those that another thread may change. */
function withoutSharing({ buffer, byteOffset, length }: Uint8Array): Uint8Array<ArrayBuffer> {
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer, byteOffset, length);
  return new Uint8Array(new Uint8Array(buffer, byteOffset, length));
}

async function openBlob(blob: Blob): Promise<WeightFile> {
  const where = blob instanceof File ? blob.name : WHERE;
  return { where, bytes: await readBlob(blob, where) };
}

/** One file of weights, or a `model.json` and its shards; their folders are not known, so names alone must do. */
async function openPicked(files: readonly File[]): Promise<WeightFile> {
  const names = files.map(({ name }) => name);
  const json = files.find(({ name }) => name === 'model.json') ?? files.find(({ name }) => /\.json$/i.test(name));
  const main = files.length === 1 ? files[0] : json;
  if (!main) refuse(WHERE, 'one file of weights, or a model.json and its shards', names.join(', ') || 'no files');
  const byName = new Map(files.map((file) => [file.name, file]));
  return {
    ...(await openBlob(main)),
    async readSibling(path) {
      const name = checkPath(main.name, path).replace(/^.*[\\/]/, '');
      const file = byName.get(name);
      if (file) return readBlob(file, name);
      return fail({
        code: 'file-system',
        where: name,
        expected: `a file of weights, which ${main.name} names`,
        received: 'no such file',
        remedy: 'Pick all files of the model: model.json and each shard.',
      });
    },
  };
}

async function openAddress(url: string, { fetch, signal, onProgress }: OpenWeightSourceOptions): Promise<WeightFile> {
  const isJson = new URL(url).pathname.endsWith('.json');
  const report = (loaded: number, total: number | undefined) => {
    // A server may tell a length that is not right.
    if (total) onProgress?.(Math.min(1, loaded / total));
  };
  const bytes = await downloadBytes(url, { fetch, signal, onProgress: isJson ? undefined : report });
  const files = httpFiles(url, { ...(fetch && { fetch }), ...(signal && { signal }) });
  return { where: url, bytes, readSibling: siblingsOf(files) };
}

async function openPath(path: string, { signal, onProgress }: OpenWeightSourceOptions): Promise<WeightFile> {
  const files = await localFiles(path);
  const bytes = await files.read(files.json);
  signal?.throwIfAborted();
  if (!files.json.endsWith('.json')) onProgress?.(1);
  return { where: files.json, bytes, readSibling: siblingsOf(files) };
}

function siblingsOf(files: ModelFiles): NonNullable<WeightFile['readSibling']> {
  return (path) => files.read(files.locate(checkPath(files.json, path)));
}
