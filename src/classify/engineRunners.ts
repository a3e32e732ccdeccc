import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageDataset } from '../data/imageDataset';
import { inTheWay } from '../engine/engineChoice';
import { createInferenceEngine } from '../engine/inferenceEngine';
import { FLOAT_REMEDY, inferenceStages } from '../engine/inferenceStages';
import { copyWeights } from '../engine/modelWeights';
import { fail } from '../errors';
import { foldBatchNorm } from '../graph/foldBatchNorm';
import type { InferenceGraph } from '../graph/inferenceGraph';
import { quantizeGraph } from '../graph/quantizeGraph';
import type { StageGraph } from '../graph/stage';
import { calibrate } from './calibrate';
import type { ClassifierSettings } from './classifierOptions';
import { cutModel } from './cutModel';
import { createEngineRunner } from './engineRunner';
import type { Runners } from './runners';
import { toPixels } from './toPixels';

const WHERE = 'createClassifier';

/** Runs a model, or a part of it, in the library's own kernels, with the weights that it has now. */
export async function createEngineRunners(model: LayersModel, settings: ClassifierSettings): Promise<Runners> {
  const stages = inferenceStages(WHERE, model, settings.size);
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
      const partStages = inferenceStages('embed', part, settings.size);
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
    return fail({
      code: 'engine-failed',
      where: WHERE,
      expected: "a model that can be run in 'int8'",
      received: inTheWay(quantized.unsupported),
      remedy: FLOAT_REMEDY,
    });
  };
  return {
    whole: await createEngineRunner(quantizeWhole, settings),
    async startUntil(output) {
      const part = cutModel(model, output);
      const graph = fold(part, inferenceStages('embed', part, settings.size));
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
