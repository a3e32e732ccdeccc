import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @typedef {import('./classifyFolder.mjs').Classified | import('./classifyFolder.mjs').Unreadable} Result */
/** @typedef {{ resolve: (results: Result[]) => void, reject: (reason: Error) => void }} Call */

const WORKER = fileURLToPath(new URL('./worker.mjs', import.meta.url));

/**
 * Processes that classify, each on one processor. Processes and not threads, so that decoding a picture and making it
 * smaller, which take longer than classifying it, are shared out as well.
 *
 * @param {number} size
 * @param {{ model: string, topK: number }} options
 */
export function startPool(size, options) {
  const workers = Array.from({ length: size }, () => startWorker(options));
  return {
    /**
     * The results of some files, in their order, from whoever has the least to do.
     *
     * @param {string[]} files
     */
    classify(files) {
      const worker = workers.reduce((best, other) => (other.calls.length < best.calls.length ? other : best));
      /** @type {Promise<Result[]>} */
      const results = new Promise((resolve, reject) => worker.calls.push({ resolve, reject }));
      // Whoever waits for it learns why it failed; it may be that an earlier failure ended the waiting.
      results.catch(() => {});
      if (worker.process.connected) worker.process.send(files);
      return results;
    },

    end() {
      for (const worker of workers) worker.process.kill();
    },
  };
}

/** @param {{ model: string, topK: number }} options */
function startWorker({ model, topK }) {
  const worker = fork(WORKER, [model, String(topK)]);
  /** @type {Call[]} the first of them is answered next */
  const calls = [];
  worker.on('message', (/** @type {Result[]} */ results) => calls.shift()?.resolve(results));
  const fail = (/** @type {Error} */ error) => {
    for (const { reject } of calls.splice(0)) reject(error);
  };
  worker.on('error', fail);
  worker.on('exit', (code, signal) =>
    fail(new Error(`A process that classifies ended with ${signal ?? `code ${code}`}.`)),
  );
  return { process: worker, calls };
}
