import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @typedef {import('./classifyFolder.mjs').Classified | import('./classifyFolder.mjs').Unreadable} Result */
/** @typedef {{ resolve: (results: Result[]) => void, reject: (reason: Error) => void }} Call */

/**
 * @typedef {object} Worker
 * @property {import('node:child_process').ChildProcess} process
 * @property {Call[]} calls the first of them is answered next
 * @property {Error | undefined} failure why it answers no more
 */

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
     * The results of some files, in their order, from whoever has the least to do of those that have not ended.
     *
     * @param {string[]} files
     */
    classify(files) {
      const running = workers.filter(({ failure }) => !failure);
      const results = ask(leastBusy(running.length > 0 ? running : workers), files);
      // Whoever waits for it learns why it failed; it may be that an earlier failure ended the waiting.
      results.catch(() => {});
      return results;
    },

    end() {
      for (const worker of workers) worker.process.kill();
    },
  };
}

/** @param {Worker[]} workers */
function leastBusy(workers) {
  return workers.reduce((best, other) => (other.calls.length < best.calls.length ? other : best));
}

/**
 * @param {Worker} worker
 * @param {string[]} files
 * @returns {Promise<Result[]>}
 */
function ask(worker, files) {
  return new Promise((resolve, reject) => {
    // One that has ended says so no second time.
    if (worker.failure) return reject(worker.failure);
    worker.calls.push({ resolve, reject });
    if (worker.process.connected) worker.process.send(files);
  });
}

/**
 * @param {{ model: string, topK: number }} options
 * @returns {Worker}
 */
function startWorker({ model, topK }) {
  /** @type {Worker} */
  const worker = { process: fork(WORKER, [model, String(topK)]), calls: [], failure: undefined };
  const fail = (/** @type {Error} */ error) => {
    worker.failure ??= error;
    for (const { reject } of worker.calls.splice(0)) reject(error);
  };
  worker.process
    .on('message', (/** @type {Result[]} */ results) => worker.calls.shift()?.resolve(results))
    .on('error', fail)
    .on('exit', (code, signal) => fail(new Error(`A process that classifies ended with ${signal ?? `code ${code}`}.`)));
  return worker;
}
