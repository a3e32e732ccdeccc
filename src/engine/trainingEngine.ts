import type { Stage, StageGraph } from '../graph/stage';
import type { EngineKernels } from '../kernels/engineKernels';
import { deepestBlock, rowsPerBlock } from './blocking';
import { tileScratchBytes } from './fasterTileRows';
import { OPTIMIZER_STATES, type OptimizerSettings } from './optimizer';
import { depthOf, planTraining } from './plan';
import type { SessionCommand, SessionInit, StepOutcome } from './session';
import { createTeam } from './team';
import { layOutWeights, packWeight, unpackWeight, type WeightsLayout } from './weightLayout';
import { windowArguments } from './windowArguments';

/** Options for {@link createTrainingEngine}. */
export interface TrainingEngineOptions {
  graph: StageGraph;
  /** As `model.weights` has them, in its order. */
  weights: readonly ArrayLike<number>[];
  /** Pictures in a step, or in a prediction, at most. */
  batchSize: number;
  optimizer: OptimizerSettings;
  /** What bytes 0 to 255 are mapped to. */
  inputRange: readonly [low: number, high: number];
  labelSmoothing: number;
  /** @default what the machine has, at most 8 */
  threads?: number | undefined;
}

/** A model in training in the library's own kernels, on threads of their own. Calls queue up. */
export interface TrainingEngine {
  readonly threads: number;
  readonly module: 'relaxed-simd' | 'simd';
  /** Of the WebAssembly memory that everything lies in. */
  readonly memoryBytes: number;
  /** One optimizer step on pictures `[n,H,W,C]` of bytes and their classes `[n]`. */
  step(
    pictures: Uint8Array,
    labels: Int32Array,
    learningRate: number,
    dropoutSeed: number,
    options?: { profile?: boolean },
  ): Promise<StepOutcome>;
  /** The model's outputs `[n,K]` in inference mode. */
  predict(pictures: Uint8Array, images: number): Promise<Float32Array>;
  /** All weights, as `model.weights` has them; undefined for one that no stage uses. */
  readWeights(): Promise<(Float32Array | undefined)[]>;
  /** The last step's gradients of the trainable weights, likewise. */
  readGradients(): Promise<(Float32Array | undefined)[]>;
  /** Goes back to the weights of the step before. */
  restoreWeights(): Promise<void>;
  dispose(): Promise<void>;
}

/** Lays out memory, starts the threads and gives them the weights. */
export async function createTrainingEngine(options: TrainingEngineOptions): Promise<TrainingEngine> {
  const layout = layOutWeights(options.graph);
  const team = await createTeam({
    threads: options.threads,
    prepare: (threads, kernels) => {
      const { init, memoryBytes } = prepareSession(options, threads, kernels);
      const { weights, ...shared } = init;
      return { init: shared, forFirst: { weights }, memoryBytes };
    },
  });
  const run = <T>(command: SessionCommand, forFirst?: object) => team.run(command, { forFirst }) as Promise<T>;
  return {
    threads: team.threads,
    module: team.module,
    memoryBytes: team.memoryBytes,
    step: (pictures, labels, learningRate, dropoutSeed, { profile } = {}) =>
      run(
        { kind: 'train', images: labels.length, learningRate, dropoutSeed, profile },
        { pictures: ownBytes(pictures), labels: ownBytes(labels) },
      ),
    predict: (pictures, images) => run({ kind: 'predict', images }, { pictures: ownBytes(pictures) }),
    readWeights: async () => unpackWeights(layout, await run<Float32Array>({ kind: 'readWeights' })),
    readGradients: async () => unpackWeights(layout, await run<Float32Array>({ kind: 'readGradients' })),
    restoreWeights: () => run({ kind: 'restoreWeights' }),
    dispose: () => team.dispose(),
  };
}

/** A view would be posted with all of the buffer that it looks at, which may be a whole dataset. */
function ownBytes<T extends Uint8Array | Int32Array>(view: T): T {
  return view.byteLength === view.buffer.byteLength ? view : (view.slice() as T);
}

/** What the sessions of `threads` threads are started with, and the memory that they need. */
export function prepareSession(options: TrainingEngineOptions, threads: number, kernels: EngineKernels) {
  const { graph, batchSize, optimizer, inputRange, labelSmoothing } = options;
  const plan = planTraining(graph, {
    batchSize,
    threads,
    optimizerStates: OPTIMIZER_STATES[optimizer.kind],
    scratchBytes: (stage, C, Q) => scratchBytes(kernels, stage, C, Q),
  });
  const weights = packWeights(plan.weights, options.weights);
  const init: SessionInit = { kind: 'training', plan, weights, optimizer, labelSmoothing, inputRange };
  return { init, memoryBytes: plan.memoryBytes };
}

function packWeights({ layouts, floats }: WeightsLayout, weights: readonly ArrayLike<number>[]): Float32Array {
  const packed = new Float32Array(floats);
  for (const [i, layout] of layouts.entries()) if (layout) packWeight(layout, weights[i]!, packed);
  return packed;
}

/** Weights that lie past the end of `packed` (no gradient is kept of those that do not learn) come out undefined. */
export function unpackWeights({ layouts }: WeightsLayout, packed: Float32Array): (Float32Array | undefined)[] {
  return layouts.map((layout) => (layout && layout.offset < packed.length ? unpackWeight(layout, packed) : undefined));
}

/** Scratch memory that one thread needs for a stage. */
function scratchBytes(kernels: EngineKernels, stage: Stage, C: number, Q: number): number {
  const forTiles = tileScratchBytes(kernels);
  if (stage.kind === 'conv') {
    const K = depthOf(stage, C);
    return Math.max(
      forTiles,
      kernels.f32ConvForwardScratchBytes(rowsPerBlock(K), K),
      kernels.f32ConvInputGradientScratchBytes(rowsPerBlock(Q), Q, K),
      kernels.f32ConvWeightGradientScratchBytes(deepestBlock(K), K),
    );
  }
  if (stage.kind !== 'depthwise') return forTiles;
  const { input, output, window, multiplier } = stage;
  const sizes = [input.height, input.width, output.height, output.width, multiplier] as const;
  return Math.max(forTiles, kernels.f32DepthwiseScratchBytes(...sizes, ...windowArguments(window)));
}
