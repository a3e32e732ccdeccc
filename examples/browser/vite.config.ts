import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { serviceWorkerPlugin } from './serviceWorkerPlugin';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What lets a page share memory between threads. Where a server cannot send it, the page works on one thread. */
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

const workerPackages = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-layers',
  '@tensorflow/tfjs-backend-cpu',
  'fflate',
  'modern-tar',
  'pbf',
];

export default defineConfig({
  root: here('.'),
  // The built page works in any folder of a server.
  base: './',
  // The package as it is built in this repository; in an app of its own its name alone would do.
  resolve: {
    alias: [
      { find: /^mobilenet-v1-ts$/, replacement: here('../../dist/index.js') },
      { find: /^mobilenet-v1-ts\/cifar10$/, replacement: here('../../dist/cifar10.js') },
    ],
  },
  // What only the worker imports: found as late as that, it would have the development server load the page anew.
  optimizeDeps: { include: workerPackages },
  plugins: [serviceWorkerPlugin(here('./src/serviceWorker.ts'))],
  worker: { format: 'es' },
  server: { headers },
  preview: { headers },
  build: { target: 'es2022', emptyOutDir: true, chunkSizeWarningLimit: 2000 },
});
