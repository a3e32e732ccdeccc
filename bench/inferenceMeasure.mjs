// One runtime with one model, opened, compared and timed; runs in Node and in a page alike.
import { MODELS, PICTURES } from './inferenceModels.mjs';
import { runtimes } from './inferenceRuntimes.mjs';
import { trackWasmMemories } from './wasmMemories.mjs';

/** Milliseconds before timing: V8 compiles the kernels once more, with optimisation, while they already run. */
const WARM_UP_MS = 1000;
/** However long they take. */
const LEAST_RUNS = 3;
/** Largest difference of a log probability with float32. */
const TOLERANCE = 1e-3;
/** Least correlation of the log probabilities of a picture with int8. LiteRT reaches 0.96 to 0.99 on these models. */
const INT8_CORRELATION = 0.9;

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
    firstMs ??= await time(/** @type {(typeof inputs)[0]} */ (inputs[0]).run);
    await compare(inputs, expected, job.precision);
    const milliseconds = await timeRepeatedly(
      inputs.map(({ run }) => run),
      job.seconds * 1000,
    );
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
 * @param {import('./inferenceRuntimes.mjs').Prepared[]} inputs
 * @param {Float32Array} expected `[PICTURES,classes]`
 * @param {'float32' | 'int8'} precision
 */
async function compare(inputs, expected, precision) {
  const classes = expected.length / PICTURES;
  const outputs = [];
  for (const { probabilities } of inputs) outputs.push(...(await probabilities()));
  for (let start = 0; start < outputs.length; start += classes) {
    const actual = outputs.slice(start, start + classes).map(Math.log);
    const first = start % expected.length;
    const wanted = Array.from(expected.subarray(first, first + classes), Math.log);
    const error = Math.max(...actual.map((value, i) => Math.abs(value - Number(wanted[i]))));
    const correlation = correlationOf(actual, wanted);
    // Written so that NaN fails.
    const agrees = precision === 'float32' ? error <= TOLERANCE : correlation >= INT8_CORRELATION;
    if (agrees) continue;
    throw new Error(
      `Log probabilities differ from those of tfjs by up to ${error}, and their correlation is ${correlation}.`,
    );
  }
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

/** @param {(() => Promise<unknown>)[]} runs @param {number} duration */
async function timeRepeatedly(runs, duration) {
  const next = (/** @type {number} */ i) => time(/** @type {() => Promise<unknown>} */ (runs[i % runs.length]));
  const warmUpEnd = performance.now() + WARM_UP_MS;
  for (let i = 0; i === 0 || performance.now() < warmUpEnd; i++) await next(i);
  const milliseconds = [];
  const end = performance.now() + duration;
  while (milliseconds.length < LEAST_RUNS || performance.now() < end)
    milliseconds.push(await next(milliseconds.length));
  return milliseconds;
}

/** @param {() => Promise<unknown>} run */
async function time(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
