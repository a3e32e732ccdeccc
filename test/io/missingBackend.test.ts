import { expect, test } from 'vitest';
import { MobilenetError } from '../../src/errors';
import { loadModel } from '../../src/io/loadModel';

test('without a backend the error names the line to add', async () => {
  const flatten = { class_name: 'Flatten', config: { name: 'flat', batch_input_shape: [null, 2, 2] } };
  const modelTopology = { class_name: 'Sequential', config: { name: 'net', layers: [flatten] } };
  const load = async () => ({ modelTopology, weightSpecs: [], weightData: new ArrayBuffer(0) });
  const error = await loadModel({ load }).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(MobilenetError);
  expect(error.code).toBe('missing-backend');
  expect(error.message).toContain("import '@tensorflow/tfjs-backend-cpu'");
});
