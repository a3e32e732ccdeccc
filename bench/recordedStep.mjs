// A training step of the engine, in this thread, with every call of a kernel written down. So a bench of kernels has the
// engine's own shapes, blocking and memory, whatever they become.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { mobilenetV1 } from 'mobilenet-v1-ts';
import { pictures } from './initialState.mjs';
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

/** Steps before the one that is written down, for V8 to compile with all optimizations. */
const WARM_UP_STEPS = 3;

/**
 * @param {import('./internals.mjs').Internals} internals
 * @param {Uint8Array<ArrayBuffer>} wasm for an unshared memory
 * @param {{ net: import('./nets.mjs').Net, optimizer: OptimizerSettings, dropout: number }} options
 * @returns {Promise<RecordedStep>}
 */
export async function recordStep({ prepareSession, createSession, readStages }, wasm, { net, optimizer, dropout }) {
  const module = await WebAssembly.compile(wasm);
  const sizer = /** @type {any} */ (instantiate(module, new WebAssembly.Memory({ initial: 1 })));
  const { graph, weights } = await readModel(readStages, { ...netOptions(net), dropout });
  const settings = { batchSize: BATCH_SIZE, inputRange: /** @type {const} */ ([0, 1]), labelSmoothing: 0 };
  const { init, memoryBytes } = prepareSession({ graph, weights, optimizer, ...settings }, 1, sizer);
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
  const { images, labels } = await pictures(BATCH_SIZE).read(Array.from({ length: BATCH_SIZE }, (_, i) => i));
  const batch = { pictures: images, images: BATCH_SIZE };
  for (let step = 0; step <= WARM_UP_STEPS; step++) {
    calls = [];
    session.run({ kind: 'train', ...batch, labels, learningRate: 1e-5, dropoutSeed: step });
  }
  const stepCalls = calls;
  const stepKernels = new Set(stepCalls.map(({ kernel }) => kernel));
  calls = [];
  session.run({ kind: 'predict', ...batch });
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
