import { platform } from '#platform';
import { MobilenetError } from '../errors';
import type { ByteStream } from './platform';

/** How far a load is. */
export interface LoadProgress {
  /** `download` from the network, then `read` from the cache; a local source is only read. */
  phase: 'download' | 'read';
  /** Bytes so far. */
  loaded: number;
  /** Bytes in the end, where that is known. */
  total?: number | undefined;
}

/** What {@link cachedDownload} fetches, and what it makes of it. */
export interface CachedDownload<Content> {
  url: string;
  /** Of its entry in the cache; asked for only where there is one, as a digest needs a secure page too. */
  name(): Promise<string>;
  /** The folder (in Node), or the name of the cache (in browsers). @default the platform's own */
  cacheDir?: string | undefined;
  /** The bytes to be kept, as far as they can be checked on their way. */
  download(): Promise<ByteStream>;
  /** Throws `invalid-data` where the bytes are not what they should be. */
  read(bytes: ByteStream, from: LoadProgress['phase']): Promise<Content>;
}

/**
 * What `read` makes of the cache's bytes; where there are none, or wrong ones, which are thrown away, they are downloaded
 * and kept first. Nothing that `read` refuses stays in the cache, nor a part of a download.
 *
 * @throws what `download`, `read` and the cache throw.
 */
export async function cachedDownload<Content>(entry: CachedDownload<Content>): Promise<Content> {
  const { url, cacheDir } = entry;
  const readDownload = async () => entry.read(await entry.download(), 'download');
  // An address of the page's own memory (blob:, data:) may mean something else tomorrow.
  if (!url.startsWith('http') || !(await platform.canCache())) return readDownload();
  const name = await entry.name();
  const cached = await readCached(entry, name).catch((error) => {
    if (!isInvalidData(error)) throw error;
  });
  if (cached) return cached.content;
  await platform.writeCache(name, await entry.download(), cacheDir);
  // A browser may have thrown it out again already.
  return ((await readCached(entry, name)) ?? { content: await readDownload() }).content;
}

/** What is in the cache, or undefined; what turns out to be wrong is deleted. */
async function readCached<Content>(
  { read, cacheDir }: CachedDownload<Content>,
  name: string,
): Promise<{ content: Content } | undefined> {
  const bytes = await platform.readCache(name, cacheDir);
  if (bytes === undefined) return undefined;
  try {
    return { content: await read(bytes, 'read') };
  } catch (error) {
    if (isInvalidData(error)) await platform.deleteCache(name, cacheDir);
    throw error;
  }
}

/** A name for what an address leads to, and for nothing else; it ends in `ending`. */
export async function cacheNameOf(url: string, ending: string): Promise<string> {
  const sha256 = await platform.createSha256();
  sha256.update(new TextEncoder().encode(url));
  return `${await sha256.digest()}-${ending}`;
}

function isInvalidData(error: unknown): boolean {
  return error instanceof MobilenetError && error.code === 'invalid-data';
}
