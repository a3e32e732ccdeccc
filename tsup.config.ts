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
  external: ['#platform'],
  target: 'es2022',
  platform: 'neutral',
  splitting: false,
  treeshake: true,
  clean: true,
  silent: true,
});
