// The engine's insides, which the package does not export, bundled from the sources.
import { rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/**
 * @typedef {Pick<typeof import('../src/engine/trainingEngine'), 'createTrainingEngine' | 'prepareSession' | 'trainCommand'>
 *   & Pick<typeof import('../src/engine/session'), 'createSession'>
 *   & Pick<typeof import('../src/graph/readStages'), 'readStages'>} Internals
 */

/** @returns {Promise<Internals>} */
export async function loadInternals() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  // Below node_modules, so that what stays outside of the bundle resolves; a name for each process.
  const outfile = `${root}node_modules/.cache/bench/internals-${process.pid}.mjs`;
  await build({
    absWorkingDir: root,
    stdin: {
      contents: `
        export { createTrainingEngine, prepareSession, trainCommand } from './engine/trainingEngine';
        export { createSession } from './engine/session';
        export { readStages } from './graph/readStages';`,
      resolveDir: 'src',
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    alias: { '#platform': './src/platform/node.ts' },
    outfile,
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile);
  }
}
