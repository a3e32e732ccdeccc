import {
  findBackendFactory,
  getKernel,
  type KernelConfig,
  Mean,
  registerKernel,
  Sum,
  Tile,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { fail } from '../errors';
import { conv2dGradientKernels } from './conv2dGradients';
import { depthwiseGradientKernels } from './depthwiseGradients';
import { fasterReduction } from './reductions';
import { fasterTile } from './tile';
import { compileKernels } from './wasmModule';

let registration: Promise<void> | undefined;

/**
 * Makes convolutional networks train on tfjs's `wasm` backend, any of them, by registering the gradient kernels that it
 * lacks: `Conv2DBackpropFilter`, `DepthwiseConv2dNativeBackpropFilter` and `DepthwiseConv2dNativeBackpropInput`; and
 * faster `Conv2DBackpropInput`, `Sum`, `Mean` and `Tile`.
 *
 * They work in place on the backend's memory, threaded build or not. Calling it again does nothing.
 * `trainClassifier` calls it by itself.
 *
 * @throws {MobilenetError} `missing-backend` where the wasm backend is not imported, or WebAssembly has no SIMD
 * @see https://github.com/tensorflow/tfjs/issues/8474
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-wasm';
 * import { registerWasmTrainingKernels } from 'mobilenet-v1-ts';
 *
 * await tf.setBackend('wasm');
 * await registerWasmTrainingKernels();
 * ```
 */
export async function registerWasmTrainingKernels(): Promise<void> {
  if (findBackendFactory('wasm') == null) {
    fail({
      code: 'missing-backend',
      where: 'registerWasmTrainingKernels',
      expected: "tfjs's wasm backend",
      received: 'none',
      remedy: "Add: import '@tensorflow/tfjs-backend-wasm'; await tf.setBackend('wasm');",
    });
  }
  registration ??= register();
  try {
    await registration;
  } catch (error) {
    registration = undefined;
    throw error;
  }
}

async function register(): Promise<void> {
  await compileKernels();
  for (const kernel of [...conv2dGradientKernels, ...depthwiseGradientKernels, ...fasterKernels()]) {
    // tfjs warns when a kernel is registered over another one.
    if (getKernel(kernel.kernelName, 'wasm') !== undefined) unregisterKernel(kernel.kernelName, 'wasm');
    registerKernel(kernel);
  }
}

/** tfjs's own kernels in a faster form, those of them that are registered. */
function fasterKernels(): KernelConfig[] {
  const faster: Record<string, (original: KernelConfig) => KernelConfig> = {
    [Tile]: fasterTile,
    [Sum]: (sum) => fasterReduction(sum, false),
    [Mean]: (mean) => fasterReduction(mean, true),
  };
  return Object.entries(faster).flatMap(([name, improve]) => {
    const original = getKernel(name, 'wasm');
    return original ? [improve(original)] : [];
  });
}
