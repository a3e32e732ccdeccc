import {
  dispose,
  type NamedTensorMap,
  type Optimizer,
  type Tensor,
  tensor2d,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkLabels } from '../data/imageDataset';
import type { OptimizerSettings, WeightRole } from '../engine/optimizer';
import { check } from '../errors';
import type { OutputKind } from '../graph/outputKind';
import type { InputRange } from '../inputRange';
import { createRandom } from '../random';
import { adoptOptimizer } from './adoptOptimizer';
import { scoreBatch } from './classificationLoss';
import { clipByGlobalNorm } from './clipByGlobalNorm';
import { accumulateGradients, lossGradients } from './lossGradients';
import { pictureSizeCheck } from './pictureSize';
import { imageTensor, predictBatch } from './predictBatch';
import { createTfjsOptimizer } from './tfjsOptimizer';
import type { TargetBatch, Trainer } from './trainer';
import { readTrainerState, writeTrainerState } from './trainerState';
import { enterTrainingMode } from './trainingMode';
import { variablesOfRoles } from './weightRoles';
import { createWeightStore } from './weightStore';
import { areFinite, assignAll, cloneAll } from './weightValues';

const WHERE = 'trainClassifier';

/** What {@link createTfjsTrainer} needs beside the model. */
export interface TfjsTrainerOptions {
  /** Settings, or a tfjs optimizer, which stays the caller's to dispose and gets its own rate back. */
  optimizer: OptimizerSettings | Optimizer;
  outputKind: OutputKind;
  /** What bytes are mapped to. */
  inputRange: InputRange;
  /** Which weights the settings' weight decay applies to. @default ['kernel'] */
  weightDecayOn?: readonly WeightRole[];
  /** Gradients whose global norm is larger are scaled down to it before an update. @default no limit */
  clipNorm?: number;
  /** Whether a moving average of the weights is kept. @default false */
  average?: boolean;
  /** Why it is not the engine that trains. */
  fallbackReason?: string;
}

/** Trains through tfjs's automatic differentiation, on whatever backend is active. */
export function createTfjsTrainer(model: LayersModel, options: TfjsTrainerOptions): Trainer {
  const { outputKind, inputRange, weightDecayOn = ['kernel'], clipNorm, average = false, fallbackReason } = options;
  const weights = model.weights.map((weight) => weight.read() as Variable);
  // A layer that two nested models share stands there twice.
  const trained = [...new Set(model.trainableWeights.map((weight) => weight.read() as Variable))];
  const optimizer =
    'applyGradients' in options.optimizer
      ? adoptOptimizer(options.optimizer)
      : createTfjsOptimizer(options.optimizer, trained, variablesOfRoles(model, weightDecayOn));
  const store = createWeightStore(weights, average);
  const checkSize = pictureSizeCheck(model);
  /** Gradients of the batches since the last update. */
  let waiting: NamedTensorMap | undefined;
  let lastGood: Tensor[] = [];

  const dropWaiting = () => {
    dispose(waiting ?? []);
    waiting = undefined;
  };

  /** In training mode for no longer than it takes, which is synchronous: a callback sees the layers as they are. */
  const measure = (batch: TargetBatch, nextSeed: () => number) => {
    const mode = enterTrainingMode(model);
    try {
      mode.seedDropout(nextSeed);
      return tidy(() => {
        const targets = tensor2d(batch.targets, [batch.labels.length, batch.classes]);
        return lossGradients(model, imageTensor(batch, inputRange), targets, outputKind, trained);
      });
    } finally {
      mode.restore();
    }
  };

  const update = (learningRate: number) => {
    const gradients = clipNorm === undefined ? waiting! : clipByGlobalNorm(waiting!, clipNorm);
    try {
      optimizer.update(gradients, learningRate);
    } finally {
      dispose(gradients);
      dropWaiting();
    }
  };

  return {
    info: { engine: 'tfjs', module: undefined, threads: 1, fallbackReason, megabytes: undefined },

    async step(batch, { learningRate: asked, dropoutSeed, share, update: isUpdate, averageDecay }) {
      checkLabels(WHERE, batch.labels, batch.classes);
      checkSize(batch);
      store.hold('current');
      const learningRate = optimizer.rateFor(asked);
      const dropout = createRandom(dropoutSeed);
      const before = cloneAll(weights);
      const toDispose: Tensor[] = [];
      try {
        const { loss, output, gradients } = measure(batch, () => dropout.integer(0x7fff_ffff));
        toDispose.push(loss, output, ...Object.values(gradients));
        const [value] = await loss.data();
        const { lossSum, predictions } = scoreBatch(await output.data(), batch.labels, batch.classes, outputKind);
        // tfjs's clip on wasm turns NaN into a number, and so hides a broken output from its loss.
        if (!Number.isFinite(value) || !Number.isFinite(lossSum)) {
          // The forward pass has already moved batch norm's averages.
          assignAll(weights, before);
          const broken = Number.isFinite(value) ? lossSum : value!;
          return { loss: broken, correct: 0, finite: await areFinite(weights), learningRate };
        }
        dispose(lastGood);
        lastGood = before;
        waiting = accumulateGradients(waiting, gradients, share);
        if (isUpdate) update(learningRate);
        // At every step: on wasm a ReLU6 turns NaN into a number, so that later losses need not show it.
        const finite = await areFinite(weights);
        if (isUpdate && finite && averageDecay !== undefined) store.moveAverage(averageDecay);
        const correct = predictions.reduce((count, k, i) => count + (k === batch.labels[i] ? 1 : 0), 0);
        return { loss: value!, correct, finite, learningRate };
      } finally {
        if (lastGood !== before) dispose(before);
        dispose(toDispose);
      }
    },

    async predict(batch, which = 'current') {
      checkSize(batch);
      // predictBatch has run the model when it returns its promise.
      return store.whileHolding(which, () => predictBatch(model, batch, inputRange));
    },

    async restoreLastGood() {
      store.hold('current');
      dropWaiting();
      if (lastGood.length > 0) assignAll(weights, lastGood);
    },

    async readState() {
      check(waiting === undefined, {
        where: WHERE,
        expected: 'a state that is read after an update',
        received: 'gradients that wait for theirs',
      });
      return readTrainerState(store, optimizer);
    },

    async writeState(state) {
      writeTrainerState(store, optimizer, state);
      dropWaiting();
      dispose(lastGood);
      lastGood = [];
    },

    // The model's own variables are what is trained.
    updateModel: async (which = 'current') => store.hold(which),

    async dispose() {
      dispose(lastGood);
      lastGood = [];
      dropWaiting();
      store.dispose();
      optimizer.dispose();
    },
  };
}
