import { registerBackend, removeBackend } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { MobilenetError } from '../../src/errors';
import { loadModel } from '../../src/io/loadModel';

async function loadingError(): Promise<MobilenetError> {
  const flatten = { class_name: 'Flatten', config: { name: 'flat', batch_input_shape: [null, 2, 2] } };
  const modelTopology = { class_name: 'Sequential', config: { name: 'net', layers: [flatten] } };
  const load = async () => ({ modelTopology, weightSpecs: [], weightData: new ArrayBuffer(0) });
  return loadModel({ load }).then(
    () => expect.unreachable(),
    (error) => error,
  );
}

test('without a backend the error names the line to add', async () => {
  const error = await loadingError();
  expect(error).toBeInstanceOf(MobilenetError);
  expect(error.code).toBe('missing-backend');
  expect(error.message).toContain("import '@tensorflow/tfjs-backend-cpu'");
});

test('a backend that does not start is named as the cause', async () => {
  registerBackend('broken', () => Promise.reject(new Error('no adapter')));
  expect(await loadingError()).toMatchObject({ code: 'missing-backend', cause: expect.any(Error) });
  removeBackend('broken');
});
