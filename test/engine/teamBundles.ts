import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const src = fileURLToPath(new URL('../../src', import.meta.url));

/** teamWorker.ts as one script, which makes `serve` a global function, as the library's own worker does. */
export function bundleTeamWorker(): Promise<string> {
  return bundle("import { serve } from './teamWorker';\nglobalThis.serve = serve;", 'iife', 'node');
}

/** `contents`, a module beside this file, as one script for Node or a browser. */
export async function bundle(contents: string, format: 'esm' | 'iife', platform: 'node' | 'browser'): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: here, loader: 'ts' },
    bundle: true,
    write: false,
    format,
    platform: platform === 'node' ? 'node' : 'browser',
    target: 'es2022',
    alias: { '#platform': join(src, `platform/${platform}.ts`) },
    tsconfigRaw: {},
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

/** A folder for a test's files. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'mobilenet-team-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
