import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageBatch, ImageDataset } from '../data/imageDataset';
import { chooseEngine, type EngineChoice } from '../engine/engineChoice';
import { createInferenceEngine } from '../engine/inferenceEngine';
import { inferenceStages } from '../engine/inferenceStages';
import { copyWeights } from '../engine/modelWeights';
import { foldBatchNorm } from '../graph/foldBatchNorm';
import type { InputRange } from '../inputRange';
import { predictBatch } from './predictBatch';

/** What runs a model that is not in training. */
export interface Predictor {
  /** The model's outputs in inference mode, n pictures x K classes, row-major. */
  predict(batch: ImageBatch): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Options for {@link createPredictor}. */
export interface CreatePredictorOptions {
  /** The public function that was called. */
  where: string;
  engine: EngineChoice;
  threads: number | undefined;
  inputRange: InputRange;
  /** Of the pictures. */
  size: Pick<ImageDataset, 'height' | 'width'>;
}

/** Chooses what runs the model, with the weights that it has now: the engine, or tfjs. */
export function createPredictor(model: LayersModel, options: CreatePredictorOptions): Promise<Predictor> {
  return chooseEngine(options.engine, {
    fused: () => enginePredictor(model, options),
    tfjs: () => tfjsPredictor(model, options),
    warning: 'It goes through tfjs, which is slower.',
  });
}

function tfjsPredictor(model: LayersModel, { inputRange }: CreatePredictorOptions): Predictor {
  return { predict: (batch) => predictBatch(model, batch, inputRange), dispose: async () => {} };
}

async function enginePredictor(
  model: LayersModel,
  { where, threads, inputRange, size }: CreatePredictorOptions,
): Promise<Predictor> {
  const stages = inferenceStages(where, model, size);
  const weights = await copyWeights(model);
  const graph = () => foldBatchNorm(stages, weights.of(model));
  const engine = await createInferenceEngine({ graph, inputRange, threads });
  return { predict: ({ images, labels }) => engine.predict(images, labels.length), dispose: () => engine.dispose() };
}
