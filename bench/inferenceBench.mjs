// What bench:inference and bench:browser have in common: options, turns, and what is printed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { ratiosOf } from './inferenceGoals.mjs';
import { modelNames } from './inferenceModels.mjs';
import { jobsOf, name, runtimesOf, summarize } from './inferenceRuns.mjs';
import { writeInferenceState } from './inferenceState.mjs';
import { listOf, positiveInteger, printRows, rounded } from './output.mjs';
import { fetchPeers } from './peers.mjs';

/** Of the fastest call's speed, what the median of a quiet machine does not fall below. */
const QUIET = 0.75;

/**
 * @typedef {object} Place where jobs run: a Node, or Chromium
 * @property {string} version
 * @property {(job: import('./inferenceRuntimes.mjs').Job & { seconds: number }) => Promise<import('./inferenceMeasure.mjs').Report>} run
 */

/**
 * @typedef {object} Opened
 * @property {Place[]} places
 * @property {import('./inferenceRuns.mjs').Runtime[]} [without] what cannot run
 * @property {() => void} [close]
 */

/** @typedef {import('./inferenceRuns.mjs').Choice & { runs: number, seconds: number, folder?: string, json: boolean }} Options */

/**
 * The jobs take turns in rounds, so that all of them meet the same moods of the machine, and the median counts over all
 * calls of all rounds. Each run has a process of its own, and compares its results before it times anything: where they
 * differ, the bench ends.
 *
 * @param {import('./inferenceRuns.mjs').Where} where
 * @param {Options} options
 * @param {(folder: string) => Promise<Opened>} open is told where each model has its folder
 */
export async function runBench(where, options, open) {
  fetchPeers();
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'bench-inference-'));
  try {
    for (const model of options.model) await writeInferenceState(model, join(folder, model));
    const { places, without = [], close } = await open(folder);
    const runtime = options.runtime.filter((name) => !without.includes(name));
    try {
      print(await measureAll(where, { ...options, runtime }, places), options.json);
    } finally {
      close?.();
    }
  } finally {
    if (options.folder === undefined) rmSync(folder, { recursive: true });
  }
}

/**
 * @param {import('./inferenceRuns.mjs').Where} where
 * @param {Options} options
 * @param {Place[]} places
 */
async function measureAll(where, options, places) {
  const entries = jobsOf(where, options).flatMap((job) =>
    places.map((place) => ({ job, place, reports: /** @type {import('./inferenceMeasure.mjs').Report[]} */ ([]) })),
  );
  for (let round = 1; round <= options.runs; round++) {
    for (const { job, place, reports } of entries) {
      console.error(`run ${round} of ${options.runs}: ${place.version}, ${name(job)}`);
      reports.push(await place.run({ ...job, seconds: options.seconds }));
    }
  }
  return entries.flatMap(({ job, place, reports }) => summarize(job, reports, { where, version: place.version }));
}

/**
 * @param {import('./inferenceRuns.mjs').InferenceRow[]} rows
 * @param {boolean} json
 */
function print(rows, json) {
  printRows(rows, {
    json,
    columns: {
      model: ({ model }) => model,
      runtime: ({ runtime }) => runtime,
      in: ({ version }) => version,
      module: ({ module }) => module,
      precision: ({ precision }) => precision,
      threads: ({ threads }) => threads,
      batch: ({ batchSize }) => batchSize,
      'median ms': ({ medianMs }) => rounded(medianMs),
      'p95 ms': ({ p95Ms }) => rounded(p95Ms),
      'best ms': ({ bestMs }) => rounded(bestMs),
      'images/s': ({ imagesPerSecond }) => rounded(imagesPerSecond),
      'load ms': ({ loadMs }) => rounded(loadMs),
      'first ms': ({ firstMs }) => rounded(firstMs),
      'wasm MB': ({ wasmMegabytes }) => rounded(wasmMegabytes),
      MB: ({ megabytes }) => rounded(megabytes),
      calls: ({ calls }) => calls,
    },
  });
  printRows(ratiosOf(rows), {
    json,
    columns: {
      ratio: ({ name }) => name,
      in: ({ version }) => version,
      value: ({ value }) => rounded(value),
      goal: ({ goal }) => goal,
      met: ({ met }) => (met ? 'yes' : 'no'),
    },
  });
  for (const { version, model, runtime, precision, threads, batchSize, bestMs, medianMs } of rows) {
    if (bestMs > QUIET * medianMs) continue;
    const what = name({ model, runtime, precision, threads });
    console.error(`Not to be relied on: ${version}, ${what}, batch ${batchSize}: the median is far from the fastest.`);
  }
}

/**
 * The options of both commands.
 *
 * @param {string} command
 * @param {import('./inferenceRuns.mjs').Where} where
 */
export function commandOf(command, where) {
  const runtimes = runtimesOf(where);
  /** @type {import('./inferenceRuns.mjs').Precision[]} */
  const precisions = ['float32', 'int8'];
  return new Command(`npm run ${command} --`)
    .option('--model <names>', 'alpha, and the size of the pictures', listOf(modelNames), modelNames)
    .option('--runtime <names>', `of ${runtimes.join(', ')}`, listOf(runtimes), runtimes)
    .option('--precision <names>', 'where a runtime has both', listOf(precisions), precisions)
    .option('--threads <counts>', 'where a runtime has them', (text) => text.split(',').map(positiveInteger), [1, 2])
    .option('--runs <number>', 'of each setup, which take turns; each is a process of its own', positiveInteger, 3)
    .option('--seconds <number>', 'of timing, for each run and batch size', seconds, 1)
    .option('--folder <path>', 'keeps there the models in the format of each runtime')
    .option('--json', 'one JSON object a line instead of tables', false)
    .allowExcessArguments(false);
}

/** @param {string} text */
function seconds(text) {
  const value = Number(text);
  if (!(value > 0 && value < 3600)) throw new InvalidArgumentError('Expected a number of seconds above 0.');
  return value;
}
