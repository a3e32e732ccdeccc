import { tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkLabels } from '../data/imageDataset';
import type { ByWeight } from '../engine/engineState';
import type { TrainingEngine } from '../engine/trainingEngine';
import { check } from '../errors';
import type { TargetBatch, Trainer } from './trainer';

const WHERE = 'trainClassifier';

/** Trains in the library's own kernels, in an engine that it then owns; the model gets its weights back in `updateModel`. */
export function createEngineTrainer(model: LayersModel, engine: TrainingEngine): Trainer {
  // tfjs orders them anew where a callback freezes a layer; the engine's lists have this order.
  const { weights: own } = model;
  /** Those that no stage uses stay as the model has them. */
  const complete = (values: ByWeight) =>
    Promise.all(own.map((weight, i) => values[i] ?? weight.read().data<'float32'>()));

  return {
    info: {
      engine: 'fused',
      module: engine.module,
      threads: engine.threads,
      fallbackReason: undefined,
      megabytes: engine.memoryBytes / 2 ** 20,
    },

    async step(batch, { learningRate, ...settings }) {
      checkBatch(batch);
      check(learningRate !== undefined, { where: WHERE, expected: 'a learning rate', received: learningRate });
      const { loss, correct, finite } = await engine.step(batch, { ...settings, learningRate });
      return { loss, correct, finite, learningRate };
    },

    predict: (batch, which) => engine.predict(batch, which),
    restoreLastGood: () => engine.restoreWeights(),

    async readState() {
      const { weights, slots, updates, average } = await engine.readState();
      return {
        weights: await complete(weights),
        slots,
        updates,
        average: average && (await complete(average)),
      };
    },

    writeState: (state) => engine.writeState(state),

    async updateModel(which) {
      const values = await engine.readWeights(which);
      own.forEach((weight, i) => {
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

/** The kernels trust what they are given. */
function checkBatch({ labels, targets, classes }: TargetBatch): void {
  checkLabels(WHERE, labels, classes);
  check(targets.length === labels.length * classes, {
    where: WHERE,
    expected: `targets of ${labels.length} pictures x ${classes} classes`,
    received: targets.length,
  });
}
