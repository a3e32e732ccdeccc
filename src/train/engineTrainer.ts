import { tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkLabels } from '../data/imageDataset';
import type { TrainingEngine } from '../engine/trainingEngine';
import { createRandom } from '../random';
import { type LearningRate, learningRateAt } from './learningRate';
import { DROPOUT_STREAM } from './tfjsTrainer';
import type { Trainer } from './trainer';

/** What {@link createEngineTrainer} needs beside the model and the engine, which it then owns. */
export interface EngineTrainerOptions {
  learningRate: LearningRate;
  /** Dropout's. */
  seed: number;
}

/** Trains in the library's own kernels; the model gets its weights back in `updateModel`. */
export function createEngineTrainer(
  model: LayersModel,
  engine: TrainingEngine,
  options: EngineTrainerOptions,
): Trainer {
  const { learningRate, seed } = options;
  let weightsAreFinite = true;
  return {
    info: {
      engine: 'fused',
      module: engine.module,
      threads: engine.threads,
      fallbackReason: undefined,
      megabytes: engine.memoryBytes / 2 ** 20,
    },

    async step(batch, position) {
      // The kernels trust what they are given.
      checkLabels('trainClassifier', batch.labels, batch.classes);
      const rate = learningRateAt(learningRate, position);
      const dropoutSeed = createRandom(seed, DROPOUT_STREAM, position.step).integer(0x1_0000_0000);
      const outcome = await engine.step(batch.images, batch.labels, rate, dropoutSeed);
      weightsAreFinite = outcome.finite;
      return { loss: outcome.loss, correct: outcome.correct, learningRate: rate };
    },

    predict: ({ images, labels }) => engine.predict(images, labels.length),
    weightsAreFinite: async () => weightsAreFinite,
    restoreLastGood: () => engine.restoreWeights(),

    async updateModel() {
      const values = await engine.readWeights();
      model.weights.forEach((weight, i) => {
        const value = values[i];
        if (value === undefined) return;
        const updated = tensor(value, weight.shape as number[], 'float32');
        weight.write(updated);
        updated.dispose();
      });
    },

    dispose: () => engine.dispose(),
  };
}
