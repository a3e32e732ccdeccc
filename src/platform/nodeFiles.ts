import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ByteStream } from './platform';

// Files and folders on the disk that are whole or not there, whenever a process is killed.

/** A temporary file that nobody has written to for this long belongs to a process that was killed. */
const ABANDONED_MS = 60 * 60 * 1000;

/** Of what is or is not there; Windows cannot remove at once what somebody else has open. */
const REMOVAL = { recursive: true, force: true, maxRetries: 5 };

/** The end of the name under which a folder is written or removed. */
export const TEMPORARY = /\.[0-9a-f-]{36}\.tmp$/;

/** Writes beside `path` and renames at the end, so that the name only ever stands for a whole file. */
export async function writeBeside(path: string, content: Uint8Array | string | ByteStream): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeSynced(temporary, content);
    await renameFile(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The bytes are on the disk when this returns, so that a rename after it cannot outlive them in a power cut. */
async function writeSynced(path: string, content: Uint8Array | string | ByteStream): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    if (content instanceof ReadableStream) for await (const chunk of content) await handle.writeFile(chunk);
    else await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what killed processes (Ctrl-C in a download) left beside `path`: temporary files and folders of its name. */
export async function removeAbandoned(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!TEMPORARY.test(name) || name.replace(TEMPORARY, '') !== basename(path)) continue;
    const left = join(dirname(path), name);
    const stats = await orUndefined(stat(left));
    if (stats && Date.now() - stats.mtimeMs > ABANDONED_MS) await rm(left, REMOVAL);
  }
}

/** Makes a folder, and those above it, unless it is there: Windows refuses to make the root of a drive (nodejs/node#25110). */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    if (!(await orUndefined(stat(folder)))?.isDirectory()) throw error;
  }
}

export async function createFolder(folder: string, files: ReadonlyMap<string, Uint8Array | string>): Promise<void> {
  const temporary = `${folder}.${randomUUID()}.tmp`;
  try {
    await mkdir(temporary, { recursive: true });
    await removeAbandoned(folder);
    for (const [name, content] of files) await writeSynced(join(temporary, name), content);
    await syncFolder(temporary);
    await renameFile(temporary, folder);
    await syncFolder(dirname(folder));
  } finally {
    await rm(temporary, REMOVAL);
  }
}

/** Brings names onto the disk, so that a power cut does not undo a rename; where folders cannot be opened, it may. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder);
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows refuses to open them, some network disks to sync them.
  }
}

/** Its name is gone before the first of its files. */
export async function removeFolder(folder: string): Promise<void> {
  const temporary = `${folder}.${randomUUID()}.tmp`;
  await orUndefined(renameFile(folder, temporary));
  await rm(temporary, REMOVAL);
}

export async function sweepFolder(folder: string, prefix: string): Promise<void> {
  const names = (await orUndefined(readdir(folder))) ?? [];
  for (const name of names) {
    if (name.startsWith(prefix) && TEMPORARY.test(name)) await rm(join(folder, name), REMOVAL);
  }
}

/**
 * The folder itself is never moved: it may be a mount point or a working directory, and what else is in it is not ours. All
 * files but the last are on the disk before that is renamed.
 */
export async function addFiles(
  folder: string,
  files: ReadonlyMap<string, Uint8Array | string>,
  before: readonly string[],
): Promise<void> {
  const last = [...files.keys()].at(-1);
  const added: string[] = [];
  try {
    for (const [name, content] of files) {
      if (name === last) await syncFolder(folder);
      await removeAbandoned(join(folder, name));
      await writeBeside(join(folder, name), content);
      if (!before.includes(name)) added.push(name);
    }
  } catch (error) {
    for (const name of added) await rm(join(folder, name), { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** What Windows says while a virus scanner, an indexer or a spreadsheet has one of the files open. */
const BUSY = ['EPERM', 'EACCES', 'EBUSY'];

/** Waits 10 ms, then twice as long, and so on; scanners are done within some hundred milliseconds. */
const LONGEST_WAIT_MS = 1_280;

/** Renames a file or a folder; on Windows, where one that is open cannot be renamed, for two and a half seconds again. */
async function renameFile(from: string, to: string): Promise<void> {
  for (let wait = 10; ; wait *= 2) {
    try {
      return await rename(from, to);
    } catch (error) {
      const isBusy = process.platform === 'win32' && BUSY.includes((error as NodeJS.ErrnoException).code ?? '');
      if (!isBusy || wait > LONGEST_WAIT_MS) throw error;
      await setTimeout(wait);
    }
  }
}

/** The promise's value, or undefined where the reason of failure is that there is no such file (or folder). */
export async function orUndefined<T>(promise: Promise<T>, codes = ['ENOENT', 'ENOTDIR']): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codes.includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
