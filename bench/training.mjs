// Training images a second of the engine and of its peers, and the goals.
//
//   npm run bench:training -- --help
//
// Each run has a process of its own, one at a time; the setups take turns in rounds, so that all of them meet the same
// moods of the machine, and the median counts over all steps of all rounds. The first losses of all runs of a net must
// agree, or nothing is printed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { writeInitialState } from './initialState.mjs';
import { netNames } from './nets.mjs';
import { hasRelaxedSimd, nodeWithRelaxedSimd } from './nodes.mjs';
import { listOf, percent, positiveInteger, printRows, rounded } from './output.mjs';
import { ratiosOf } from './trainingGoals.mjs';
import { checkLosses, isQuick, name, runSetup, runtimes, setupsOf, summarize } from './trainingRuns.mjs';

/** Of the fastest step's speed, what the median of a quiet machine does not fall below. */
const QUIET = 0.75;

/** @typedef {{ setup: import('./trainingRuns.mjs').Setup, report: import('./trainingRuns.mjs').WorkerReport }} Run */

const options = parseOptions();
const newestNode = nodeWithRelaxedSimd();
const executables = {
  nodes: hasRelaxedSimd ? [process.execPath] : [newestNode, process.execPath],
  python: options.runtime.includes('pytorch') ? findPython() : undefined,
};
const setups = options.net.flatMap((net) => setupsOf(net, options, executables));
const folder = mkdtempSync(join(tmpdir(), 'bench-training-'));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true });
}

async function main() {
  for (const net of options.net) await writeInitialState(net, join(folder, net));
  const peaks = [measurePeak()];
  const runs = await runAll();
  // A second look, in case something else ran during the first.
  peaks.push(measurePeak());
  const peak = Math.max(...peaks);
  const rows = setups.map((setup) =>
    summarize(
      setup,
      runs.filter((run) => run.setup === setup).map(({ report }) => report),
      peak,
    ),
  );
  print(rows, peak);
  for (const { net, runtime, threads, imagesPerSecond, bestImagesPerSecond } of rows) {
    if (imagesPerSecond > QUIET * bestImagesPerSecond) continue;
    console.error(`Not to be relied on: ${net}, ${runtime}, ${threads}: the median step is far from the fastest.`);
  }
  if (options.profile) await printProfiles(peak);
}

/** Every setup in turn, `--rounds` times. */
async function runAll() {
  /** @type {Run[]} */
  const runs = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const setup of setups) {
      if (round > 0 && !isQuick(setup)) continue;
      console.error(`round ${round + 1} of ${options.rounds}: ${name(setup)}`);
      runs.push({ setup, report: await runSetup(setup, Math.ceil(options.steps / options.rounds), folder) });
    }
    if (round === 0) await checkFirstLosses(runs);
  }
  return runs;
}

/** @param {Run[]} runs */
async function checkFirstLosses(runs) {
  for (const net of options.net) {
    const ofNet = runs.filter(({ setup }) => setup.net === net);
    // Who took smaller batches than the others, as tfjs does, is compared on the same ones with the engine and another peer.
    for (const { setup: slow } of [...new Map(ofNet.map((run) => [run.setup.batchSize, run])).values()]) {
      for (const runtime of /** @type {const} */ (['engine', 'tfjs-wasm'])) {
        const isThere = ofNet.some(({ setup }) => setup.batchSize === slow.batchSize && setup.runtime === runtime);
        if (isThere || (runtime === 'tfjs-wasm' && isQuick(slow))) continue;
        const setup = { ...slow, runtime, executable: process.execPath };
        ofNet.push({ setup, report: await runSetup(setup, 1, folder) });
      }
    }
    checkLosses(ofNet);
  }
}

/** GFLOP/s of one thread, on the runtime that knows relaxed SIMD. */
function measurePeak() {
  const peakModule = new URL('peak.mjs', import.meta.url);
  const script = `import { measurePeak } from '${peakModule}'; console.log(await measurePeak());`;
  return Number(execFileSync(newestNode, ['--input-type=module', '--eval', script], { encoding: 'utf8' }));
}

/**
 * @param {import('./trainingRuns.mjs').TrainingRow[]} rows
 * @param {number} peak
 */
function print(rows, peak) {
  const { json } = options;
  printRows([{ bench: 'peak', gflops: peak }], {
    json,
    columns: { 'f32 SIMD peak of a thread, GFLOP/s': ({ gflops }) => rounded(gflops) },
  });
  printRows(rows, {
    json,
    columns: {
      net: ({ net }) => net,
      runtime: ({ runtime, version }) => `${runtime} (${version})`,
      module: ({ module }) => module,
      layout: ({ layout }) => layout,
      threads: ({ threads }) => threads,
      batch: ({ batchSize }) => batchSize,
      'images/s': ({ imagesPerSecond }) => rounded(imagesPerSecond),
      best: ({ bestImagesPerSecond }) => rounded(bestImagesPerSecond),
      'GFLOP/s': ({ gflops }) => rounded(gflops),
      'of peak': ({ shareOfPeak }) => percent(shareOfPeak),
      'wasm MB': ({ wasmMegabytes }) => rounded(wasmMegabytes),
      'peak MB': ({ peakMegabytes }) => rounded(peakMegabytes),
      steps: ({ steps }) => steps,
    },
  });
  printRows(ratiosOf(rows), {
    json,
    columns: {
      ratio: ({ name }) => name,
      module: ({ module }) => module,
      value: ({ value }) => rounded(value),
      goal: ({ goal }) => goal,
      met: ({ met }) => (met ? 'yes' : 'no'),
    },
  });
}

/** @param {number} peak */
async function printProfiles(peak) {
  for (const net of options.net) {
    for (const threads of options.threads) {
      const script = fileURLToPath(new URL('trainingProfile.mjs', import.meta.url));
      const args = [script, JSON.stringify({ net, threads, peak, json: options.json, steps: options.steps })];
      execFileSync(newestNode, args, { stdio: 'inherit' });
    }
  }
}

function findPython() {
  try {
    execFileSync('python3', ['-c', 'import torch'], { stdio: 'ignore' });
    return 'python3';
  } catch {
    console.error('No python3 with torch is found: PyTorch is left out.');
    return undefined;
  }
}

function parseOptions() {
  const program = new Command('npm run bench:training --')
    .description('Training images a second at batch 128 and 32x32: the engine, tfjs and PyTorch.')
    .option(
      '--net <names>',
      'A: alpha 1, stem stride 2; B: alpha 1, stem stride 1; C: alpha 0.5, stem stride 1',
      listOf(netNames),
      netNames,
    )
    .option('--runtime <names>', 'of engine, tfjs-cpu, tfjs-wasm, pytorch', listOf(runtimes), runtimes)
    .option(
      '--threads <counts>',
      'of the engine and of PyTorch',
      (text) => text.split(',').map(positiveInteger),
      [1, 2],
    )
    .option(
      '--steps <number>',
      'that are timed, over all rounds; tfjs cpu takes 3, of smaller batches',
      positiveInteger,
      12,
    )
    .option('--rounds <number>', 'in which the setups take turns', positiveInteger, 3)
    .option('--profile', 'also milliseconds and GB/s of each stage and direction in the engine', false)
    .option('--json', 'one JSON object a line instead of tables', false)
    .allowExcessArguments(false)
    .parse();
  /** @type {{ net: import('./nets.mjs').Net[], runtime: import('./trainingRuns.mjs').Runtime[], threads: number[], steps: number, rounds: number, profile: boolean, json: boolean }} */
  const parsed = program.opts();
  return parsed;
}
