import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { runCommandLine } from '../../src/cli/commandLine';

/** What a command line came to. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Pieces of what comes from stdin; without them, it must not be touched. */
  stdin?: readonly (string | Uint8Array)[];
  signal?: AbortSignal;
  /** Called with each piece of stderr. */
  onStderr?: (text: string) => void;
}

/** Runs a command line in this process, from the sources. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { stdin, signal = new AbortController().signal, onStderr } = options;
  const outcome = { stdout: '', stderr: '' };
  const write = (name: keyof typeof outcome) => (text: string) => {
    outcome[name] += text;
    if (name === 'stderr') onStderr?.(text);
  };
  const code = await runCommandLine(args, {
    program: 'npx mobilenet-v1-ts',
    get stdin() {
      if (stdin === undefined) throw new Error('a command that was given no stdin touched it');
      return Readable.from(stdin.map((piece) => Buffer.from(piece)));
    },
    stdout: { write: write('stdout') },
    stderr: { write: write('stderr') },
    signal,
    outliveReader() {},
  });
  return { code, ...outcome };
}

/** What `--json` printed. */
export function parseLines(stdout: string) {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** The command line that `npm run build` made. */
export const BUILT = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface SpawnOptions {
  cwd: string;
  stdin?: Uint8Array | string;
  /** Sends Ctrl-C's signal when stderr matches. */
  interruptAt?: RegExp;
}

/** Runs the built command line as a process of its own. */
export async function runBuilt(args: readonly string[], { cwd, stdin, interruptAt }: SpawnOptions): Promise<Outcome> {
  if (!existsSync(BUILT)) throw new Error('dist/cli.js is missing: run npm run build first.');
  const child = spawn(process.execPath, [BUILT, ...args], { cwd });
  const outcome = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    outcome.stdout += text;
  });
  let interrupted = false;
  child.stderr.setEncoding('utf8').on('data', (text) => {
    outcome.stderr += text;
    if (interrupted || !interruptAt?.test(outcome.stderr)) return;
    interrupted = true;
    child.kill('SIGINT');
  });
  // One that does not read it closes it.
  child.stdin.on('error', () => {}).end(stdin);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...outcome };
}

/** A folder that goes when the tests of a file are done; with a space in its name, as people's folders have them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mobilenet cli '));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
