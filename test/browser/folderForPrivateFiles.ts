import { existsSync, readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as privateFiles from '../../examples/browser/src/worker/privateFiles';

type PrivateFiles = Omit<typeof privateFiles, 'StorageError' | 'CHECKPOINTS'> & { CHECKPOINTS: string };

/** The live page's private files, in a folder of Node's. */
export function folderForPrivateFiles(root: string): PrivateFiles {
  const place = (name: string) => join(root, name);
  const removePrivate = async (...names: string[]) => {
    for (const name of names) await rm(place(name), { recursive: true, force: true });
  };
  return {
    CHECKPOINTS: place('checkpoints'),
    writePrivateFile: (name, content) => writeFile(place(name), String(content)),
    readPrivateFile: async (name) =>
      existsSync(place(name)) ? new File([new Uint8Array(await readFile(place(name)))], name) : undefined,
    removePrivate,
    removeCheckpoints: () => removePrivate('checkpoints'),
    hasCheckpoint: async () =>
      existsSync(place('checkpoints')) && readdirSync(place('checkpoints')).some((name) => name.startsWith('step-')),
  };
}
