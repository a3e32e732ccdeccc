// Where a training step of the engine spends its time, by stage and direction. argv[2] is a ProfileTask as JSON.

import { firstBatch } from './initialState.mjs';
import { loadInternals } from './internals.mjs';
import { BATCH_SIZE, netOptions } from './nets.mjs';
import { percent, printRows, rounded } from './output.mjs';
import { readModel } from './recordedStep.mjs';
import { median } from './trainingRuns.mjs';

/**
 * @typedef {object} ProfileTask
 * @property {import('./nets.mjs').Net} net
 * @property {number} threads
 * @property {number} steps to time
 * @property {number} peak GFLOP/s of a thread
 * @property {boolean} json
 */

/** @typedef {import('../src/graph/stage').Stage} Stage */
/** @typedef {import('../src/engine/passTimer').PassTime} PassTime */
/** @typedef {{ stage: string, direction: PassTime['direction'] | 'all', milliseconds: number, flops: number, bytes: number }} Timing */

const WARM_UP_STEPS = 5;

/** @type {ProfileTask} */
const { net, threads, steps, peak, json } = JSON.parse(String(process.argv[2]));
const { createTrainingEngine, readStages } = await loadInternals();
const { graph, weights } = await readModel(readStages, netOptions(net));
const engine = await createTrainingEngine({
  graph,
  weights,
  batchSize: BATCH_SIZE,
  optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 },
  inputRange: [0, 1],
  threads,
});
const batch = await firstBatch(BATCH_SIZE);

/** Milliseconds of each pass, one for each step. @type {Map<string, { pass: PassTime, milliseconds: number[] }>} */
const passes = new Map();
for (let step = 0; step < WARM_UP_STEPS + steps; step++) {
  const { profile = [] } = await engine.step(batch, { learningRate: 1e-5, dropoutSeed: step, profile: true });
  if (step < WARM_UP_STEPS) continue;
  for (const pass of profile) {
    const key = `${pass.stage} ${pass.direction}`;
    const found = passes.get(key) ?? { pass, milliseconds: [] };
    found.milliseconds[step - WARM_UP_STEPS] = (found.milliseconds[step - WARM_UP_STEPS] ?? 0) + pass.milliseconds;
    passes.set(key, found);
  }
}
await engine.dispose();

const timings = [...passes.values()].map(({ pass: { stage, direction }, milliseconds }) => ({
  stage,
  direction,
  milliseconds: median(milliseconds),
  ...workOf(stage, direction),
}));
printRows([...timings, ...sumsOf(timings)].map(rowOf), {
  json,
  columns: {
    net: () => net,
    threads: () => threads,
    stage: ({ stage }) => stage,
    direction: ({ direction }) => direction,
    ms: ({ milliseconds }) => rounded(milliseconds),
    'GFLOP/s': ({ gflops }) => rounded(gflops),
    'of peak': ({ shareOfPeak }) => (shareOfPeak === null ? '' : percent(shareOfPeak)),
    'GB/s': ({ gigabytesPerSecond }) => rounded(gigabytesPerSecond),
  },
});

/** @param {Timing} timing */
function rowOf({ stage, direction, milliseconds, flops, bytes }) {
  const gflops = flops === 0 ? null : flops / milliseconds / 1e6;
  const shareOfPeak = gflops === null ? null : gflops / (peak * threads);
  const gigabytesPerSecond = bytes === 0 ? null : bytes / milliseconds / 1e6;
  return { bench: 'profile', net, threads, stage, direction, milliseconds, gflops, shareOfPeak, gigabytesPerSecond };
}

/**
 * One for each kind of stage and direction, and the whole step.
 *
 * @param {Timing[]} timings
 */
function sumsOf(timings) {
  const kinds = new Map(graph.stages.map((stage) => [stage.name, kindOf(stage)]));
  /** @type {Map<string, Timing>} */
  const sums = new Map();
  /** @type {Timing} */
  const step = { stage: 'the step', direction: 'all', milliseconds: 0, flops: 0, bytes: 0 };
  for (const timing of timings) {
    const stage = `all ${kinds.get(timing.stage) ?? 'else'}`;
    const key = `${stage} ${timing.direction}`;
    const sum = sums.get(key) ?? { stage, direction: timing.direction, milliseconds: 0, flops: 0, bytes: 0 };
    sums.set(key, sum);
    for (const total of [sum, step]) {
      total.milliseconds += timing.milliseconds;
      total.flops += timing.flops;
      total.bytes += timing.bytes;
    }
  }
  return [...sums.values(), step];
}

function kindOf(/** @type {Stage} */ stage) {
  if (stage.kind !== 'conv') return stage.kind;
  return `${stage.window.kernelHeight}x${stage.window.kernelWidth} convolutions`;
}

/**
 * Products, and the bytes of the tensors that each of them reads and writes once.
 *
 * @param {string} name
 * @param {PassTime['direction']} direction
 */
function workOf(name, direction) {
  const stage = graph.stages.find((candidate) => candidate.name === name);
  if (!stage || (direction !== 'forward' && direction !== 'backward')) return { flops: 0, bytes: 0 };
  const floats = (/** @type {import('../src/graph/stage').FeatureSize} */ { height, width, channels }) =>
    BATCH_SIZE * height * width * channels;
  const [input, output] = [floats(stage.input), floats(stage.output)];
  const product = 2 * output * termsOf(stage);
  if (direction === 'forward') return { flops: product, bytes: 4 * (input + output) };
  const isFirst = stage === graph.stages[0];
  // A convolution reads x, dy and z for the weights and again for the input, and writes the gradient of x; a depthwise
  // stage does both at once.
  const sharesLoads = stage.kind !== 'conv';
  const reads = (input + 2 * output) * (sharesLoads || isFirst ? 1 : 2);
  return { flops: product * (isFirst ? 1 : 2), bytes: 4 * (reads + (isFirst ? 0 : input)) };
}

/** Products that an output is the sum of. */
function termsOf(/** @type {Stage} */ stage) {
  if (stage.kind === 'conv') return stage.window.kernelHeight * stage.window.kernelWidth * stage.input.channels;
  if (stage.kind === 'depthwise') return stage.window.kernelHeight * stage.window.kernelWidth;
  return 0;
}
