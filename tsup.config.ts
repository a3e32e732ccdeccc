import { chmod, cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { defineConfig } from 'tsup';
import cifar10Models from './models/cifar10/models.json';
import { optionalDependencies } from './package.json';
import { workerSource } from './src/engine/workerSource.generated';
import { inlinedWasm } from './src/kernels/wasmModule';

// What the library has inlined, as files, for apps that give it their own (configureEngine). Each worker is one file
// without imports of ours, so that it can also be served as it is.
const files = {
  'wasm/simd.wasm': inlinedWasm('simd'),
  'wasm/simd-shared.wasm': inlinedWasm('simd-shared'),
  'wasm/relaxed-simd.wasm': inlinedWasm('relaxed-simd'),
  'wasm/relaxed-simd-shared.wasm': inlinedWasm('relaxed-simd-shared'),
  'worker/browser.js': `${workerSource}\nserve(self);\n`,
  'worker/node.js': `import { parentPort } from 'node:worker_threads';\n${workerSource}\nserve(parentPort);\n`,
  'worker/node.cjs': `${workerSource}\nserve(require('node:worker_threads').parentPort);\n`,
};

// The command line is a user of the library like any other: its files import what is published beside them, so that there
// is one library, cut into bundles as libraries want to be, and its commands are loaded on use.
const published: Plugin = {
  name: 'published',
  setup({ onResolve }) {
    onResolve({ filter: /^(\.\.\/)+(index|cifar10)$/ }, ({ path }) => {
      return { path: path.replace(/^(\.\.\/)+/, './').concat('.js'), external: true };
    });
  },
};

async function buildCommandLine(): Promise<void> {
  await build({
    entryPoints: { cli: 'src/cli/main.ts' },
    chunkNames: 'cli-[name]-[hash]',
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    packages: 'external',
    external: ['#platform'],
    plugins: [published],
    logLevel: 'warning',
  });
  await chmod('dist/cli.js', 0o755);
}

// The library, its trained models' own entry, and the two halves of its platform door. `#platform` stays an import, so that
// package.json's "imports" picks the half when the package is used, and no bundler ever sees node:fs.
export default defineConfig({
  entry: {
    index: 'src/index.ts',
    cifar10: 'src/cifar10.ts',
    'platform/node': 'src/platform/node.ts',
    'platform/browser': 'src/platform/browser.ts',
  },
  format: ['esm', 'cjs'],
  dts: { entry: { index: 'src/index.ts', cifar10: 'src/cifar10.ts' } },
  // tsup itself leaves out dependencies and peers only.
  external: ['#platform', /^node:/, ...Object.keys(optionalDependencies).map((name) => new RegExp(`^${name}($|/)`))],
  target: 'es2022',
  platform: 'neutral',
  // All bundles share one MobilenetError: two copies would be two classes, and `instanceof` would fail.
  splitting: true,
  // As written in the sources: tsup would cut `node:fs` down to `fs`, which a bundler may take for a package.
  removeNodeProtocol: false,
  treeshake: true,
  clean: true,
  silent: true,
  esbuildOptions(options, { format }) {
    if (format !== 'cjs') return;
    options.define = { ...options.define, 'import.meta.url': 'moduleUrl' };
    options.inject = [...(options.inject ?? []), 'scripts/moduleUrl.mjs'];
  },
  async onSuccess() {
    await buildCommandLine();
    for (const { alpha } of cifar10Models) {
      await cp(`models/cifar10/alpha-${alpha}`, `dist/cifar10/alpha-${alpha}`, { recursive: true });
    }
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(`dist/${name}`), { recursive: true });
      await writeFile(`dist/${name}`, content);
    }
  },
});
