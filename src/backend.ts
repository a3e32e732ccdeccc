import { engine, ready } from '@tensorflow/tfjs-core';
import { fail } from './errors';

/** Throws `missing-backend` unless the user has imported a tfjs backend. */
export function requireBackend(where: string): void {
  if (Object.keys(engine().registryFactory).length === 0) failMissing(where, 'none');
}

/** Resolves once a tfjs backend can run; throws `missing-backend` where there is none or none of them starts. */
export async function backendReady(where: string): Promise<void> {
  requireBackend(where);
  try {
    await ready();
  } catch (error) {
    failMissing(where, (error as Error).message, error);
  }
}

function failMissing(where: string, received: string, cause?: unknown): never {
  fail({
    code: 'missing-backend',
    where,
    expected: 'a tfjs backend',
    received,
    remedy: "Add the line: import '@tensorflow/tfjs-backend-cpu'; (or -wasm, -webgl, -webgpu).",
    cause,
  });
}
