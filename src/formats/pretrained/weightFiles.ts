import { platform } from '#platform';
import { refuse } from '../../io/refuse';
import { readAll } from '../../platform/download';
import type { ByteStream } from '../../platform/platform';
import type { WeightFile } from '../networkWeights';

export type Bytes = Uint8Array<ArrayBuffer>;

/** A file of weights and, as tfjs models have them, its shards. */
export interface WeightFiles {
  readonly main: Bytes;
  /** By the paths by which the main file names them, in its order. */
  readonly shards: ReadonlyMap<string, Bytes>;
}

/** As readers of formats take them; they find no other file than these. */
export function weightFileOf(where: string, { main, shards }: WeightFiles): WeightFile {
  const readSibling = async (path: string) =>
    shards.get(path) ?? refuse(where, `one of its ${shards.size} shards`, path, 'Get the model anew.');
  return { bytes: main, where, readSibling };
}

/** SHA-256 of the main file, or of it and all shards one behind the other. */
export async function digestOf({ main, shards }: WeightFiles): Promise<string> {
  const sha256 = await platform.createSha256();
  for (const bytes of [main, ...shards.values()]) sha256.update(bytes);
  return sha256.digest();
}

export function byteCountOf({ main, shards }: WeightFiles): number {
  return [main, ...shards.values()].reduce((sum, { length }) => sum + length, 0);
}

/** What the cache keeps of a download. */
export interface KeptFiles {
  readonly files: WeightFiles;
  /** Of the files when they came; empty where nobody wanted them checked. */
  readonly digest: string;
}

/** As one tar archive: the digest, the main file, the shards. */
export async function packFiles({ files: { main, shards }, digest }: KeptFiles): Promise<ByteStream> {
  // modern-tar is an ES module only; import() is what a CommonJS build can reach it with.
  const { packTar } = await import('modern-tar');
  const entry = (name: string, body: Bytes) => ({
    header: { name, size: body.length, type: 'file' as const, mtime: new Date(0) },
    body,
  });
  const archive = await packTar([
    entry('sha256', new TextEncoder().encode(digest)),
    entry('weights', main),
    ...Array.from(shards, ([path, body]) => entry(`shards/${path}`, body)),
  ]);
  return new Blob([archive]).stream() as ByteStream;
}

/** @throws {MobilenetError} `invalid-data`; errors of the stream itself pass. */
export async function unpackFiles(where: string, bytes: ByteStream): Promise<KeptFiles> {
  const archive = await readAll(bytes);
  const [digest, main, ...shards] = await unpackArchive(where, archive);
  if (digest === undefined || main === undefined) refuse(where, 'a file of weights in the cache', 'none');
  return {
    files: {
      main: main.body,
      shards: new Map(shards.map(({ name, body }) => [name.slice('shards/'.length), body])),
    },
    digest: new TextDecoder().decode(digest.body),
  };
}

async function unpackArchive(where: string, archive: Bytes): Promise<{ name: string; body: Bytes }[]> {
  const { unpackTar } = await import('modern-tar');
  try {
    const entries = await unpackTar(archive, { strict: true });
    return entries.map(({ header, data = new Uint8Array() }) => ({ name: header.name, body: data }));
  } catch (error) {
    refuse(where, 'a whole tar archive in the cache', (error as Error).message, 'It is downloaded anew.', error);
  }
}
