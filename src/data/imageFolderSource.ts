import { platform } from '#platform';
import { check, fail } from '../errors';
import { readBlob } from './readBlob';

/**
 * A folder of pictures: its path or `file:` URL in Node; or its files, as `<input type="file" webkitdirectory>` gives
 * them. The place of a `File` is its `webkitRelativePath` without the chosen folder, or else its name, such as `cats/1.jpg`.
 */
export type ImageFolderSource = string | URL | Iterable<File>;

/** A folder, wherever its files are; paths in it have '/' between names. */
export interface PictureFolder {
  /** The paths of the pictures in each of its sub-folders, at any depth, in no certain order; hidden ones left out. */
  subFolders(signal?: AbortSignal): Promise<Map<string, string[]>>;
  has(path: string): Promise<boolean>;
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
}

const WHERE = 'loadImageFolder';

/** Throws `invalid-argument` for what can be no folder, `file-system` where there is none. */
export async function openImageFolder(source: ImageFolderSource): Promise<PictureFolder> {
  if (typeof source === 'string' || source instanceof URL) {
    check(platform.name === 'node', {
      where: WHERE,
      expected: 'files, as this is a browser',
      received: String(source),
      remedy: 'Pass the files of an <input type="file" webkitdirectory>, or the File objects of a drop.',
    });
    return folderOnDisk(String(source));
  }
  check(typeof source === 'object' && source !== null && Symbol.iterator in source, {
    where: WHERE,
    expected: 'the path of a folder, or its files',
    received: Object.prototype.toString.call(source),
  });
  return folderOfFiles([...source]);
}

async function folderOnDisk(root: string): Promise<PictureFolder> {
  const namesInRoot = (await platform.listFolder(root)) ?? refuseMissing(root);
  const place = (path: string) => joinPath(root, path);
  return {
    async subFolders(signal) {
      const candidates = namesInRoot.filter((name) => isVisible(name) && !isPicture(name));
      const above = [await platform.realPath(root)];
      const pictures = await Promise.all(candidates.map((path) => picturesBelow(root, path, above, signal)));
      const found = new Map<string, string[]>();
      candidates.forEach((name, i) => {
        if (pictures[i] !== undefined) found.set(name, pictures[i]);
      });
      return found;
    },
    has: async (path) => (await platform.fileSize(place(path))) !== undefined,
    read: (path) => platform.readFile(place(path)),
  };
}

/**
 * Undefined where the path is no folder. Symbolic links are followed, but for those that lead up: two of them would make
 * more paths than can be listed.
 *
 * @param above the real paths of the folders that it is in
 */
async function picturesBelow(
  root: string,
  path: string,
  above: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[] | undefined> {
  signal?.throwIfAborted();
  const place = joinPath(root, path);
  const names = await platform.listFolder(place);
  if (names === undefined) return undefined;
  const real = await platform.realPath(place);
  if (above.includes(real)) refuseCircle(place, real);
  const parts = names.filter(isVisible).map(async (name) => {
    const inner = `${path}/${name}`;
    return isPicture(name) ? [inner] : ((await picturesBelow(root, inner, [...above, real], signal)) ?? []);
  });
  return (await Promise.all(parts)).flat();
}

function folderOfFiles(files: readonly File[]): PictureFolder {
  const isFile = (file: unknown) => file instanceof Blob && typeof (file as Partial<File>).name === 'string';
  const stranger = files.find((file) => !isFile(file));
  check(stranger === undefined, {
    where: WHERE,
    expected: 'File objects',
    received: Object.prototype.toString.call(stranger),
  });
  const byPath = new Map<string, File>();
  const paths = pathsOf(files);
  files.forEach((file, i) => {
    const path = paths[i]!;
    check(!byPath.has(path), { where: WHERE, expected: 'every file once', received: `${path} twice` });
    byPath.set(path, file);
  });
  return {
    async subFolders() {
      const found = new Map<string, string[]>();
      for (const path of paths) {
        const names = path.split('/');
        if (names.length === 1 || !names.every(isVisible)) continue;
        const pictures = found.get(names[0]!) ?? [];
        found.set(names[0]!, pictures);
        if (isPicture(path)) pictures.push(path);
      }
      return found;
    },
    has: async (path) => byPath.has(path),
    read: (path) => readBlob(byPath.get(path)!, path),
  };
}

/** The files' places below the folder that they share; that folder's own name is no part of them. */
function pathsOf(files: readonly File[]): string[] {
  const chosen = files.map(({ webkitRelativePath: path }) => path || undefined);
  const [first] = chosen;
  const root = first?.slice(0, first.indexOf('/') + 1);
  const shared = root && chosen.every((path) => path?.startsWith(root));
  return files.map(({ name }, i) => (shared ? chosen[i]!.slice(root.length) : (chosen[i] ?? name)));
}

/** Neither hidden nor what macOS puts beside the files of an archive. */
function isVisible(name: string): boolean {
  return !name.startsWith('.') && name !== '__MACOSX';
}

/** What pictures' names end in; `sharp`, which decodes them in Node, knows no BMP. */
export function pictureEndings(): string[] {
  return ['.jpg', '.jpeg', '.png', '.webp', '.gif', ...(platform.name === 'browser' ? ['.bmp'] : [])];
}

function isPicture(name: string): boolean {
  return pictureEndings().some((ending) => name.toLowerCase().endsWith(ending));
}

/** In a `file:` URL names are encoded. */
function joinPath(root: string, path: string): string {
  const names = root.startsWith('file:') ? path.split('/').map(encodeURIComponent).join('/') : path;
  return `${root.replace(/\/$/, '')}/${names}`;
}

function refuseCircle(place: string, real: string): never {
  fail({
    code: 'file-system',
    where: place,
    expected: 'links that lead in no circle',
    received: `one to ${real}, which it is in`,
    remedy: 'Remove the link.',
  });
}

function refuseMissing(root: string): never {
  fail({
    code: 'file-system',
    where: WHERE,
    expected: 'a folder with one sub-folder for each class',
    received: `${root}, where there is no folder`,
    remedy: 'Check that the path is right.',
  });
}
