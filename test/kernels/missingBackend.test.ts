// In a file of its own: nothing here may import the wasm backend.
import { expect, test } from 'vitest';
import { MobilenetError } from '../../src/errors';
import { registerWasmTrainingKernels } from '../../src/kernels/registerWasmTrainingKernels';
import { kernelsOn } from '../../src/kernels/wasmModule';

test('without the wasm backend the error says which lines to add', async () => {
  const error = await registerWasmTrainingKernels().then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(MobilenetError);
  expect(error.code).toBe('missing-backend');
  expect(error.message).toContain("import '@tensorflow/tfjs-backend-wasm'; await tf.setBackend('wasm');");
});

test('kernels that are not compiled yet are a clear error', () => {
  expect(() => kernelsOn(new WebAssembly.Memory({ initial: 1 }))).toThrow('Await it first.');
});
