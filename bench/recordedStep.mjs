// A training step of the engine, in this thread, with every call of a kernel written down. So a bench of kernels has the
// engine's own shapes, blocking and memory, whatever they become.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { mobilenetV1 } from 'mobilenet-v1-ts';
import { firstBatch } from './initialState.mjs';
import { BATCH_SIZE, netOptions } from './nets.mjs';

/** @typedef {keyof import('../src/kernels/engineKernels').EngineKernels} KernelName */
/** @typedef {import('../src/engine/session').SessionInit['optimizer']} OptimizerSettings */

/**
 * @typedef {object} KernelCall
 * @property {KernelName} kernel
 * @property {number[]} args
 */

/**
 * @typedef {object} RecordedStep
 * @property {KernelCall[]} calls of one step, and those of a prediction whose kernels no step calls
 * @property {WebAssembly.Memory} memory as the step left it
 * @property {Record<KernelName, (...args: number[]) => number>} kernels that work on it
 */

/**
 * What else a training may ask for.
 *
 * @typedef {object} Variant
 * @property {OptimizerSettings} optimizer
 * @property {number} dropout
 * @property {number} [clipNorm]
 * @property {number} [averageDecay] where an average of the weights is kept
 * @property {number} [share] below 1 each update is made from two batches
 */

/** Steps before the one that is written down, for V8 to compile with all optimizations. */
const WARM_UP_STEPS = 3;

/**
 * @param {import('./internals.mjs').Internals} internals
 * @param {Uint8Array<ArrayBuffer>} wasm for an unshared memory
 * @param {{ net: import('./nets.mjs').Net } & Variant} options
 * @returns {Promise<RecordedStep>}
 */
export async function recordStep(internals, wasm, { net, dropout, share = 1, averageDecay, ...variant }) {
  const { prepareSession, createSession, readStages, trainCommand } = internals;
  const module = await WebAssembly.compile(wasm);
  const sizer = /** @type {any} */ (instantiate(module, new WebAssembly.Memory({ initial: 1 })));
  const { graph, weights } = await readModel(readStages, { ...netOptions(net), dropout });
  const settings = {
    batchSize: BATCH_SIZE,
    inputRange: /** @type {const} */ ([0, 1]),
    average: averageDecay !== undefined,
  };
  const { init, memoryBytes } = prepareSession({ graph, weights, ...variant, ...settings }, 1, sizer);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / 65_536) });
  const kernels = instantiate(module, memory);

  /** @type {KernelCall[]} */
  let calls = [];
  const recording = Object.fromEntries(
    Object.entries(kernels).map(([kernel, run]) => [
      kernel,
      (/** @type {number[]} */ ...args) => {
        calls.push({ kernel: /** @type {KernelName} */ (kernel), args: args.map(Number) });
        return run(...args);
      },
    ]),
  );
  const environment = { kernels: /** @type {any} */ (recording), memory, thread: 0, barrier() {} };
  const session = createSession(environment, init);
  const batch = await firstBatch(BATCH_SIZE);
  const forFirst = { pictures: batch.images, labels: batch.labels, targets: batch.targets };
  const train = (/** @type {number} */ step, /** @type {boolean} */ update) => {
    const settings = { learningRate: 1e-5, dropoutSeed: step, share, update, averageDecay };
    session.run({ ...trainCommand(0, batch, settings), ...forFirst });
  };
  for (let step = 0; step <= WARM_UP_STEPS; step++) {
    calls = [];
    if (share < 1) train(step, false);
    train(step, true);
  }
  const stepCalls = calls;
  const stepKernels = new Set(stepCalls.map(({ kernel }) => kernel));
  calls = [];
  session.run({
    kind: 'predict',
    size: 0,
    images: BATCH_SIZE,
    isBytes: true,
    which: 'current',
    pictures: batch.images,
  });
  const others = calls.filter(({ kernel }) => !stepKernels.has(kernel));
  return { calls: [...stepCalls, ...others], memory, kernels };
}

/**
 * @param {import('./internals.mjs').Internals['readStages']} readStages
 * @param {import('mobilenet-v1-ts').MobilenetV1Options} options
 */
export async function readModel(readStages, options) {
  await tf.setBackend('cpu');
  const model = mobilenetV1(options);
  const read = readStages(model);
  if ('unsupported' in read) throw new Error(`The engine cannot read the net: ${JSON.stringify(read.unsupported)}`);
  const weights = model.weights.map((weight) => weight.read().dataSync());
  model.dispose();
  return { graph: read.graph, weights };
}

/**
 * @param {WebAssembly.Module} module
 * @param {WebAssembly.Memory} memory
 */
function instantiate(module, memory) {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return /** @type {RecordedStep['kernels']} */ (/** @type {unknown} */ (exports));
}
