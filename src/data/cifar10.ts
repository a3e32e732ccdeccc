import { platform } from '#platform';
import { check, checkOptions, fail } from '../errors';
import { addressOf } from '../platform/address';
import { cachedDownload, cacheNameOf, type LoadProgress } from '../platform/cachedDownload';
import { countBytes, download, verifyBytes } from '../platform/download';
import type { ByteStream } from '../platform/platform';
import { readCifar10Archive } from './cifar10Archive';
import {
  CIFAR_10,
  CIFAR_10_FILES,
  CIFAR_10_FOLDER,
  type Cifar10,
  type Cifar10Release,
  checkComplete,
  checkFileSize,
  createCifar10Assembler,
} from './cifar10Format';

const CACHE_NAME = 'cifar-10-binary.tar.gz';

export type { LoadProgress };

/** Options for {@link loadCifar10}. */
export interface LoadCifar10Options {
  /**
   * A folder of the six `.bin` files (or one that holds `cifar-10-batches-bin`), the path, URL or bytes of a
   * `cifar-10-binary.tar.gz`. A browser takes every string for a URL. @default the official address
   */
  source?: string | URL | Uint8Array<ArrayBuffer> | ArrayBuffer | Blob | undefined;
  /**
   * Where downloads are kept: a folder in Node, the name of a cache in browsers. @default the cache folder of the
   * operating system, or the Cache API
   */
  cacheDir?: string | undefined;
  /** Whether an archive from the official address must have the official length and SHA-256. @default true */
  verify?: boolean | undefined;
  onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Stops the load; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** What downloads. @default globalThis.fetch */
  fetch?: typeof globalThis.fetch | undefined;
}

/**
 * Loads CIFAR-10, 50,000 pictures to train and 10,000 to test, `[N,32,32,3]`; a download is kept and checked again
 * whenever it is used.
 *
 * @throws {MobilenetError} `invalid-data` where the files are not CIFAR-10, `download-failed`, `file-system`; the signal's
 * reason where it was aborted.
 * @see https://www.cs.toronto.edu/~kriz/cifar.html
 * @example
 * ```ts
 * const { train, test } = await loadCifar10({ onProgress: ({ phase, loaded }) => console.log(phase, loaded) });
 * console.log(train.size, test.size); // 50000 10000
 * ```
 */
export async function loadCifar10(options: LoadCifar10Options = {}): Promise<Cifar10> {
  checkOptions('loadCifar10', options, LOAD_OPTIONS);
  return loadRelease(CIFAR_10, options);
}

const LOAD_OPTIONS = {
  source: 'any',
  cacheDir: 'string',
  verify: 'boolean',
  onProgress: 'function',
  signal: 'signal',
  fetch: 'function',
} as const;

/** {@link loadCifar10} for files of another address, checksum and number of records; for tests. */
export async function loadRelease(release: Cifar10Release, options: LoadCifar10Options): Promise<Cifar10> {
  const { source = release.url, signal } = options;
  signal?.throwIfAborted();
  const { onProgress = () => {} } = options;
  const failed: unknown[] = [];
  const load: Load = {
    ...options,
    release,
    failed,
    onProgress(progress) {
      try {
        onProgress(progress);
      } catch (error) {
        failed.push(error);
        throw error;
      }
    },
  };
  if (source instanceof Uint8Array) return loadBytes(load, source);
  if (source instanceof ArrayBuffer) return loadBytes(load, new Uint8Array(source));
  if (source instanceof Blob) return readArchive(load, 'the blob', source.stream() as ByteStream, source.size);
  check(typeof source === 'string' || source instanceof URL, {
    where: 'loadCifar10',
    expected: 'source to be a path, a URL or bytes',
    received: Object.prototype.toString.call(source),
  });
  const url = addressOf('loadCifar10', String(source));
  return url === undefined ? loadPath(load, String(source)) : loadUrl(load, url);
}

/** `failed`: what `onProgress` threw, which says nothing about the file that it was called for. */
type Load = Omit<LoadCifar10Options, 'source'> & { release: Cifar10Release; failed: unknown[] };

