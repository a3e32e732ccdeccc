import { cpSync } from 'node:fs';
import { build } from 'esbuild';

await build({
  entryPoints: ['main.js'],
  outdir: 'dist',
  bundle: true,
  minify: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
});
// esbuild leaves the files of new URL('...', import.meta.url) where they are.
cpSync('node_modules/mobilenet-v1-ts/dist/cifar10', 'dist/cifar10', { recursive: true });
cpSync('index.html', 'dist/index.html');
