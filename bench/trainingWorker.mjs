// One training run in a process of its own, so that its memory is its own: argv[2] is a WorkerTask as JSON, the last line
// on stdout a WorkerReport.
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { mobilenetV1, trainClassifier } from 'mobilenet-v1-ts';
import { pictures } from './initialState.mjs';
import { netOptions } from './nets.mjs';

/**
 * @typedef {object} WorkerTask
 * @property {import('./nets.mjs').Net} net
 * @property {'cpu' | 'wasm'} backend
 * @property {'tfjs' | 'fused'} engine
 * @property {number} threads
 * @property {number} batchSize
 * @property {number} warmUpSteps
 * @property {number} steps
 */

/**
 * What a run tells, in JavaScript or in PyTorch.
 *
 * @typedef {object} WorkerReport
 * @property {number[]} losses of the first steps, the warm-up's among them
 * @property {number[]} milliseconds of the steps after the warm-up
 * @property {number} peakMegabytes of the process
 * @property {string} version of Node or PyTorch
 * @property {string} [module]
 * @property {number} [wasmMegabytes]
 */

/** @type {WorkerTask} */
const { net, backend, engine, threads, batchSize, warmUpSteps, steps } = JSON.parse(String(process.argv[2]));
await tf.setBackend(backend);
const model = mobilenetV1(netOptions(net));
/** @type {number[]} */
const losses = [];
/** @type {number[]} */
const ends = [];
const result = await trainClassifier(model, pictures(batchSize * (warmUpSteps + steps)), {
  engine,
  threads,
  batchSize,
  optimizer: 'adam',
  learningRate: 1e-5,
  shuffle: false,
  seed: 1,
  onBatch({ loss }) {
    losses.push(loss);
    ends.push(performance.now());
  },
});
if (engine === 'fused' && result.threads !== threads) {
  throw new Error(`The engine ran on ${result.threads} threads, not on ${threads}.`);
}
/** @type {WorkerReport} */
const report = {
  losses,
  milliseconds: ends.slice(warmUpSteps).map((end, i) => end - Number(ends[warmUpSteps + i - 1])),
  peakMegabytes: process.resourceUsage().maxRSS / 1024,
  version: process.version,
  module: result.module,
  wasmMegabytes: result.megabytes,
};
console.log(JSON.stringify(report));
