import { getBackend } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageDataset } from '../data/imageDataset';
import { chooseEngine, inTheWay, refuseFused } from '../engine/engineChoice';
import { createTrainingEngine } from '../engine/trainingEngine';
import { outputKindOf } from '../graph/outputKind';
import { readStages } from '../graph/readStages';
import type { FeatureSize, StageGraph } from '../graph/stage';
import { registerWasmTrainingKernels } from '../kernels/registerWasmTrainingKernels';
import { createEngineTrainer } from './engineTrainer';
import { createTfjsTrainer } from './tfjsTrainer';
import type { Trainer } from './trainer';
import { isTfjsOptimizer, type TrainingSettings } from './trainingSettings';

type PictureSize = Pick<FeatureSize, 'height' | 'width'>;

/** The pictures that a trainer is made for. */
export interface TrainingData {
  readonly dataset: ImageDataset<Uint8Array | Float32Array>;
  readonly validation: ImageDataset<Uint8Array | Float32Array> | undefined;
}

/** Chooses what trains the model: the engine, or tfjs and the reason for it. */
export async function createTrainer(
  model: LayersModel,
  data: TrainingData,
  settings: TrainingSettings,
): Promise<Trainer> {
  return chooseEngine(settings.engine, {
    fused: () => engineTrainer(model, data, settings),
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
  const { optimizer, inputRange, weightDecayOn, clipNorm, emaDecay } = settings;
  return createTfjsTrainer(model, {
    optimizer,
    outputKind: outputKindOf('trainClassifier', model),
    inputRange,
    weightDecayOn,
    clipNorm,
    average: emaDecay !== undefined,
    fallbackReason,
  });
}

async function engineTrainer(
  model: LayersModel,
  { dataset, validation }: TrainingData,
  settings: TrainingSettings,
): Promise<Trainer> {
  const { optimizer, batchSize, threads, inputRange, weightDecayOn, clipNorm, emaDecay, pictureSizes } = settings;
  if (isTfjsOptimizer(optimizer)) refuse('a tfjs optimizer, whose steps only tfjs can take');
  const graph = readGraph(model, dataset);
  const otherSizes = readOtherSizes(model, graph, validation ? [...pictureSizes, validation] : pictureSizes);
  const weights = await Promise.all(model.weights.map((weight) => weight.read().data<'float32'>()));
  const engine = await createTrainingEngine({
    graph,
    weights,
    batchSize: Math.min(batchSize, Math.max(dataset.size, validation?.size ?? 0)),
    threads,
    optimizer,
    inputRange,
    weightDecayOn,
    clipNorm,
    average: emaDecay !== undefined,
    accumulate: settings.accumulateSteps > 1,
    otherSizes,
  });
  return createEngineTrainer(model, engine);
}

/** @param addition to what is said where the engine cannot express the model */
function readGraph(model: LayersModel, { height, width }: PictureSize, addition = ''): StageGraph {
  const read = readStages(model, { size: { height, width } });
  return 'graph' in read ? read.graph : refuse(`${inTheWay(read.unsupported)}${addition}`);
}

/** The model for pictures of each size of a training that is not its own. */
function readOtherSizes(model: LayersModel, { input }: StageGraph, pictureSizes: readonly PictureSize[]) {
  const sizes = new Map(pictureSizes.map(({ height, width }) => [`${height} x ${width}`, { height, width }]));
  sizes.delete(`${input.height} x ${input.width}`);
  return Array.from(sizes.values(), (size) =>
    readGraph(model, size, `, with pictures of ${size.height} x ${size.width}`),
  );
}

function refuse(received: string): never {
  refuseFused('trainClassifier', received, "engine: 'tfjs' trains any model.");
}