function loadBytes(load: Load, bytes: Uint8Array<ArrayBuffer>): Promise<Cifar10> {
  return readArchive(load, 'the bytes', new Blob([bytes]).stream() as ByteStream, bytes.length);
}

async function loadPath(load: Load, path: string): Promise<Cifar10> {
  const names = await platform.listFolder(path);
  if (names?.includes(CIFAR_10_FOLDER) && !CIFAR_10_FILES.some((file) => names.includes(file))) {
    return loadPath(load, `${path.replace(/\/$/, '')}/${CIFAR_10_FOLDER}`);
  }
  if (names !== undefined) return loadFolder(load, path, names);
  const size = await platform.fileSize(path);
  if (size === undefined) {
    fail({
      code: 'file-system',
      where: 'loadCifar10',
      expected: 'a folder of CIFAR-10 .bin files or a cifar-10-binary.tar.gz',
      received: `${path}, where there is nothing`,
      remedy: 'Check that the path is right.',
    });
  }
  return readArchive(load, path, await platform.streamFile(path), size);
}

async function loadFolder(load: Load, folder: string, names: readonly string[]): Promise<Cifar10> {
  const missing = CIFAR_10_FILES.filter((file) => !names.includes(file));
  checkComplete(folder, missing);
  const { release, signal, onProgress } = load;
  const assembler = createCifar10Assembler(release.recordsPerFile);
  const paths = CIFAR_10_FILES.map((file) => `${folder.replace(/\/$/, '')}/${file}`);
  for (const path of paths) checkFileSize(path, (await platform.fileSize(path)) ?? 0, assembler.fileBytes);
  for (const [i, path] of paths.entries()) {
    const bytes = await platform.readFile(path);
    signal?.throwIfAborted();
    assembler.add(CIFAR_10_FILES[i]!, bytes, path);
    const total = paths.length * assembler.fileBytes;
    onProgress?.({ phase: 'read', loaded: (i + 1) * assembler.fileBytes, total });
  }
  return assembler.finish(folder);
}

function loadUrl(load: Load, url: string): Promise<Cifar10> {
  return cachedDownload({
    url,
    name: async () => (url === load.release.url ? CACHE_NAME : cacheNameOf(url, CACHE_NAME)),
    cacheDir: load.cacheDir,
    download: () => verified(load, url, () => downloadArchive(load, url)),
    read: async (bytes, from) =>
      from === 'download'
        ? unpack(load, url, bytes)
        : readArchive(load, url, await verified(load, url, async () => bytes), checksumOf(load, url)?.size),
  });
}

function downloadArchive({ fetch, signal, onProgress }: Load, url: string): Promise<ByteStream> {
  return download(url, {
    fetch,
    signal,
    onProgress: (loaded, total) => onProgress?.({ phase: 'download', loaded, total }),
  });
}

async function verified(load: Load, url: string, open: () => Promise<ByteStream>): Promise<ByteStream> {
  const checksum = checksumOf(load, url);
  // Before anything is downloaded, for an insecure page cannot verify it.
  const verifier = checksum && (await verifyBytes(url, checksum));
  const bytes = await open();
  return verifier ? bytes.pipeThrough(verifier) : bytes;
}

/** Copies elsewhere may be packed in another way; they are judged by their content alone. */
function checksumOf({ release, verify = true }: Load, url: string) {
  return verify && url === release.url ? release.archive : undefined;
}

function readArchive(load: Load, where: string, bytes: ByteStream, total: number | undefined): Promise<Cifar10> {
  const counted = bytes.pipeThrough(
    countBytes((loaded) => load.onProgress?.({ phase: 'read', loaded, total })),
    load.signal ? { signal: load.signal } : {},
  );
  return unpack(load, where, counted);
}

async function unpack({ release, signal, failed }: Load, where: string, bytes: ByteStream): Promise<Cifar10> {
  try {
    return await readCifar10Archive(bytes, { ...release, where, signal });
  } catch (error) {
    throw failed.length > 0 ? failed[0] : error;
  }
}
