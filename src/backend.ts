import { Environment, engine, env, ready } from '@tensorflow/tfjs-core';
import { fail } from './errors';

/**
 * Throws `missing-backend` unless the user has imported a tfjs backend, and one that takes its time to start has been waited
 * for; `duplicate-tfjs` where tfjs-core is there twice.
 */
export function requireBackend(where: string): void {
  requireImport(where);
  try {
    void engine().backend;
  } catch (error) {
    fail({
      code: 'missing-backend',
      where,
      expected: 'a tfjs backend that has started',
      received: (error as Error).message,
      remedy: "Wait for it first, for instance: await setBackend('wasm'); (of @tensorflow/tfjs-core).",
      cause: error,
    });
  }
}

/** Resolves once a tfjs backend can run; throws where none has been imported, and where none of them starts. */
export async function backendReady(where: string): Promise<void> {
  requireImport(where);
  try {
    await ready();
  } catch (error) {
    failMissing(where, (error as Error).message, error);
  }
}

function requireImport(where: string): void {
  requireOneTfjs(where);
  if (Object.keys(engine().registryFactory).length === 0) failMissing(where, 'none');
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

/**
 * All copies of tfjs-core share the engine of the one that was loaded first, but not its classes, so that tensors, layers and
 * backends of one copy are refused by another in places that say nothing of it.
 */
function requireOneTfjs(where: string): void {
  if (env() instanceof Environment) return;
  fail({
    code: 'duplicate-tfjs',
    where,
    expected: 'one copy of @tensorflow/tfjs-core',
    received: 'two, of which the app has loaded another one first',
    remedy:
      'Run: npm ls @tensorflow/tfjs-core, then npm dedupe; in a bundler let both find the same (resolve.dedupe in Vite).',
  });
}
