import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageDataset } from '../data/imageDataset';
import { createInferenceEngine } from '../engine/inferenceEngine';
import { fail } from '../errors';
import { foldBatchNorm } from '../graph/foldBatchNorm';
import type { InferenceGraph } from '../graph/inferenceGraph';
import { quantizeGraph } from '../graph/quantizeGraph';
import { readStages } from '../graph/readStages';
import type { StageGraph, UnsupportedLayer } from '../graph/stage';
import { calibrate } from './calibrate';
import type { ClassifierSettings } from './classifierOptions';
import { cutModel } from './cutModel';
import { createEngineRunner } from './engineRunner';
import { copyWeights } from './modelWeights';
import type { Runners } from './runners';
import { toPixels } from './toPixels';

const WHERE = 'createClassifier';

/** Runs a model, or a part of it, in the library's own kernels, with the weights that it has now. */
export async function createEngineRunners(model: LayersModel, settings: ClassifierSettings): Promise<Runners> {
  const stages = readGraph(WHERE, model);
  const weights = await copyWeights(model);
  const fold = (part: LayersModel, graph: StageGraph) => foldBatchNorm(graph, weights.of(part));
  return settings.precision === 'int8'
    ? int8Runners(model, stages, fold, settings)
    : float32Runners(model, stages, fold, settings);
}

type Fold = (part: LayersModel, graph: StageGraph) => InferenceGraph;

async function float32Runners(
  model: LayersModel,
  stages: StageGraph,
  fold: Fold,
  settings: ClassifierSettings,
): Promise<Runners> {
  return {
    whole: await createEngineRunner(() => fold(model, stages), settings),
    async startUntil(output) {
      const part = cutModel(model, output);
      const partStages = readGraph('embed', part);
      return createEngineRunner(() => fold(part, partStages), settings);
    },
  };
}

async function int8Runners(
  model: LayersModel,
  stages: StageGraph,
  fold: Fold,
  settings: ClassifierSettings,
): Promise<Runners> {
  const { calibration, inputRange } = settings;
  const ranges = calibration && (await observeRanges(fold(model, stages), calibration, settings));
  const quantize = (graph: InferenceGraph) => quantizeGraph(graph, { inputRange, ranges });
  const quantizeWhole = () => {
    const quantized = quantize(fold(model, stages));
    if ('graph' in quantized) return quantized.graph;
    return refuse(WHERE, "a model that can be run in 'int8'", quantized.unsupported);
  };
  return {
    whole: await createEngineRunner(quantizeWhole, settings),
    async startUntil(output) {
      const part = cutModel(model, output);
      const graph = fold(part, readGraph('embed', part));
      const quantized = quantize(graph);
      return createEngineRunner(() => ('graph' in quantized ? quantized.graph : graph), settings);
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

function readGraph(where: string, model: LayersModel): StageGraph {
  const read = readStages(model, { anyOutput: true });
  if ('unsupported' in read) return refuse(where, "what the engine 'fused' can express", read.unsupported);
  return read.graph;
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
