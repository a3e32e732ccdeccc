// The logs in docs/results, for the page that lists them.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./results', import.meta.url));

/** What the last lines of a log say; a run that was cut off says nothing. */
export interface RunLog {
  file: string;
  recipe?: string;
  seed?: number;
  epochs?: number;
  minutes?: number;
  /** Fraction, of the pictures that `measuredOn` names. */
  testAccuracy?: number;
  measuredOn?: string;
}

export declare const data: RunLog[];

export default {
  watch: ['./results/*.jsonl'],
  load(): RunLog[] {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .sort()
      .map((name) => readLog(join(folder, name)));
  },
};

function readLog(path: string): RunLog {
  const lines = readFileSync(path, 'utf8').split('\n');
  const objects: Record<string, unknown>[] = lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  return Object.assign({ file: basename(path) }, ...objects.filter(({ epoch }) => epoch === undefined));
}
