#!/usr/bin/env node
import { basename, dirname } from 'node:path';
import { runCommandLine } from './commandLine';
import { abortOnSignals, endOnAbort } from './interrupts';
import { EXIT } from './session';
import { quote } from './shared/quote';

const [node = 'node', script = 'mobilenet-v1-ts', ...args] = process.argv;
let endsWithReader = true;

// A reader that has seen enough, as `head -1` has, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (endsWithReader) process.exit(EXIT.ok);
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const signal = abortOnSignals(process, () => process.exit(EXIT.interrupted));
process.exitCode = await runCommandLine(args, {
  program: howStarted(script),
  get stdin() {
    return endOnAbort(signal, process.stdin);
  },
  stdout: process.stdout,
  stderr: process.stderr,
  signal,
  outliveReader() {
    endsWithReader = false;
  },
});

/** What to type to start it again: by the name that npm gave it, or as a script. */
function howStarted(path: string): string {
  if (basename(path) !== 'mobilenet-v1-ts') return [basename(node), path].map((argument) => quote(argument)).join(' ');
  return basename(dirname(path)) === '.bin' ? 'npx mobilenet-v1-ts' : 'mobilenet-v1-ts';
}
