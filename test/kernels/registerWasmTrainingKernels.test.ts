import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { afterEach, expect, test, vi } from 'vitest';
import { registerWasmTrainingKernels } from '../../src/kernels/registerWasmTrainingKernels';

const names = [
  'Conv2DBackpropFilter',
  'Conv2DBackpropInput',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
];
const registered = () => names.map((name) => tf.getKernel(name, 'wasm')?.kernelFunc);

afterEach(() => void vi.restoreAllMocks());

test('registers once, however often it is called, and nothing warns', async () => {
  const [, tfjsInputGradient] = registered();
  expect(registered(), 'nothing is registered on import').toEqual([undefined, tfjsInputGradient, undefined, undefined]);
  // Somebody else's kernel is in the way.
  tf.registerKernel({ kernelName: names[0]!, backendName: 'wasm', kernelFunc: () => [] });

  const console = vi.spyOn(globalThis.console, 'warn');
  await Promise.all([registerWasmTrainingKernels(), registerWasmTrainingKernels()]);
  const ours = registered();
  expect(ours).not.toContain(undefined);
  expect(ours).not.toContain(tfjsInputGradient);
  await registerWasmTrainingKernels();
  await tf.setBackend('wasm');
  await registerWasmTrainingKernels();
  expect(registered()).toEqual(ours);
  expect(console).not.toHaveBeenCalled();
});
