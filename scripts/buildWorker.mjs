// Bundles src/engine/worker.ts and inlines it as a string in src/engine/workerSource.generated.ts, so that users have no
// path to configure. Bundling takes milliseconds, so it is always done; the output is written only where it changes.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeGenerated } from './writeGenerated.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = `${root}/src/engine/workerSource.generated.ts`;

const { outputFiles } = await build({
  absWorkingDir: root,
  stdin: { contents: "import { serve } from './worker';\nglobalThis.serve = serve;", resolveDir: 'src/engine' },
  bundle: true,
  write: false,
  minify: true,
  format: 'iife',
  target: 'es2022',
  charset: 'utf8',
});
const source = outputFiles
  .map(({ text }) => text)
  .join('')
  .trim();
const text = `// Written by scripts/buildWorker.mjs.

/** Makes \`serve\` (src/engine/worker.ts) a global function. ${source.length} characters. */
export const workerSource = ${JSON.stringify(source)};
`;
writeGenerated(output, text);
