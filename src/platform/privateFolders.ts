import { fail, MobilenetError } from '../errors';
import type { FolderStore } from './platform';

/**
 * Folders in the origin private file system. It has no rename, and so a folder that is being written or removed has an
 * empty file of its name and this beside it: the folder does not count while that is there.
 */
const MARK = '.tmp';

/** The browser's twin of what Node does on the disk. */
export const privateFolders: FolderStore = {
  list: (path) =>
    attempt(path, async () => {
      const folder = await openFolder(path);
      const names = folder && (await namesIn(folder));
      return names?.filter((name) => !name.endsWith(MARK) && !names.includes(name + MARK));
    }),

  read: (path) =>
    attempt(path, async () => {
      const [parent, name] = await openParent(path);
      const handle = parent && (await orUndefined(parent.getFileHandle(name)));
      return handle && new Uint8Array(await (await handle.getFile()).arrayBuffer());
    }),

  create: (path, files) =>
    attempt(path, async () => {
      const [parent, name] = await openParent(path, { create: true });
      if (await orUndefined(parent.getDirectoryHandle(name))) throw new Error('a folder that is there already');
      await parent.getFileHandle(name + MARK, { create: true });
      try {
        const folder = await parent.getDirectoryHandle(name, { create: true });
        for (const [file, content] of files) await writeFile(folder, file, content);
      } catch (error) {
        await removeMarked(parent, name).catch(() => {});
        throw error;
      }
      await parent.removeEntry(name + MARK);
    }),

  remove: (path) =>
    attempt(path, async () => {
      const [parent, name] = await openParent(path);
      if (!parent || !(await orUndefined(parent.getDirectoryHandle(name)))) return;
      await parent.getFileHandle(name + MARK, { create: true });
      await removeMarked(parent, name);
    }),

  isSame: (a, b) => partsOf(a).join('/') === partsOf(b).join('/'),

  sweep: (path, prefix) =>
    attempt(path, async () => {
      const folder = await openFolder(path);
      for (const name of folder ? await namesIn(folder) : []) {
        if (name.startsWith(prefix) && name.endsWith(MARK)) await removeMarked(folder!, name.slice(0, -MARK.length));
      }
    }),
};

/** The mark goes last. */
async function removeMarked(parent: FileSystemDirectoryHandle, name: string): Promise<void> {
  await orUndefined(parent.removeEntry(name, { recursive: true }));
  await parent.removeEntry(name + MARK);
}

/** What is written becomes the file when it is closed. */
async function writeFile(folder: FileSystemDirectoryHandle, name: string, content: Uint8Array<ArrayBuffer> | string) {
  const handle = await folder.getFileHandle(name, { create: true });
  if (handle.createWritable === undefined) refuseBrowser('one without createWritable');
  const file = await handle.createWritable();
  await file.write(content);
  await file.close();
}

async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  return names.sort();
}

interface OpenOptions {
  create?: boolean;
}

async function openParent(path: string, options: { create: true }): Promise<[FileSystemDirectoryHandle, string]>;
async function openParent(path: string): Promise<[FileSystemDirectoryHandle | undefined, string]>;
async function openParent(path: string, options?: OpenOptions) {
  const parts = partsOf(path);
  return [await openFolder(parts.slice(0, -1).join('/'), options), parts.at(-1) ?? ''];
}

async function openFolder(path: string, options?: OpenOptions): Promise<FileSystemDirectoryHandle | undefined> {
  const storage = globalThis.navigator?.storage;
  if (storage?.getDirectory === undefined) refuseBrowser('one without it, or an insecure page');
  let folder: FileSystemDirectoryHandle | undefined = await storage.getDirectory();
  for (const name of partsOf(path)) {
    const next: Promise<FileSystemDirectoryHandle> | undefined = folder?.getDirectoryHandle(name, options);
    folder = options?.create ? await next : await orUndefined(next);
  }
  return folder;
}

const partsOf = (path: string) => path.split('/').filter((part) => part !== '' && part !== '.');

/** The promise's value, or undefined where the reason of failure is that there is no such file (or folder). */
async function orUndefined<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (['NotFoundError', 'TypeMismatchError'].includes((error as DOMException).name)) return undefined;
    throw error;
  }
}

async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof MobilenetError) throw error;
    const isFull = (error as DOMException).name === 'QuotaExceededError';
    fail({
      code: 'file-system',
      where: path,
      expected: 'room and permission in the origin private file system of this page',
      received: (error as Error).message.replace(/\.$/, ''),
      remedy: isFull
        ? "Free some of the browser's storage."
        : 'Check the path, and what the browser lets this page store.',
      cause: error,
    });
  }
}

function refuseBrowser(received: string): never {
  fail({
    code: 'file-system',
    where: 'checkpoint',
    expected: 'a browser with a writable origin private file system',
    received,
    remedy: 'Serve the page over https or from localhost, for a current browser, or train without checkpoints.',
  });
}
