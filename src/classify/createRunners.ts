import { getBackend } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { MobilenetError, type MobilenetErrorCode } from '../errors';
import type { ClassifierSettings } from './classifierOptions';
import { cutModel } from './cutModel';
import { createEngineRunners } from './engineRunners';
import type { Runners } from './runners';
import { createTfjsRunner } from './tfjsRunner';

/** Backends whose models live in the CPU's memory anyway. */
const CPU_BACKENDS = ['cpu', 'wasm'];

/** Where no worker may start, or no kernel runs, tfjs may still run the model; where memory is short, it needs more. */
const CAN_DO_WITHOUT: MobilenetErrorCode[] = ['engine-failed', 'missing-backend'];

/** Reasons that were told; each is told once. */
const told = new Set<string>();

/** Chooses what runs the model: the engine, or tfjs and the reason for it. */
export async function createRunners(model: LayersModel, settings: ClassifierSettings): Promise<Runners> {
  const { engine, precision } = settings;
  if (engine === 'tfjs') return tfjsRunners(model, settings, undefined);
  // Only the engine has int8.
  if (engine === 'fused' || precision === 'int8') return createEngineRunners(model, settings);
  if (!CPU_BACKENDS.includes(getBackend())) {
    return tfjsRunners(model, settings, `the model lives on the '${getBackend()}' backend`);
  }
  try {
    return await createEngineRunners(model, settings);
  } catch (error) {
    if (!(error instanceof MobilenetError) || !CAN_DO_WITHOUT.includes(error.code)) throw error;
    if (!told.has(error.message)) console.warn(`${error.message} The model runs through tfjs, which is slower.`);
    told.add(error.message);
    return tfjsRunners(model, settings, error.message);
  }
}

function tfjsRunners(model: LayersModel, settings: ClassifierSettings, fallbackReason: string | undefined): Runners {
  const { size, inputRange } = settings;
  const start = (part: LayersModel) => createTfjsRunner(part, { size, inputRange, fallbackReason });
  return { whole: start(model), startUntil: async (output) => start(cutModel(model, output)) };
}
