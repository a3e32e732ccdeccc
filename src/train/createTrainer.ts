import { getBackend } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageDataset } from '../data/imageDataset';
import { chooseEngine, inTheWay, refuseFused } from '../engine/engineChoice';
import { createTrainingEngine, type TrainingEngine } from '../engine/trainingEngine';
import { outputKindOf } from '../graph/outputKind';
import { readStages } from '../graph/readStages';
import type { StageGraph } from '../graph/stage';
import { registerWasmTrainingKernels } from '../kernels/registerWasmTrainingKernels';
import { createEngineTrainer } from './engineTrainer';
import { createOptimizer, engineOptimizer } from './optimizers';
import { createTfjsTrainer } from './tfjsTrainer';
import type { Trainer } from './trainer';
import type { TrainingSettings } from './trainingOptions';

/** Chooses what trains the model: the engine, or tfjs and the reason for it. */
export async function createTrainer(
  model: LayersModel,
  dataset: ImageDataset,
  settings: TrainingSettings,
): Promise<Trainer> {
  return chooseEngine(settings.engine, {
    fused: () => engineTrainer(model, dataset, settings),
    tfjs: (fallbackReason) => tfjsTrainer(model, settings, fallbackReason),
    warning: 'Training goes through tfjs, which is slower.',
  });
}

async function tfjsTrainer(
  model: LayersModel,
  settings: TrainingSettings,
  fallbackReason: string | undefined,
): Promise<Trainer> {
  if (getBackend() === 'wasm') await registerWasmTrainingKernels();
  const { optimizer, learningRate, weightDecay, inputRange, labelSmoothing, seed } = settings;
  return createTfjsTrainer(model, {
    optimizer: createOptimizer(optimizer, learningRate, weightDecay),
    outputKind: outputKindOf('trainClassifier', model),
    inputRange,
    labelSmoothing,
    seed,
    fallbackReason,
  });
}

async function engineTrainer(model: LayersModel, dataset: ImageDataset, settings: TrainingSettings): Promise<Trainer> {
  const { optimizer, learningRate, weightDecay, seed } = settings;
  if (typeof optimizer !== 'string') refuse('a tfjs optimizer, whose steps only tfjs can take');
  const named = engineOptimizer(optimizer, weightDecay);
  const engine = await startEngine(model, dataset, settings, readGraph(model), named.settings);
  return createEngineTrainer(model, engine, { learningRate: learningRate ?? named.learningRate, seed });
}

async function startEngine(
  model: LayersModel,
  dataset: ImageDataset,
  settings: TrainingSettings,
  graph: StageGraph,
  optimizer: Parameters<typeof createTrainingEngine>[0]['optimizer'],
): Promise<TrainingEngine> {
  const { batchSize, threads, inputRange, labelSmoothing } = settings;
  const weights = await Promise.all(model.weights.map((weight) => weight.read().data<'float32'>()));
  const largestBatch = Math.min(batchSize, Math.max(dataset.size, settings.validation?.size ?? 0));
  return createTrainingEngine({
    graph,
    weights,
    batchSize: largestBatch,
    threads,
    optimizer,
    inputRange,
    labelSmoothing,
  });
}

function readGraph(model: LayersModel): StageGraph {
  const read = readStages(model);
  return 'graph' in read ? read.graph : refuse(inTheWay(read.unsupported));
}

function refuse(received: string): never {
  refuseFused('trainClassifier', received, "engine: 'tfjs' trains any model.");
}
