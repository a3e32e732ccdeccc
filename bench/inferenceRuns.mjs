// Which runs an inference bench makes, and what became of them.
import { availableParallelism } from 'node:os';
import { MODELS } from './inferenceModels.mjs';
import { median } from './trainingRuns.mjs';

/** @typedef {import('./inferenceRuntimes.mjs').Job} Job */
/** @typedef {import('./inferenceRuntimes.mjs').Runtime} Runtime */
/** @typedef {Job['precision']} Precision */
/** @typedef {'node' | 'chromium'} Where */

const BOTH = /** @type {Where[]} */ (['node', 'chromium']);
const FLOAT = /** @type {Precision[]} */ (['float32']);
const ALL = /** @type {Precision[]} */ (['float32', 'int8']);
const ANY_THREADS = { node: Number.POSITIVE_INFINITY, chromium: Number.POSITIVE_INFINITY };
/** tfjs has no threads in Node, and takes no more than half of the cores in a page. */
const TFJS_THREADS = { node: 1, chromium: Math.max(1, Math.floor(availableParallelism() / 2)) };

/** @type {Record<Runtime, { where: Where[], precisions: Precision[], mostThreads: Record<Where, number> }>} */
const abilities = {
  engine: { where: BOTH, precisions: ALL, mostThreads: ANY_THREADS },
  'tfjs-layers': { where: BOTH, precisions: FLOAT, mostThreads: TFJS_THREADS },
  'tfjs-graph': { where: BOTH, precisions: FLOAT, mostThreads: TFJS_THREADS },
  'onnxruntime-web': { where: BOTH, precisions: FLOAT, mostThreads: ANY_THREADS },
  'onnxruntime-node': { where: ['node'], precisions: FLOAT, mostThreads: ANY_THREADS },
  litert: { where: ['chromium'], precisions: ALL, mostThreads: ANY_THREADS },
};

/** @param {Where} where */
export const runtimesOf = (where) =>
  /** @type {Runtime[]} */ (Object.keys(abilities)).filter((name) => abilities[name].where.includes(where));

/**
 * @typedef {object} Choice
 * @property {import('./inferenceModels.mjs').ModelName[]} model
 * @property {Runtime[]} runtime
 * @property {Precision[]} precision
 * @property {number[]} threads
 */

/**
 * In the order in which they take turns.
 *
 * @param {Where} where
 * @param {Choice} choice
 * @returns {Job[]}
 */
export function jobsOf(where, choice) {
  return choice.model.flatMap((model) =>
    choice.runtime.flatMap((runtime) => {
      const { precisions, mostThreads } = abilities[runtime];
      const threads = choice.threads.filter((count) => count <= mostThreads[where]);
      return choice.precision
        .filter((precision) => precisions.includes(precision))
        .flatMap((precision) => threads.map((count) => ({ model, runtime, precision, threads: count })));
    }),
  );
}

/** @param {Job} job */
export function name({ model, runtime, precision, threads }) {
  return `${model}, ${runtime}, ${precision}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}

/**
 * What the runs of a job came to, as the benches print it: a row for each batch size.
 *
 * @typedef {object} InferenceRow
 * @property {'inference'} bench
 * @property {Where} where
 * @property {string} version of Node or Chromium
 * @property {import('./inferenceModels.mjs').ModelName} model
 * @property {Runtime} runtime
 * @property {Precision} precision
 * @property {number} threads
 * @property {number} batchSize
 * @property {number} medianMs of a call
 * @property {number} p95Ms
 * @property {number} imagesPerSecond of the median call
 * @property {number} bestMs of the fastest call: far from the median, something else was running
 * @property {number} loadMs from the model in memory to one that is ready to classify, the median of the runs
 * @property {number} firstMs of the first call, the median of the runs
 * @property {number | null} megabytes as in `Report`
 * @property {number | null} wasmMegabytes as in `Report`
 * @property {string | null} module
 * @property {number} calls
 */

/**
 * @param {Job} job
 * @param {import('./inferenceMeasure.mjs').Report[]} reports
 * @param {{ where: Where, version: string }} place
 * @returns {InferenceRow[]}
 */
export function summarize(job, reports, { where, version }) {
  const { model, runtime, precision, threads } = job;
  return MODELS[model].batchSizes.map((batchSize, i) => {
    const milliseconds = reports.flatMap(({ timings }) => timings[i]?.milliseconds ?? []);
    const medianMs = median(milliseconds);
    const of = (/** @type {'loadMs' | 'firstMs'} */ key) => median(reports.map((report) => report[key]));
    const largest = (/** @type {'megabytes' | 'wasmMegabytes'} */ key) =>
      reports[0]?.[key] == null ? null : Math.max(...reports.map((report) => Number(report[key])));
    return {
      bench: 'inference',
      ...{ where, version, model, runtime, precision, threads, batchSize, medianMs },
      p95Ms: percentile(milliseconds, 0.95),
      imagesPerSecond: (1000 * batchSize) / medianMs,
      bestMs: Math.min(...milliseconds),
      loadMs: of('loadMs'),
      firstMs: of('firstMs'),
      megabytes: largest('megabytes'),
      wasmMegabytes: largest('wasmMegabytes'),
      module: reports[0]?.module ?? null,
      calls: milliseconds.length,
    };
  });
}

/** The smallest value that at least this share does not exceed. @param {number[]} values @param {number} share */
function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return Number(sorted[Math.ceil(share * sorted.length) - 1]);
}
