import { getBackend } from '@tensorflow/tfjs-core';
import { check, checkInteger, fail, MobilenetError, type MobilenetErrorCode } from '../errors';
import type { UnsupportedLayer } from '../graph/stage';

/** What runs a model: the library's own kernels, tfjs, or whichever of them suits it. */
export type EngineChoice = 'auto' | 'tfjs' | 'fused';

/** The ways that a caller has of running a model. */
export interface EngineWays<T> {
  fused(): Promise<T>;
  /** `fallbackReason` says why it is not the engine, where the choice was `'auto'`. */
  tfjs(fallbackReason: string | undefined): T | Promise<T>;
  /** What goes through tfjs then; a sentence. */
  warning: string;
}

/** Backends whose models live in the CPU's memory anyway. */
const CPU_BACKENDS = ['cpu', 'wasm'];

/** Where no worker may start, or no kernel runs, tfjs may still run the model; where memory is short, it needs more. */
const CAN_DO_WITHOUT: MobilenetErrorCode[] = ['engine-failed', 'missing-backend'];

/** Reasons that were told; each is told once. */
const told = new Set<string>();

/** Goes the way that was chosen; by `'auto'` the engine's, or tfjs's with the reason for it. */
export async function chooseEngine<T>(choice: EngineChoice, { fused, tfjs, warning }: EngineWays<T>): Promise<T> {
  if (choice === 'tfjs') return tfjs(undefined);
  if (choice === 'fused') return fused();
  if (!CPU_BACKENDS.includes(getBackend())) return tfjs(`the model lives on the '${getBackend()}' backend`);
  try {
    return await fused();
  } catch (error) {
    if (!(error instanceof MobilenetError) || !CAN_DO_WITHOUT.includes(error.code)) throw error;
    if (!told.has(error.message)) console.warn(`${error.message} ${warning}`);
    told.add(error.message);
    return tfjs(error.message);
  }
}

/** Throws `invalid-argument` for a choice, or a number of threads, that there is not. */
export function checkEngine(where: string, engine: unknown, threads: number | undefined): void {
  check(['auto', 'tfjs', 'fused'].includes(engine as EngineChoice), {
    where,
    expected: "engine to be 'auto', 'tfjs' or 'fused'",
    received: engine,
  });
  if (threads !== undefined) checkInteger(where, 'threads', threads, 1);
}

/** A layer and what is in the way of it, as `received` of an error. */
export function inTheWay({
  layerName,
  className,
  reason,
}: Omit<UnsupportedLayer, 'className'> & Partial<UnsupportedLayer>) {
  return `layer '${layerName}'${className ? ` (${className})` : ''}, which ${reason}`;
}

/** Throws `engine-failed` for what the engine cannot express. */
export function refuseFused(where: string, received: string, remedy: string): never {
  fail({ code: 'engine-failed', where, expected: "what the engine 'fused' can express", received, remedy });
}
