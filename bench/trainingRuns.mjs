// Which processes the training bench starts, and what became of them.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BATCH_SIZE, flopsPerImage } from './nets.mjs';

/** @typedef {import('./nets.mjs').Net} Net */
/** @typedef {import('./trainingWorker.mjs').WorkerReport} WorkerReport */
/** @typedef {'engine' | 'tfjs-cpu' | 'tfjs-wasm' | 'pytorch'} Runtime */

/** @type {Runtime[]} */
export const runtimes = ['engine', 'tfjs-cpu', 'tfjs-wasm', 'pytorch'];

/**
 * What is measured as one row.
 *
 * @typedef {object} Setup
 * @property {Net} net
 * @property {Runtime} runtime
 * @property {'channels_last' | 'contiguous'} layout
 * @property {number} threads
 * @property {number} batchSize
 * @property {string} executable of Node or Python
 */

/** Untimed steps: V8 and oneDNN compile, and memory is touched for the first time. */
const WARM_UP_STEPS = 3;
/**
 * tfjs's cpu backend takes minutes for a step of 128; its images/s do not depend on the batch. It takes few steps too.
 *
 * @type {Record<Net, number>}
 */
const CPU_BATCH_SIZE = { A: 4, B: 2, C: 4 };
const CPU_STEPS = 3;
/**
 * With 128 pictures of net B tfjs's wasm backend runs out of its 4 GB.
 *
 * @type {Record<Net, number>}
 */
const WASM_BATCH_SIZE = { A: BATCH_SIZE, B: 32, C: BATCH_SIZE };

const execute = promisify(execFile);
const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * The setups of a net, in the order in which they take turns.
 *
 * @param {Net} net
 * @param {{ runtime: Runtime[], threads: number[] }} options
 * @param {{ nodes: string[], python: string | undefined }} executables `nodes` are what the engine runs on
 * @returns {Setup[]}
 */
export function setupsOf(net, { runtime, threads }, { nodes, python }) {
  const common = { net, threads: 1, batchSize: BATCH_SIZE, executable: process.execPath };
  const layout = /** @type {const} */ ('channels_last');
  /** @type {Record<Runtime, () => Setup[]>} */
  const setups = {
    engine: () =>
      nodes.flatMap((executable) =>
        threads.map((count) => ({ ...common, runtime: 'engine', layout, threads: count, executable })),
      ),
    'tfjs-wasm': () => [{ ...common, runtime: 'tfjs-wasm', layout, batchSize: WASM_BATCH_SIZE[net] }],
    'tfjs-cpu': () => [{ ...common, runtime: 'tfjs-cpu', layout, batchSize: CPU_BATCH_SIZE[net] }],
    pytorch: () =>
      (python === undefined ? [] : threads).flatMap((count) =>
        /** @type {const} */ (['channels_last', 'contiguous']).map((layout) => ({
          ...common,
          runtime: 'pytorch',
          layout,
          threads: count,
          executable: String(python),
        })),
      ),
  };
  return runtime.flatMap((name) => setups[name]());
}

/** Whether the setup takes a full set of steps in each round; the others run once, in the first. */
export function isQuick(/** @type {Setup} */ { runtime }) {
  return runtime !== 'tfjs-cpu';
}

/**
 * Runs a setup in a process of its own and waits for its end.
 *
 * @param {Setup} setup
 * @param {number} steps to time
 * @param {string} dataFolder what `writeInitialState` wrote for each net
 * @returns {Promise<WorkerReport>}
 */
