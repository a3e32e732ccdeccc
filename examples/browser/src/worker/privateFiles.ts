/** Everything that this page keeps in the origin private file system is in here. */
const FOLDER = 'live-page';

const CHECKPOINT_FOLDER = 'checkpoints';

/** Where `trainClassifier` puts its checkpoints. */
export const CHECKPOINTS = `${FOLDER}/${CHECKPOINT_FOLDER}`;

/** A file could not be written; has the code that the library's own errors have for that. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code = 'file-system';
}

/** @throws {StorageError} where the browser has no such files, or no room */
export async function writePrivateFile(name: string, content: BlobPart): Promise<void> {
  try {
    const handle = await (await openFolder()).getFileHandle(name, { create: true });
    const file = await handle.createWritable();
    // What is written becomes the file when it is closed.
    await file.write(content as FileSystemWriteChunkType);
    await file.close();
  } catch (error) {
    const { message } = error as Error;
    throw new StorageError(`The browser cannot keep this training (${message.replace(/\.$/, '')}).`, { cause: error });
  }
}

/** Undefined where there is no such file, or nothing is kept in this browser. */
export async function readPrivateFile(name: string): Promise<File | undefined> {
  try {
    return await (await (await openFolder()).getFileHandle(name)).getFile();
  } catch {
    return undefined;
  }
}

/** Removes files and folders; those that there are not are none to worry about. */
export async function removePrivate(...names: string[]): Promise<void> {
  const folder = await openFolder().catch(() => undefined);
  for (const name of names) await folder?.removeEntry(name, { recursive: true }).catch(() => {});
}

export const removeCheckpoints = () => removePrivate(CHECKPOINT_FOLDER);

/** Whether a training has come as far as its first checkpoint. */
export async function hasCheckpoint(): Promise<boolean> {
  const names: string[] = [];
  try {
    const folder = await (await openFolder()).getDirectoryHandle(CHECKPOINT_FOLDER);
    for await (const name of folder.keys()) names.push(name);
  } catch {
    // There is no folder yet.
  }
  // One that is being written has a file of its name and `.tmp` beside it.
  return names.some((name) => name.startsWith('step-') && !name.endsWith('.tmp') && !names.includes(`${name}.tmp`));
}

async function openFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(FOLDER, { create: true });
}
