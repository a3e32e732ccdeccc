import { rename } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

/** What Windows says while a virus scanner, an indexer or a spreadsheet has one of the files open. */
const BUSY = ['EPERM', 'EACCES', 'EBUSY'];

/** Waits 10 ms, then twice as long, and so on; scanners are done within some hundred milliseconds. */
const LONGEST_WAIT_MS = 1_280;

/** Renames a file or a folder; on Windows, where one that is open cannot be renamed, for two and a half seconds again. */
export async function renameFile(from: string, to: string): Promise<void> {
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
