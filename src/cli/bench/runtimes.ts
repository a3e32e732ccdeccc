import { setBackend } from '@tensorflow/tfjs-core';
import type { EngineChoice } from '../../index';

/** What runs the same network. */
export interface Runtime {
  name: string;
  engine: EngineChoice;
  backend: 'cpu' | 'wasm';
  /** Pictures in a training step: as usual, or as many as a slow runtime gets done in some seconds. */
  batchSize: number;
}

const ENGINE: Runtime = { name: 'engine', engine: 'fused', backend: 'cpu', batchSize: 128 };
const TFJS_WASM: Runtime = { name: 'tfjs wasm', engine: 'tfjs', backend: 'wasm', batchSize: 128 };
const TFJS_CPU: Runtime = { name: 'tfjs cpu', engine: 'tfjs', backend: 'cpu', batchSize: 4 };

/** Those that are installed here, this library's engine first. */
export async function findRuntimes(): Promise<Runtime[]> {
  const hasWasm = await import('@tensorflow/tfjs-backend-wasm').then(
    () => true,
    () => false,
  );
  return [ENGINE, ...(hasWasm ? [TFJS_WASM] : []), TFJS_CPU];
}

/** Makes its backend the active one. */
export async function enter({ backend }: Runtime): Promise<void> {
  await setBackend(backend);
}
