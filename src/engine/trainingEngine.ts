import type { ImageBatch } from '../data/imageDataset';
import { check } from '../errors';
import type { StageGraph } from '../graph/stage';
import { checkInputRange, type InputRange } from '../inputRange';
import type { EngineKernels } from '../kernels/engineKernels';
import { type EngineState, packState, packWeights, unpackState, unpackWeights } from './engineState';
import { OPTIMIZER_SLOTS, type OptimizerSettings, type WeightRole } from './optimizer';
import { ownValues } from './ownValues';
import { sizeIndex } from './pictureSizes';
import { planTraining } from './plan';
import type { SessionCommand, SessionInit, StepOutcome, WhichWeights } from './session';
import type { PackedState } from './sessionMemory';
import { stageScratchBytes } from './stageScratch';
import { createTeam } from './team';
import type { UpdateCommand } from './updater';
import { layOutWeights } from './weightLayout';

/** Options for {@link createTrainingEngine}. */
export interface TrainingEngineOptions {
  graph: StageGraph;
  /** As `model.weights` has them, in its order. */
  weights: readonly ArrayLike<number>[];
  /** Pictures in a step, or in a prediction, at most. */
  batchSize: number;
  optimizer: OptimizerSettings;
  /** What bytes 0 to 255 are mapped to. */
  inputRange: InputRange;
  /** The weights that decay. @default ['kernel'] */
  weightDecayOn?: readonly WeightRole[] | undefined;
  /** The norm that the gradients of an update may have, over all weights. @default no limit */
  clipNorm?: number | undefined;
  /** Whether a moving average of the weights is kept. @default false */
  average?: boolean | undefined;
  /** Whether batches may wait for their update, for which their gradients need a place. @default true */
  accumulate?: boolean | undefined;
  /** The same net, on the same weights, for pictures of each further size that a batch may have. @default none */
  otherSizes?: readonly StageGraph[] | undefined;
  /** @default what the machine has, at most 8 */
  threads?: number | undefined;
}

/** Pictures, as bytes or as the numbers that the model takes, and what the loss counts each class: `[n,K]`. */
export interface EngineBatch extends ImageBatch<Uint8Array | Float32Array> {
  targets: Float32Array;
}

/** How one batch is learned from; without `share` and `update` it makes an update of its own. */
export interface EngineStepSettings extends Partial<UpdateCommand> {
  learningRate: number;
  /** An integer in [0, 2^32). */
  dropoutSeed: number;
  /** Whether to measure how long each pass takes. @default false */
  profile?: boolean;
}

