import { findBackendFactory, getKernel, registerKernel, Tile, unregisterKernel } from '@tensorflow/tfjs-core';
import { fail } from '../errors';
import { conv2dGradientKernels } from './conv2dGradients';
import { depthwiseGradientKernels } from './depthwiseGradients';
import { fasterTile } from './tile';
import { compileKernels } from './wasmModule';

let registration: Promise<void> | undefined;

/**
 * Makes convolutional networks train on tfjs's `wasm` backend, any of them, by registering the gradient kernels that it
 * lacks: `Conv2DBackpropFilter`, `DepthwiseConv2dNativeBackpropFilter` and `DepthwiseConv2dNativeBackpropInput`; and
 * a faster `Conv2DBackpropInput` and `Tile`.
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
  const tile = getKernel(Tile, 'wasm');
  for (const kernel of [...conv2dGradientKernels, ...depthwiseGradientKernels, ...(tile ? [fasterTile(tile)] : [])]) {
    // tfjs warns when a kernel is registered over another one.
    if (getKernel(kernel.kernelName, 'wasm') !== undefined) unregisterKernel(kernel.kernelName, 'wasm');
    registerKernel(kernel);
  }
}
