import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { classifyTrained, job } from './shared/job.mjs';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));

/** Every runtime takes the same steps; kernels with and without relaxed SIMD round otherwise. */
const TOLERANCE = 1e-3;

/** What every consumer should find: what the build finds here. */
export async function expectedResult() {
  await import('@tensorflow/tfjs-backend-cpu');
  const load = (/** @type {string} */ file) => import(pathToFileURL(join(dist, file)).href);
  const [mobilenet, trained] = [await load('index.js'), await load('cifar10.js')];
  return { ...(await job(mobilenet)), trained: await classifyTrained(mobilenet, trained) };
}

/**
 * Where a result differs from what is expected; empty where it does not. Several results are one difference each.
 *
 * @param {unknown} received
 * @param {unknown} expected
 * @param {string} [where]
 * @returns {string[]}
 */
export function differences(received, expected, where = 'result') {
  if (Array.isArray(received)) {
    if (received.length === 0) return [`${where}: expected at least one, received none`];
    return received.flatMap((each, i) => differences(each, expected, `${where} ${i + 1}`));
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof received !== 'object' || received === null)
      return [`${where}: expected an object, received ${received}`];
    const values = /** @type {Record<string, unknown>} */ (received);
    return Object.entries(expected).flatMap(([key, value]) => differences(values[key], value, `${where}.${key}`));
  }
  const isNear =
    typeof expected === 'number' &&
    typeof received === 'number' &&
    !Number.isInteger(expected) &&
    Math.abs(received - expected) <= TOLERANCE;
  return isNear || Object.is(received, expected) ? [] : [`${where}: expected ${expected}, received ${received}`];
}
