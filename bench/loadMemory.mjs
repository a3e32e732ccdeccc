// What a process holds, and whether that stays as it is.
import v8 from 'node:v8';
import vm from 'node:vm';
import { memory } from '@tensorflow/tfjs-core';

/**
 * @typedef {object} Held
 * @property {number} heap megabytes of JavaScript objects
 * @property {number} buffers megabytes of array buffers
 * @property {number} rss megabytes of the process
 * @property {number} tensors
 */

v8.setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collectGarbage = vm.runInNewContext('gc');

/**
 * After a garbage collection, and another for what finalizers gave back.
 *
 * @returns {Promise<Held>}
 */
export async function held() {
  for (let i = 0; i < 2; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return {
    heap: megabytes(heapUsed),
    buffers: megabytes(arrayBuffers),
    rss: megabytes(rss),
    tensors: memory().numTensors,
  };
}

/** How much more the second half of a run may hold than the first: V8 and malloc keep some of what they were given. */
const ALLOWED = { heap: 3, buffers: 3, rss: 30, tensors: 0 };

/**
 * What grew: one line each.
 *
 * @param {Held} middle
 * @param {Held} end
 */
export function grown(middle, end) {
  const names = /** @type {(keyof Held)[]} */ (Object.keys(ALLOWED));
  return names
    .filter((name) => end[name] - middle[name] > ALLOWED[name])
    .map((name) => `${name}: from ${middle[name]} to ${end[name]}, more than ${ALLOWED[name]} above`);
}

const megabytes = (/** @type {number} */ bytes) => Math.round(bytes / 2 ** 19) / 2;
