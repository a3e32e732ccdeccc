import { defineConfig } from 'tsup';

// Two bundles: the library, and the two halves of its platform door. `#platform` stays an import, so that
// package.json's "imports" picks the half when the package is used, and no bundler ever sees node:fs.
export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'platform/node': 'src/platform/node.ts',
    'platform/browser': 'src/platform/browser.ts',
  },
  format: ['esm', 'cjs'],
  dts: { entry: { index: 'src/index.ts' } },
  external: ['#platform', /^node:/],
  target: 'es2022',
  platform: 'neutral',
  // Both bundles share one MobilenetError: two copies would be two classes, and `instanceof` would fail.
  splitting: true,
  // As written in the sources: tsup would cut `node:fs` down to `fs`, which a bundler may take for a package.
  removeNodeProtocol: false,
  treeshake: true,
  clean: true,
  silent: true,
});
