// What the engine should reach, as ratios of rows of one run.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** @typedef {import('./trainingRuns.mjs').TrainingRow} TrainingRow */

/**
 * @typedef {object} Ratio
 * @property {'ratio'} bench
 * @property {string} name
 * @property {string | null} module which of the engine's
 * @property {number} value
 * @property {string} goal
 * @property {boolean} met
 */

/** @param {Partial<TrainingRow>} wanted */
const is = (wanted) => (/** @type {TrainingRow} */ row) =>
  Object.entries(wanted).every(([key, value]) => row[/** @type {keyof TrainingRow} */ (key)] === value);

/** @typedef {{ name: string, engine: Partial<TrainingRow>, peer: Partial<TrainingRow>, atLeast: number }} SpeedGoal */

/** @type {SpeedGoal[]} */
const speedGoals = [
  ...[
    { net: /** @type {const} */ ('A'), threads: 2, atLeast: 1 },
    { net: /** @type {const} */ ('A'), threads: 1, atLeast: 1.8 },
    { net: /** @type {const} */ ('B'), threads: 2, atLeast: 1 },
    { net: /** @type {const} */ ('C'), threads: 2, atLeast: 1.2 },
  ].map(({ net, threads, atLeast }) => ({
    name: `${net}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, against PyTorch's better layout`,
    engine: { net, threads },
    peer: { net, threads, runtime: /** @type {const} */ ('pytorch') },
    atLeast,
  })),
  {
    name: "A, 2 threads, against PyTorch's default layout",
    engine: { net: 'A', threads: 2 },
    peer: { net: 'A', threads: 2, runtime: 'pytorch', layout: 'contiguous' },
    atLeast: 4,
  },
  {
    name: 'A, 2 threads, against tfjs cpu',
    engine: { net: 'A', threads: 2 },
    peer: { net: 'A', runtime: 'tfjs-cpu' },
    atLeast: 2000,
  },
  .../** @type {const} */ (['A', 'B', 'C']).map((net) => ({
    name: `${net}, 2 threads against 1`,
    engine: { net, threads: 2 },
    peer: { net, threads: 1, runtime: /** @type {const} */ ('engine') },
    atLeast: 1.85,
  })),
];

/**
 * Every goal that these rows can tell of, for each module that the engine ran with.
 *
 * @param {TrainingRow[]} rows
 * @returns {Ratio[]}
 */
export function ratiosOf(rows) {
  const engines = rows.filter(is({ runtime: 'engine' }));
  const modules = [...new Set(engines.map(({ module }) => module))];
  return [
    ...modules.flatMap((module) =>
      ratiosOfModule(
        rows.filter((row) => row.runtime !== 'engine' || row.module === module),
        module,
      ),
    ),
    ...(engines.length > 0 ? [moduleSize()] : []),
  ];
}

/**
 * @param {TrainingRow[]} rows of the engine only those with this module
 * @param {string | null} module
 * @returns {Ratio[]}
 */
function ratiosOfModule(rows, module) {
  const speeds = speedGoals.flatMap(({ name, engine, peer, atLeast }) => {
    const own = rows.find(is({ runtime: 'engine', ...engine }));
    const others = rows.filter(is(peer)).map(({ imagesPerSecond }) => imagesPerSecond);
    if (!own || others.length === 0) return [];
    return [atLeastGoal(name, module, own.imagesPerSecond / Math.max(...others), atLeast)];
  });
  const single = rows.find(is({ runtime: 'engine', net: 'A', threads: 1 }));
  const share = single ? [atLeastGoal('A, 1 thread, share of peak', module, single.shareOfPeak, 0.8)] : [];
  const largest = rows.find(is({ runtime: 'engine', net: 'A', threads: 2 })) ?? single;
  const memory = largest
    ? [atMostGoal("A, the engine's memory in MB", module, Number(largest.wasmMegabytes), 200)]
    : [];
  return [...speeds, ...share, ...memory];
}

/** @returns {Ratio} */
function moduleSize() {
  const folder = fileURLToPath(new URL('../dist/wasm/', import.meta.url));
  const bytes = readdirSync(folder).reduce((sum, name) => sum + gzipSync(readFileSync(folder + name)).length, 0);
  return atMostGoal('all wasm modules together, gzipped, in kB', null, bytes / 1000, 80);
}

/**
 * @param {string} name
 * @param {string | null} module
 * @param {number} value
 * @param {number} goal
 * @returns {Ratio}
 */
function atLeastGoal(name, module, value, goal) {
  return { bench: 'ratio', name, module, value, goal: `at least ${goal}`, met: value >= goal };
}

/**
 * @param {string} name
 * @param {string | null} module
 * @param {number} value
 * @param {number} goal
 * @returns {Ratio}
 */
function atMostGoal(name, module, value, goal) {
  return { bench: 'ratio', name, module, value, goal: `at most ${goal}`, met: value <= goal };
}