/** A model in training in the library's own kernels, on threads of their own. Calls queue up. */
export interface TrainingEngine {
  readonly threads: number;
  readonly module: 'relaxed-simd' | 'simd';
  /** Of the WebAssembly memory that everything lies in. */
  readonly memoryBytes: number;
  /** Learns from one batch. */
  step(batch: EngineBatch, settings: EngineStepSettings): Promise<StepOutcome>;
  /** The model's outputs `[n,K]` in inference mode. */
  predict(batch: ImageBatch<Uint8Array | Float32Array>, which?: WhichWeights): Promise<Float32Array>;
  /** All weights, as `model.weights` has them; undefined for one that no stage uses. */
  readWeights(which?: WhichWeights): Promise<(Float32Array | undefined)[]>;
  /** The last batch's gradients of the trainable weights, likewise. */
  readGradients(): Promise<(Float32Array | undefined)[]>;
  /** Goes back to the weights before the last update, which are those of the last batch's loss where that was finite. */
  restoreWeights(): Promise<void>;
  /** What the next step depends on, between two updates; gradients that wait are no part of it. */
  readState(): Promise<EngineState>;
  /** Goes on from a state as if it had been reached here. */
  writeState(state: EngineState): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * Lays out memory, starts the threads and gives them the weights.
 *
 * @throws {MobilenetError} `engine-failed` where no worker starts
 */
export async function createTrainingEngine(options: TrainingEngineOptions): Promise<TrainingEngine> {
  const { graph, optimizer, average = false, accumulate = true, batchSize } = options;
  const graphs = graphsOfAllSizes(options);
  const layout = layOutWeights(graph, decaying(options));
  const team = await createTeam({
    threads: options.threads,
    prepare: (threads, kernels) => {
      const { init, memoryBytes } = prepareSession(options, threads, kernels);
      const { weights, ...shared } = init;
      return { init: shared, forFirst: { weights }, memoryBytes };
    },
  });
  const run = <T>(command: SessionCommand, forFirst?: object) => team.run(command, forFirst) as Promise<T>;
  const read = async (command: SessionCommand) => unpackWeights(layout, await run<Float32Array>(command));
  return {
    threads: team.threads,
    module: team.module,
    memoryBytes: team.memoryBytes,

    step: async (batch, settings) => {
      checkAverage(settings.averageDecay === undefined ? 'current' : 'average', average);
      check(accumulate || settings.update !== false, {
        where: 'The engine',
        expected: 'an update after each batch, as accumulate is false',
        received: 'a batch that waits for its update',
      });
      return run(trainCommand(sizeIndex(graphs, batch, batchSize), batch, settings), {
        pictures: ownValues(batch.images),
        labels: ownValues(batch.labels),
        targets: ownValues(batch.targets),
      });
    },

    predict: async (batch, which = 'current') => {
      checkAverage(which, average);
      const size = sizeIndex(graphs, batch, batchSize);
      return run({ kind: 'predict', which, ...sizesOf(batch), size }, { pictures: ownValues(batch.images) });
    },

    readWeights: async (which = 'current') => {
      checkAverage(which, average);
      return read({ kind: 'readWeights', which });
    },
    readGradients: () => read({ kind: 'readGradients' }),
    restoreWeights: () => run({ kind: 'restoreWeights' }),

    readState: async () =>
      unpackState(layout, optimizer, await run<PackedState & { updates: number }>({ kind: 'readState' })),
    writeState: async (state) => {
      const packed = packState(layout, optimizer, state, average);
      return run({ kind: 'writeState', updates: state.updates }, { state: packed });
    },

    dispose: () => team.dispose(),
  };
}

/** What every thread is told of a step. */
export function trainCommand(
  size: number,
  batch: EngineBatch,
  { learningRate, dropoutSeed, share = 1, update = true, averageDecay, profile = false }: EngineStepSettings,
): SessionCommand {
  const settings = { learningRate, dropoutSeed, share, update, averageDecay, profile };
  return { kind: 'train', ...sizesOf(batch), size, ...settings };
}

const sizesOf = ({ images, labels }: ImageBatch<Uint8Array | Float32Array>) => ({
  images: labels.length,
  isBytes: images instanceof Uint8Array,
});

function checkAverage(which: WhichWeights, isKept: boolean): void {
  check(which === 'current' || isKept, {
    where: 'The engine',
    expected: 'a training that keeps an average of its weights',
    received: 'one that does not',
  });
}

/** What the sessions of `threads` threads are started with, and the memory that they need. */
export function prepareSession(options: TrainingEngineOptions, threads: number, kernels: EngineKernels) {
  const { graph, batchSize, optimizer, inputRange, clipNorm, average = false, accumulate = true } = options;
  checkInputRange('The engine', inputRange, graph.input.channels);
  const { plans, memoryBytes } = planTraining(graphsOfAllSizes(options), {
    batchSize,
    threads,
    optimizerStates: OPTIMIZER_SLOTS[optimizer.kind].length,
    weightDecayOn: decaying(options),
    average,
    accumulate,
    scratchBytes: (stage, C, Q) => stageScratchBytes(kernels, stage, C, Q),
  });
  const layout = plans[0]!.weights;
  const weights = packWeights(layout, layout.floats, options.weights);
  const init: SessionInit = { kind: 'training', plans, weights, optimizer, clipNorm, inputRange };
  return { init, memoryBytes };
}

const graphsOfAllSizes = ({ graph, otherSizes = [] }: TrainingEngineOptions) => [graph, ...otherSizes] as const;

const decaying = ({ weightDecayOn = ['kernel'] }: TrainingEngineOptions) => weightDecayOn;
