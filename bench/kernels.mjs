// Every kernel that training runs on, alone, on the layer shapes of MobileNet: the map for further work.
//
//   npm run bench:kernels -- --help
//
// A training step is run once with every call written down; each call is then checked on some outputs against a plain loop
// and repeated on the same memory, in one thread. Tensors that fit the last cache stay in it, so that a pass over memory is
// faster here than within a step.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { loadInternals } from './internals.mjs';
import { kernelModels } from './kernelModels/index.mjs';
import { agrees, viewsOf } from './kernelModels/plainLoop.mjs';
import { netNames } from './nets.mjs';
import { hasRelaxedSimd, nodeWithRelaxedSimd } from './nodes.mjs';
import { listOf, percent, printRows, rounded } from './output.mjs';
import { measurePeak } from './peak.mjs';
import { recordStep } from './recordedStep.mjs';

/** @typedef {import('./recordedStep.mjs').KernelCall} KernelCall */
/** @typedef {import('./recordedStep.mjs').RecordedStep} RecordedStep */
/** @typedef {import('./kernelModels/plainLoop.mjs').KernelModel} KernelModel */
/** @typedef {'simd' | 'relaxed-simd'} ModuleName */

/**
 * A kernel on one shape, or, where the shape is the net's name, on all of the net's.
 *
 * @typedef {object} KernelRow
 * @property {'kernels'} bench
 * @property {import('./nets.mjs').Net} net
 * @property {string} kernel
 * @property {ModuleName} module
 * @property {string} shape
 * @property {number | null} gflops
 * @property {number} gigabytesPerSecond
 * @property {number | null} shareOfPeak
 * @property {number} milliseconds of one call, or of all calls in a step
 * @property {number} calls in a step
 */

/** @type {ModuleName[]} */
const modules = ['simd', 'relaxed-simd'];
const GEMM_GOAL = 0.9;
const MEASURE_MS = 100;
const MOST_REPEATS = 15;
const SAMPLES = 12;

/** What else a training may run on; of these only kernels that Adam's step does not have are measured. */
/** @type {import('./recordedStep.mjs').Variant[]} */
const variants = [
  { optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 }, dropout: 0 },
  { optimizer: { kind: 'sgd', weightDecay: 0 }, dropout: 0.5, clipNorm: 1 },
  { optimizer: { kind: 'momentum', momentum: 0.9, nesterov: true, weightDecay: 0 }, dropout: 0, averageDecay: 0.99 },
  { optimizer: { kind: 'rmsprop', decay: 0.9, momentum: 0, epsilon: 1e-7, weightDecay: 0 }, dropout: 0, share: 0.5 },
];

const options = parseOptions();
if (hasRelaxedSimd) await main();
else execFileSync(nodeWithRelaxedSimd(), process.argv.slice(1), { stdio: 'inherit' });

async function main() {
  const internals = await loadInternals();
  const peak = await measurePeak();
  /** @type {KernelRow[]} */
  const rows = [];
  for (const net of options.net) {
    for (const module of options.module) {
      const wasm = readFileSync(fileURLToPath(new URL(`../dist/wasm/${module}.wasm`, import.meta.url)));
      /** @type {Set<string>} */
      const measured = new Set();
      for (const variant of variants) {
        const step = await recordStep(internals, new Uint8Array(wasm), { net, ...variant });
        const calls = step.calls.filter(({ kernel }) => !measured.has(kernel) && isWanted(kernel));
        for (const { kernel } of calls) measured.add(kernel);
        rows.push(
          ...measureCalls(step, calls)
            .map((row) => ({ ...row, net, module }))
            .map(withShare),
        );
      }
    }
  }
  const totals = totalsOf(rows).map(withShare);
  print([...rows, ...totals], totals, peak);

  /** @param {Omit<KernelRow, 'shareOfPeak'>} row */
  function withShare(row) {
    return { ...row, shareOfPeak: row.gflops === null ? null : row.gflops / peak };
  }
}

/** @param {string} kernel */
function isWanted(kernel) {
  return kernelModels.has(kernel) && (options.kernel === undefined || kernel.includes(options.kernel));
}

/**
 * A row for each kernel and shape.
 *
 * @param {RecordedStep} step
 * @param {KernelCall[]} calls
 */
function measureCalls(step, calls) {
  /** @type {Map<string, { call: KernelCall, model: KernelModel, count: number }>} */
  const cases = new Map();
  for (const call of calls) {
    const model = /** @type {import('./kernelModels/plainLoop.mjs').DescribeCall} */ (kernelModels.get(call.kernel))(
      call.args,
    );
    const key = `${call.kernel} ${model.shape}`;
    const found = cases.get(key) ?? { call, model, count: 0 };
    found.count += 1;
    cases.set(key, found);
  }
  return [...cases.values()].map(({ call, model, count }) => {
    checkCall(step, call, model);
    const milliseconds = medianTime(step, call);
    return {
      bench: /** @type {const} */ ('kernels'),
      kernel: call.kernel,
      shape: model.shape,
      ...ratesOf(model, milliseconds),
      milliseconds,
      calls: count,
    };
  });
}

/**
 * @param {{ flops: number, bytes: number }} work
 * @param {number} milliseconds
 */
function ratesOf({ flops, bytes }, milliseconds) {
  return { gflops: flops === 0 ? null : flops / milliseconds / 1e6, gigabytesPerSecond: bytes / milliseconds / 1e6 };
}

/**
 * @param {RecordedStep} step
 * @param {KernelCall} call
 * @param {KernelModel} model
 */
