import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A page's script beside this file on the library's sources, for what is no export or comes before the package is built. */
export async function bundleSources(page: string, format: 'esm' | 'iife'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here(page)],
    bundle: true,
    write: false,
    format,
    platform: 'browser',
    target: 'es2022',
    alias: { '#platform': here('../../src/platform/browser.ts') },
    tsconfigRaw: {},
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}
