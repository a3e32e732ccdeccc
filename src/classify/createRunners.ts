import type { LayersModel } from '@tensorflow/tfjs-layers';
import { chooseEngine } from '../engine/engineChoice';
import type { ClassifierSettings } from './classifierOptions';
import { cutModel } from './cutModel';
import { createEngineRunners } from './engineRunners';
import type { Runners } from './runners';
import { createTfjsRunner } from './tfjsRunner';

/** Chooses what runs the model: the engine, or tfjs and the reason for it. */
export async function createRunners(model: LayersModel, settings: ClassifierSettings): Promise<Runners> {
  const { engine, precision } = settings;
  // Only the engine has int8.
  return chooseEngine(precision === 'int8' ? 'fused' : engine, {
    fused: () => createEngineRunners(model, settings),
    tfjs: (fallbackReason) => tfjsRunners(model, settings, fallbackReason),
    warning: 'The model runs through tfjs, which is slower.',
  });
}

function tfjsRunners(model: LayersModel, settings: ClassifierSettings, fallbackReason: string | undefined): Runners {
  const { size, inputRange } = settings;
  const start = (part: LayersModel) => createTfjsRunner(part, { size, inputRange, fallbackReason });
  return { whole: start(model), startUntil: async (output) => start(cutModel(model, output)) };
}