function checkCall({ memory, kernels }, { kernel, args }, { shape, sample }) {
  const before = viewsOf(memory.buffer.slice(0));
  const result = kernels[kernel](...args);
  const after = viewsOf(memory.buffer);
  // The same outputs each time: a multiplicative sequence of full period.
  let state = 1;
  const pick = (/** @type {number} */ count) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % count;
  };
  for (let i = 0; i < SAMPLES; i++) {
    for (const output of sample(before, after, pick, result)) {
      if (!agrees(output)) throw new Error(`${kernel}, ${shape}: ${JSON.stringify(output)}`);
    }
  }
}

/**
 * @param {RecordedStep} step
 * @param {KernelCall} call
 */
function medianTime({ kernels }, { kernel, args }) {
  const run = kernels[kernel];
  // Short calls are timed in bundles, for the clock's sake.
  const once = timeOf(() => run(...args));
  const bundle = Math.max(1, Math.ceil(0.2 / Math.max(once, 1e-3)));
  const times = [];
  const end = performance.now() + MEASURE_MS;
  while (times.length < 3 || (times.length < MOST_REPEATS && performance.now() < end)) {
    times.push(
      timeOf(() => {
        for (let i = 0; i < bundle; i++) run(...args);
      }) / bundle,
    );
  }
  return Number(times.sort((a, b) => a - b)[Math.floor(times.length / 2)]);
}

/** @param {() => void} work */
function timeOf(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/**
 * A row for each kernel over all of a net's layers, weighted by how often a step calls it.
 *
 * @param {KernelRow[]} rows
 */
function totalsOf(rows) {
  /** @type {Map<string, KernelRow[]>} */
  const groups = new Map();
  for (const row of rows) {
    const key = `${row.net} ${row.module} ${row.kernel}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
    // Matrix products apart from the 3x3 stem, which the goal is not about.
    if (row.kernel.startsWith('f32Conv') && row.shape.startsWith('1x1')) {
      groups.set(`${key} 1x1`, [...(groups.get(`${key} 1x1`) ?? []), row]);
    }
  }
  return [...groups].map(([key, group]) => {
    const [{ net, module, kernel }] = /** @type {[KernelRow]} */ (group);
    const total = (/** @type {(row: KernelRow) => number} */ value) =>
      group.reduce((sum, row) => sum + value(row) * row.calls, 0);
    const milliseconds = total((row) => row.milliseconds);
    const work = {
      flops: total((row) => (row.gflops ?? 0) * row.milliseconds * 1e6),
      bytes: total((row) => row.gigabytesPerSecond * row.milliseconds * 1e6),
    };
    const shape = key.endsWith('1x1') ? `all 1x1 layers of ${net}` : `all of ${net}`;
    const calls = group.reduce((sum, row) => sum + row.calls, 0);
    return {
      bench: /** @type {const} */ ('kernels'),
      net,
      kernel,
      module,
      shape,
      ...ratesOf(work, milliseconds),
      milliseconds,
      calls,
    };
  });
}

/**
 * @param {KernelRow[]} rows
 * @param {KernelRow[]} totals
 * @param {number} peak
 */
function print(rows, totals, peak) {
  const { json } = options;
  const columns = {
    net: (/** @type {KernelRow} */ { net }) => net,
    kernel: (/** @type {KernelRow} */ { kernel }) => kernel,
    module: (/** @type {KernelRow} */ { module }) => module,
    shape: (/** @type {KernelRow} */ { shape }) => shape,
    calls: (/** @type {KernelRow} */ { calls }) => calls,
    ms: (/** @type {KernelRow} */ { milliseconds }) => rounded(milliseconds),
    'GFLOP/s': (/** @type {KernelRow} */ { gflops }) => rounded(gflops),
    'GB/s': (/** @type {KernelRow} */ { gigabytesPerSecond }) => rounded(gigabytesPerSecond),
    'of peak': (/** @type {KernelRow} */ { shareOfPeak }) => (shareOfPeak === null ? '' : percent(shareOfPeak)),
  };
  printRows([{ bench: 'peak', gflops: peak }], {
    json,
    columns: { 'f32 SIMD peak of a thread, GFLOP/s': ({ gflops }) => rounded(gflops) },
  });
  printRows(rows, { json, columns });
  printRows(totals.flatMap(gemmRatio), {
    json,
    columns: {
      ratio: ({ name }) => name,
      module: ({ module }) => module,
      value: ({ value }) => percent(value),
      goal: ({ goal }) => goal,
      met: ({ met }) => (met ? 'yes' : 'no'),
    },
  });
}

/**
 * @param {KernelRow} row
 * @returns {import('./trainingGoals.mjs').Ratio[]}
 */
function gemmRatio({ kernel, module, shape, shareOfPeak: value }) {
  const isGemm = shape.startsWith('all 1x1') || kernel === 'f32PointwiseInputGradient';
  if (!isGemm || value === null) return [];
  const name = `${kernel}, ${shape}, share of peak`;
  return [{ bench: 'ratio', name, module, value, goal: `at least ${GEMM_GOAL}`, met: value >= GEMM_GOAL }];
}

function parseOptions() {
  const program = new Command('npm run bench:kernels --')
    .description("The engine's kernels alone, one thread, on the layer shapes of MobileNet at batch 128 and 32x32.")
    .option('--net <names>', 'A: alpha 1, stem stride 2; B: stride 1; C: alpha 0.5, stride 1', listOf(netNames), ['A'])
    .option('--module <names>', 'of simd, relaxed-simd', listOf(modules), modules)
    .option('--kernel <text>', 'only kernels whose name contains it')
    .option('--json', 'one JSON object a line instead of tables', false)
    .allowExcessArguments(false)
    .parse();
  /** @type {{ net: import('./nets.mjs').Net[], module: ModuleName[], kernel?: string, json: boolean }} */
  const parsed = program.opts();
  return parsed;
}
