import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageDataset } from '../data/imageDataset';
import { createInferenceEngine } from '../engine/inferenceEngine';
import { fail } from '../errors';
import { foldBatchNorm } from '../graph/foldBatchNorm';
import type { InferenceGraph } from '../graph/inferenceGraph';
import { quantizeGraph } from '../graph/quantizeGraph';
import { readStages } from '../graph/readStages';
import type { UnsupportedLayer } from '../graph/stage';
import { calibrate } from './calibrate';
import type { ClassifierSettings } from './classifierOptions';
import { cutModel } from './cutModel';
import { createEngineRunner } from './engineRunner';
import { copyWeights, type ModelWeights } from './modelWeights';
import type { Runners } from './runners';
import { toPixels } from './toPixels';

const WHERE = 'createClassifier';

/** Runs a model, or a part of it, in the library's own kernels, with the weights that it has now. */
export async function createEngineRunners(model: LayersModel, settings: ClassifierSettings): Promise<Runners> {
  const weights = await copyWeights(model);
  const graph = readGraph(WHERE, model, weights);
  return settings.precision === 'int8'
    ? int8Runners(model, weights, graph, settings)
    : float32Runners(model, weights, graph, settings);
}

async function float32Runners(
  model: LayersModel,
  weights: ModelWeights,
  graph: InferenceGraph,
  settings: ClassifierSettings,
): Promise<Runners> {
  return {
    whole: await createEngineRunner(graph, settings),
    startUntil: async (output) => createEngineRunner(readGraph('embed', cutModel(model, output), weights), settings),
  };
}

async function int8Runners(
  model: LayersModel,
  weights: ModelWeights,
  graph: InferenceGraph,
  settings: ClassifierSettings,
): Promise<Runners> {
  const { calibration, inputRange } = settings;
  const ranges = calibration && (await observeRanges(graph, calibration, settings));
  const quantize = (part: InferenceGraph) => quantizeGraph(part, { inputRange, ranges });
  const quantized = quantize(graph);
  if ('unsupported' in quantized) return refuse(WHERE, "a model that can be run in 'int8'", quantized.unsupported);
  return {
    whole: await createEngineRunner(quantized.graph, settings),
    async startUntil(output) {
      const part = readGraph('embed', cutModel(model, output), weights);
      const quantizedPart = quantize(part);
      return createEngineRunner('graph' in quantizedPart ? quantizedPart.graph : part, settings);
    },
  };
}

/** How high the values of each stage rise on the pictures of a dataset. */
async function observeRanges(graph: InferenceGraph, dataset: ImageDataset, settings: ClassifierSettings) {
  const { size, preprocessing, inputRange, threads, signal } = settings;
  const engine = await createInferenceEngine({ graph, inputRange, threads, separateStages: true });
  try {
    return await calibrate(engine, dataset, async (picture) => {
      const data = await toPixels(picture, size, preprocessing, { where: `${WHERE}, calibration`, signal });
      return { data, images: 1 };
    });
  } finally {
    await engine.dispose();
  }
}

function readGraph(where: string, model: LayersModel, weights: ModelWeights): InferenceGraph {
  const read = readStages(model, { anyOutput: true });
  if ('unsupported' in read) return refuse(where, "what the engine 'fused' can express", read.unsupported);
  return foldBatchNorm(read.graph, weights.of(model));
}

type Unsupported = Omit<UnsupportedLayer, 'className'> & Partial<UnsupportedLayer>;

function refuse(where: string, expected: string, { layerName, className, reason }: Unsupported): never {
  fail({
    code: 'engine-failed',
    where,
    expected,
    received: `layer '${layerName}'${className ? ` (${className})` : ''}, which ${reason}`,
    remedy: "engine: 'tfjs' runs any model, in float32.",
  });
}
