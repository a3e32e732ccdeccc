// Training images a second on tfjs's wasm backend with this library's kernels, against tfjs's own cpu backend.
//
//   npm run bench:backends -- [--json] [--steps N]
//
// MobileNetV1, alpha 1, 32x32, stem stride 2. Both backends first train two steps from the same weights on the same
// pictures, and their losses must agree; then wasm is timed at batch 128, and cpu on fewer and smaller steps.
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { mobilenetV1, syntheticCifar10, takeDataset, trainClassifier } from 'mobilenet-v1-ts';

const { values } = parseArgs({ options: { json: { type: 'boolean' }, steps: { type: 'string', default: '10' } } });
const steps = Number(values.steps);
if (!(Number.isInteger(steps) && steps > 0))
  throw new Error(`--steps: expected an integer above 0, received ${values.steps}`);

/** @typedef {'wasm' | 'cpu'} Backend */

const BATCH_SIZE = { wasm: 128, cpu: 8 };
const { train } = syntheticCifar10({ train: 128 * (steps + 1), test: 10, seed: 1 });

await checkResults();
const wasm = await measure('wasm', steps);
const cpu = await measure('cpu', Math.min(3, steps));
print({ bench: 'backends', wasmOverCpu: wasm / cpu }, `wasm is ${(wasm / cpu).toFixed(0)} times as fast as cpu`);

/** Losses of two steps on a few pictures agree, or the timing means nothing. */
async function checkResults() {
  const few = takeDataset(train, 8);
  const [onWasm, onCpu] = [await lossesOf('wasm'), await lossesOf('cpu')];
  const difference = Math.max(...onWasm.map((loss, i) => Math.abs(loss - Number(onCpu[i]))));
  if (!(difference < 1e-3)) throw new Error(`wasm and cpu disagree: losses ${onWasm} and ${onCpu}`);

  /** @param {Backend} backend */
  async function lossesOf(backend) {
    /** @type {number[]} */
    const losses = [];
    await run(backend, few, { batchSize: 4, onBatch: ({ loss }) => void losses.push(loss) });
    return losses;
  }
}

/**
 * Images a second: the median of the steps after the first, which warms up.
 *
 * @param {Backend} backend
 * @param {number} timedSteps
 */
async function measure(backend, timedSteps) {
  const batchSize = BATCH_SIZE[backend];
  /** @type {number[]} */
  const ends = [];
  await run(backend, takeDataset(train, batchSize * (timedSteps + 1)), {
    batchSize,
    onBatch: () => void ends.push(performance.now()),
  });
  const seconds = ends.slice(1).map((end, i) => (end - Number(ends[i])) / 1000);
  const imagesPerSecond = batchSize / Number(seconds.sort((a, b) => a - b)[Math.floor(seconds.length / 2)]);
  const result = { bench: 'backends', backend, batchSize, imagesPerSecond };
  print(
    result,
    `${backend}: ${imagesPerSecond.toFixed(2)} images/s, batch ${batchSize}, median of ${timedSteps} steps`,
  );
  return imagesPerSecond;
}

/**
 * @param {Backend} backend
 * @param {import('mobilenet-v1-ts').ImageDataset} dataset
 * @param {import('mobilenet-v1-ts').TrainClassifierOptions} options
 */
async function run(backend, dataset, options) {
  await tf.setBackend(backend);
  const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], dropout: 0, seed: 1 });
  await trainClassifier(model, dataset, { engine: 'tfjs', shuffle: false, learningRate: 1e-5, seed: 1, ...options });
  model.dispose();
}

/**
 * @param {object} result
 * @param {string} text
 */
function print(result, text) {
  console.log(values.json ? JSON.stringify(result) : text);
}
