import '@tensorflow/tfjs-backend-cpu';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { mobilenetV1 } from '../../src/model/mobilenetV1';

test('a backend that takes its time to start is to be waited for', async () => {
  registerBackend('slow', async () => new MathBackendCPU(), 10);
  const build = () => mobilenetV1({ alpha: 0.0625, inputShape: [32, 32, 3], classes: 2 });
  expect(build).toThrow(/backend that has started.*await setBackend\('wasm'\)/);
  await setBackend('slow');
  build().dispose();
  await setBackend('cpu');
  removeBackend('slow');
});
