import { getBackend } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageDataset } from '../data/imageDataset';
import { createTrainingEngine, type TrainingEngine } from '../engine/trainingEngine';
import { fail, MobilenetError, type MobilenetErrorCode } from '../errors';
import { outputKindOf } from '../graph/outputKind';
import { readStages } from '../graph/readStages';
import type { StageGraph } from '../graph/stage';
import { registerWasmTrainingKernels } from '../kernels/registerWasmTrainingKernels';
import { createEngineTrainer } from './engineTrainer';
import { createOptimizer, engineOptimizer } from './optimizers';
import { createTfjsTrainer } from './tfjsTrainer';
import type { Trainer } from './trainer';
import type { TrainingSettings } from './trainingOptions';

/** Backends whose models live in the CPU's memory anyway. */
const CPU_BACKENDS = ['cpu', 'wasm'];

/** Where no worker may start, or no kernel runs, tfjs may still train; where memory is short, it needs more of it. */
const CAN_DO_WITHOUT: MobilenetErrorCode[] = ['engine-failed', 'missing-backend'];

/** Reasons that were told; each is told once. */
const told = new Set<string>();

/** Chooses what trains the model: the engine, or tfjs and the reason for it. */
export async function createTrainer(
  model: LayersModel,
  dataset: ImageDataset,
  settings: TrainingSettings,
): Promise<Trainer> {
  const { engine } = settings;
  if (engine === 'tfjs') return tfjsTrainer(model, settings, undefined);
  if (engine === 'auto' && !CPU_BACKENDS.includes(getBackend())) {
    return tfjsTrainer(model, settings, `the model lives on the '${getBackend()}' backend`);
  }
  try {
    return await engineTrainer(model, dataset, settings);
  } catch (error) {
    if (engine === 'fused' || !(error instanceof MobilenetError) || !CAN_DO_WITHOUT.includes(error.code)) throw error;
    if (!told.has(error.message)) console.warn(`${error.message} Training goes through tfjs, which is slower.`);
    told.add(error.message);
    return tfjsTrainer(model, settings, error.message);
  }
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
  if ('graph' in read) return read.graph;
  const { layerName, className, reason } = read.unsupported;
  return refuse(`layer '${layerName}' (${className}), which ${reason}`);
}

function refuse(received: string): never {
  fail({
    code: 'engine-failed',
    where: 'trainClassifier',
    expected: "what the engine 'fused' can express",
    received,
    remedy: "engine: 'tfjs' trains any model.",
  });
}
