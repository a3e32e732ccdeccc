import { show } from './shared/show.mjs';

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });

show(
  () =>
    new Promise((resolve, reject) => {
      worker.addEventListener('message', ({ data: { result, error } }) => (result ? resolve(result) : reject(error)));
      worker.addEventListener('error', ({ message }) => reject(new Error(message)));
    }),
);
