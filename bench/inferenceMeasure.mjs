// One runtime with one model, opened, compared and timed; runs in Node and in a page alike.
import { MODELS, PICTURES } from './inferenceModels.mjs';
import { runtimes } from './inferenceRuntimes.mjs';
import { trackWasmMemories } from './wasmMemories.mjs';

/** Seconds before timing: V8 compiles the kernels once more, with optimisation, while they already run. */
const WARM_UP_SECONDS = 0.7;
/** However long they take. */
const LEAST_CALLS = 3;
/** Largest difference of a log probability with float32. */
const TOLERANCE = 1e-3;
/** Least correlation of the log probabilities with int8: 0.83 at 32x32 to 0.98, while a wrong kernel leaves about 0. */
const INT8_CORRELATION = 0.8;

/** @typedef {import('./inferenceRuntimes.mjs').Prepared} Prepared */

/**
 * What a run tells.
 *
 * @typedef {object} Report
 * @property {number} loadMs from the file in memory to a model that is ready to classify
 * @property {number} firstMs of the first classification
 * @property {number | null} megabytes that the process grew by from before it was loaded until the first batch size was
 *   timed; null in a page, which cannot tell
 * @property {number | null} wasmMegabytes of WebAssembly memories, by then; null where there are none
 * @property {string | null} module
 * @property {{ batchSize: number, milliseconds: number[] }[]} timings
 */

/**
 * @param {import('./inferenceRuntimes.mjs').Job & { seconds: number }} job
 * @param {import('./inferenceRuntimes.mjs').Surroundings & { processMegabytes?: () => number }} surroundings
 * @returns {Promise<Report>}
 * @throws {Error} where its results are not those of the layers model
 */
export async function measure(job, surroundings) {
  const { batchSizes } = MODELS[job.model];
  const { processMegabytes } = surroundings;
  const wasmMegabytes = trackWasmMemories();
  const pictures = await surroundings.read('pictures.bin');
  const expected = new Float32Array((await surroundings.read('expected.bin')).buffer);
  const open = await runtimes[job.runtime](job, surroundings);
  const before = processMegabytes?.() ?? 0;

  const loadStart = performance.now();
  const opened = await open();
  const loadMs = performance.now() - loadStart;
  if (opened.threads !== undefined && opened.threads !== job.threads) {
    throw new Error(`Expected ${job.threads} threads, got ${opened.threads}.`);
  }
  /** @type {number | undefined} */
  let firstMs;
  let memory = { megabytes: /** @type {number | null} */ (null), wasmMegabytes: /** @type {number | null} */ (null) };
  const timings = [];
  for (const batchSize of batchSizes) {
    const inputs = inputsOf(pictures, batchSize).map((input) => opened.prepare(input, batchSize));
    firstMs ??= await time(/** @type {Prepared} */ (inputs[0]).run);
    const warmUpEnd = performance.now() + WARM_UP_SECONDS * 1000;
    await compare(inputs, expected, job.precision);
    await timeUntil(warmUpEnd, 0, inputs);
    const milliseconds = await timeUntil(performance.now() + job.seconds * 1000, LEAST_CALLS, inputs);
    if (timings.length === 0) {
      memory = {
        megabytes: processMegabytes ? processMegabytes() - before : null,
        wasmMegabytes: (opened.wasmMegabytes ?? wasmMegabytes()) || null,
      };
    }
    timings.push({ batchSize, milliseconds });
  }
  return { loadMs, firstMs: Number(firstMs), ...memory, module: opened.module ?? null, timings };
}

/**
 * Each picture on its own, or all of them, repeated, in one batch.
 *
 * @param {Uint8Array} pictures
 * @param {number} batchSize
 */
function inputsOf(pictures, batchSize) {
  const bytes = pictures.length / PICTURES;
  const picture = (/** @type {number} */ i) => pictures.subarray((i % PICTURES) * bytes, ((i % PICTURES) + 1) * bytes);
  if (batchSize === 1) return Array.from({ length: PICTURES }, (_, i) => picture(i));
  const batch = new Uint8Array(batchSize * bytes);
  for (let i = 0; i < batchSize; i++) batch.set(picture(i), i * bytes);
  return [batch];
}

/**
 * @param {Prepared[]} inputs
 * @param {Float32Array} expected `[PICTURES,classes]`
 * @param {'float32' | 'int8'} precision
 */
async function compare(inputs, expected, precision) {
  /** @type {number[]} */
  const actual = [];
  for (const { probabilities } of inputs) actual.push(...Array.from(await probabilities(), Math.log));
  // Larger batches repeat the pictures.
  const wanted = actual.map((_, i) => Math.log(Number(expected[i % expected.length])));
  const error = Math.max(...actual.map((value, i) => Math.abs(value - Number(wanted[i]))));
  const correlation = correlationOf(actual, wanted);
  // Written so that NaN fails.
  const agrees = precision === 'float32' ? error <= TOLERANCE : correlation >= INT8_CORRELATION;
  if (agrees) return;
  throw new Error(
    `Log probabilities differ from those of tfjs by up to ${error}, and their correlation is ${correlation}.`,
  );
}

/** @param {number[]} a @param {number[]} b */
function correlationOf(a, b) {
  const centred = (/** @type {number[]} */ values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.map((value) => value - mean);
  };
  const dot = (/** @type {number[]} */ x, /** @type {number[]} */ y) =>
    x.reduce((sum, value, i) => sum + value * Number(y[i]), 0);
  const [x, y] = [centred(a), centred(b)];
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

/**
 * Milliseconds of each call, with the inputs in turn.
 *
 * @param {number} end by `performance.now()`
 * @param {number} least how many calls to make, though they end later
 * @param {Prepared[]} inputs
 */
async function timeUntil(end, least, inputs) {
  /** @type {number[]} */
  const milliseconds = [];
  while (milliseconds.length < least || performance.now() < end) {
    const { run } = /** @type {Prepared} */ (inputs[milliseconds.length % inputs.length]);
    milliseconds.push(await time(run));
  }
  return milliseconds;
}

/** @param {() => Promise<unknown>} run */
async function time(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
