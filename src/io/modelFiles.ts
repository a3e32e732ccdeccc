import { platform } from '#platform';
import { fail } from '../errors';
import { downloadBytes } from '../platform/download';
import { refuse } from './refuse';

/** The files of one model, wherever they are. */
export interface ModelFiles {
  /** Address of the `model.json`. */
  readonly json: string;
  /** Address of a file that the manifest names by a path relative to the `model.json`. */
  locate(path: string): string;
  /** The bytes at an address. */
  read(address: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** A folder, or the path of the JSON file in it. */
export async function folderFiles(path: string): Promise<ModelFiles> {
  const names = await platform.listFolder(path);
  if (names !== undefined && !names.includes('model.json')) refuseFolder(path, `a folder of ${listed(names)}`);
  if (names === undefined && (await platform.fileSize(path)) === undefined) refuseFolder(path, 'no such path');
  const folder = names === undefined ? path.replace(/[^\\/]*$/, '') : path.replace(/[\\/]*$/, '/');
  return {
    json: names === undefined ? path : `${folder}model.json`,
    locate: (file) => folder + file,
    async read(address) {
      if ((await platform.fileSize(address)) === undefined) refuseMissing(address);
      return platform.readFile(address);
    },
  };
}

/**
 * A `model.json` on a server, and its shards beside it. A query (a token, a version) goes with every request.
 *
 * In place of tfjs's http handler, which takes a server's 404 page for weights and cannot tell which shard is damaged.
 */
export function httpFiles(
  url: string,
  options: { fetch?: typeof globalThis.fetch; signal?: AbortSignal } = {},
): ModelFiles {
  return {
    json: url,
    locate(path) {
      const address = new URL(path, url);
      address.search = new URL(url).search;
      return address.href;
    },
    read: (address) => downloadBytes(address, options),
  };
}

/** Files that the user picked or dropped, in any order; their folders are not known, so names alone must do. */
export function pickedFiles(files: ArrayLike<File>): ModelFiles {
  const byName = new Map(Array.from(files, (file) => [file.name, file]));
  // Beside it may lie others: Teachable Machine adds a metadata.json.
  const json = byName.get('model.json') ?? [...byName.values()].find(({ name }) => name.endsWith('.json'));
  if (json === undefined) {
    refuse('loadModel', 'a model.json among the files', listed([...byName.keys()]), 'Pick it with its shards.');
  }
  return {
    json: json.name,
    locate: (path) => path.slice(path.lastIndexOf('/') + 1),
    async read(address) {
      const file = byName.get(address) ?? refuseMissing(address);
      return new Uint8Array(await file.arrayBuffer());
    },
  };
}

function refuseFolder(path: string, received: string): never {
  fail({
    code: 'file-system',
    where: path,
    expected: 'a folder with a model.json, or the path of a model.json',
    received,
    remedy: 'Check the path; saveModel writes such a folder.',
  });
}

function refuseMissing(address: string): never {
  fail({
    code: 'file-system',
    where: address,
    expected: 'a file of weights, which model.json names',
    received: 'no such file',
    remedy: 'Bring all files of the model: model.json and each shard.',
  });
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'no files';
  return names.length > 4 ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more` : names.join(', ');
}
