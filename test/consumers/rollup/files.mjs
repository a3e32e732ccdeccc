import { cpSync } from 'node:fs';

// Rollup leaves the files of new URL('...', import.meta.url) where they are.
cpSync('node_modules/mobilenet-v1-ts/dist/cifar10', 'dist/cifar10', { recursive: true });
cpSync('index.html', 'dist/index.html');
