import {
  add,
  dispose,
  engine,
  keep,
  mul,
  sum,
  type Tensor,
  type Tensor2D,
  tidy,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { toTensors } from '../data/tensors';
import type { OutputKind } from '../graph/outputKind';
import { createRandom } from '../random';
import { crossEntropy, scoreBatch } from './classificationLoss';
import { decayWeights, type RatedOptimizer } from './optimizers';
import { predictBatch } from './predictBatch';
import type { Trainer } from './trainer';
import { enterTrainingMode } from './trainingMode';

/** What {@link createTfjsTrainer} needs beside the model. */
export interface TfjsTrainerOptions {
  optimizer: RatedOptimizer;
  outputKind: OutputKind;
  inputRange: readonly [low: number, high: number];
  labelSmoothing: number;
  /** Dropout's. */
  seed: number;
  /** Why it is not the engine that trains. */
  fallbackReason: string | undefined;
}

/** Dropout draws from a stream of its own, so that it does not change the order of the pictures. */
export const DROPOUT_STREAM = 1;

type Layer = LayersModel['layers'][number];

/** Trains through tfjs's automatic differentiation, on whatever backend is active. */
export function createTfjsTrainer(model: LayersModel, options: TfjsTrainerOptions): Trainer {
  const { optimizer, outputKind, inputRange, labelSmoothing, seed, fallbackReason } = options;
  const { weights } = model;
  const mode = enterTrainingMode(model);
  const decaying = decayingVariables(model.layers);
  const trainable = model.trainableWeights.map((weight) => weight.read() as Variable);
  let lastGood: Tensor[] = [];

  // Clones share their memory with the weights until an update gives those new values.
  const snapshot = () => weights.map((weight) => keep(weight.read().clone()));

  const restore = (values: Tensor[]) => {
    values.forEach((value, i) => {
      weights[i]!.write(value);
    });
  };

  return {
    info: { engine: 'tfjs', module: undefined, threads: 1, fallbackReason, megabytes: undefined },

    predict: (batch) => predictBatch(model, batch, inputRange),

    async step(batch, position) {
      const dropout = createRandom(seed, DROPOUT_STREAM, position.step);
      mode.seedDropout(() => dropout.integer(0x7fff_ffff));
      const learningRate = optimizer.rateAt(position);
      const before = snapshot();
      const inputs = toTensors(batch, { inputRange });
      const toDispose: Tensor[] = [inputs.images, inputs.labels];
      try {
        let output: Tensor2D | undefined;
        const { value: loss, grads } = variableGrads(() => {
          output = keep(model.apply(inputs.images, { training: true }) as Tensor2D);
          toDispose.push(output);
          const loss = crossEntropy(inputs.labels, output, outputKind, labelSmoothing);
          return model.calculateLosses().reduce((total, penalty) => add(total, penalty), loss);
        }, trainable);
        toDispose.push(loss, ...Object.values(grads));

        const [value] = await loss.data();
        const { lossSum, predictions } = scoreBatch(await output!.data(), batch.labels, output!.shape[1], outputKind);
        // tfjs's clip on wasm turns NaN into a number, and so hides a broken output from its loss.
        if (!Number.isFinite(value) || !Number.isFinite(lossSum)) {
          // The forward pass has already moved batch norm's averages.
          restore(before);
          toDispose.push(...before);
          return { loss: Number.isFinite(value) ? lossSum : value!, correct: 0, learningRate };
        }
        decayWeights(decaying, optimizer.decayAt(learningRate));
        optimizer.optimizer.applyGradients(grads);
        toDispose.push(...lastGood);
        lastGood = before;
        const correct = predictions.reduce((count, k, i) => count + (k === batch.labels[i] ? 1 : 0), 0);
        return { loss: value!, correct, learningRate };
      } catch (error) {
        if (lastGood !== before) toDispose.push(...before);
        disposeTape();
        throw error;
      } finally {
        dispose(toDispose);
      }
    },

    async weightsAreFinite() {
      // 0 times a number is 0, times NaN or infinity NaN: one value to read back for all the weights.
      // Added in pairs: addN of all of them is more than a WebGPU shader takes.
      const probe = tidy(() => weights.map((weight) => sum(mul(weight.read(), 0))).reduce((a, b) => add(a, b)));
      const [value] = await probe.data();
      probe.dispose();
      return value === 0;
    },

    async restoreLastGood() {
      restore(lastGood);
    },

    // The model's own variables are what is trained.
    updateModel: async () => {},

    async dispose() {
      dispose(lastGood);
      lastGood = [];
      optimizer.dispose();
      mode.restore();
    },
  };
}

/** The kernels that decoupled weight decay shrinks: those of convolutions and dense layers, and no depthwise one. */
function decayingVariables(layers: readonly Layer[]): Variable[] {
  return layers.flatMap((layer) => {
    if ('layers' in layer) return decayingVariables((layer as LayersModel).layers);
    if (layer.getClassName() !== 'Conv2D' && layer.getClassName() !== 'Dense') return [];
    return layer.trainableWeights.filter(({ shape }) => shape.length > 1).map((weight) => weight.read() as Variable);
  });
}

/** Frees what tfjs saved for a backward pass that an error kept from being run to its end. */
function disposeTape(): void {
  const { state } = engine();
  for (const node of state.activeTape ?? []) dispose(node.saved ?? []);
  state.activeTape = [];
}