export async function runSetup(setup, steps, dataFolder) {
  const { net, runtime, layout, threads, batchSize, executable } = setup;
  /** @type {string[]} */
  let args;
  if (runtime === 'pytorch') {
    const data = join(dataFolder, net);
    args = [here('pytorch.py'), '--net', net, '--threads', `${threads}`, '--layout', layout, '--steps', `${steps}`];
    args.push('--warm-up', `${WARM_UP_STEPS}`, '--data', data);
  } else {
    /** @type {import('./trainingWorker.mjs').WorkerTask} */
    const task = {
      net,
      backend: runtime === 'tfjs-wasm' ? 'wasm' : 'cpu',
      engine: runtime === 'engine' ? 'fused' : 'tfjs',
      threads,
      batchSize,
      warmUpSteps: isQuick(setup) ? WARM_UP_STEPS : 1,
      steps: isQuick(setup) ? steps : Math.min(steps, CPU_STEPS),
    };
    args = [here('trainingWorker.mjs'), JSON.stringify(task)];
  }
  const { stdout } = await execute(executable, args, { maxBuffer: 2 ** 26 }).catch(({ stderr }) => {
    throw new Error(`${name(setup)} failed.\n${stderr}`);
  });
  return JSON.parse(String(stdout.trim().split('\n').at(-1)));
}

/**
 * What a setup's runs came to, as the bench prints it.
 *
 * @typedef {object} TrainingRow
 * @property {'training'} bench
 * @property {Net} net
 * @property {Runtime} runtime
 * @property {'channels_last' | 'contiguous'} layout
 * @property {number} threads
 * @property {number} imagesPerSecond of the median step
 * @property {number} bestImagesPerSecond of the fastest step: far from the median, something else was running
 * @property {number} gflops as `flopsPerImage` counts
 * @property {number} shareOfPeak
 * @property {number | null} wasmMegabytes
 * @property {number} peakMegabytes
 * @property {string | null} module
 * @property {string} version of Node or PyTorch
 * @property {number} batchSize
 * @property {number} steps
 */

/**
 * @param {Setup} setup
 * @param {WorkerReport[]} reports
 * @param {number} peak GFLOP/s of a thread
 * @returns {TrainingRow}
 */
export function summarize({ net, runtime, layout, threads, batchSize }, reports, peak) {
  const milliseconds = reports.flatMap((report) => report.milliseconds);
  const imagesPerSecond = (1000 * batchSize) / median(milliseconds);
  const gflops = (imagesPerSecond * flopsPerImage(net)) / 1e9;
  const [first] = /** @type {[WorkerReport]} */ (reports);
  return {
    bench: 'training',
    net,
    runtime,
    layout,
    threads,
    imagesPerSecond,
    bestImagesPerSecond: (1000 * batchSize) / Math.min(...milliseconds),
    gflops,
    shareOfPeak: gflops / (peak * threads),
    wasmMegabytes: first.wasmMegabytes ?? null,
    peakMegabytes: Math.max(...reports.map((report) => report.peakMegabytes)),
    module: first.module ?? null,
    version: first.version,
    batchSize,
    steps: milliseconds.length,
  };
}

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? Number(sorted[middle]) : (Number(sorted[middle - 1]) + Number(sorted[middle])) / 2;
}

/** Losses of the first steps, which must agree before any time means something. */
const COMPARED_STEPS = 2;
const TOLERANCE = 1e-3;

/**
 * @param {{ setup: Setup, report: WorkerReport }[]} runs of one net
 * @throws {Error} where two runs on the same batches disagree
 */
export function checkLosses(runs) {
  const firstLosses = (/** @type {WorkerReport} */ { losses }) => losses.slice(0, COMPARED_STEPS);
  for (const batchSize of new Set(runs.map(({ setup }) => setup.batchSize))) {
    const group = runs.filter(({ setup }) => setup.batchSize === batchSize);
    const [reference, ...others] = /** @type {[(typeof runs)[0], ...typeof runs]} */ (group);
    const expected = firstLosses(reference.report);
    for (const { setup, report } of others) {
      const agrees = firstLosses(report).every((loss, i) => Math.abs(loss - Number(expected[i])) < TOLERANCE);
      if (!agrees)
        throw new Error(`${name(setup)}: first losses ${firstLosses(report)}; ${name(reference.setup)}: ${expected}`);
    }
  }
}

/** @param {Setup} setup */
export function name({ net, runtime, threads, layout }) {
  return `net ${net}, ${runtime}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${layout}`;
}
