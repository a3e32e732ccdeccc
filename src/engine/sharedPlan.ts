import type { Stage, StageGraph } from '../graph/stage';
import { type Allocator, createAllocator, SLACK_BYTES } from './memory';
import type { WeightRole } from './optimizer';
import { layOutWeights, paddedChannels, type WeightsLayout } from './weightLayout';

// Offsets are in bytes, 0 stands for "none", and sizes are for a full batch.

/** Vectors of one value per channel of a stage's output. */
export interface ChannelVectors {
  /** What `z` is normalised with in this step. */
  readonly mean: number;
  readonly variance: number;
  readonly rstd: number;
  /** `y = scale * z + offset`. */
  readonly scale: number;
  readonly offset: number;
  /** `dz = c1 * dy + c2 * z + c3`. */
  readonly c1: number;
  readonly c2: number;
  readonly c3: number;
}

/** What a training has once, whatever the size of its pictures. */
export interface SharedPlan {
  readonly batchSize: number;
  readonly threads: number;
  readonly weights: WeightsLayout;
  /** What a picture's channels are multiplied with and shifted by, float64. */
  readonly factors: number;
  readonly shifts: number;
  readonly labels: number;
  /** `[batchSize,classes]`, what the loss counts each class. */
  readonly targets: number;
  /** `[batchSize,classes]`, what the model puts out. */
  readonly outputs: number;
  readonly losses: number;
  readonly correct: number;
  /** One flag a thread: whether the weights that it wrote are finite. */
  readonly finite: number;
  /** Sums of the squares of gradients, one a block, float64. */
  readonly squares: number;
  /** All weights twice: a step reads one copy and writes the other. */
  readonly weightCopies: readonly [number, number];
  /** The moving average of all weights; 0 where none is kept. */
  readonly average: number;
  readonly gradients: number;
  /** Gradients of batches that wait for their update; 0 where none may. */
  readonly accumulated: number;
  /** What the optimizer keeps of each trainable weight. */
  readonly optimizerStates: readonly number[];
  /** Of the first thread; the others' follow. */
  readonly scratch: number;
  readonly scratchBytes: number;
  /** What must be 1 before the first step; all else starts as 0. */
  readonly ones: readonly { readonly offset: number; readonly floats: number }[];
}

/** What a stage has once, whatever the size of its pictures. */
export interface SharedStage {
  readonly vectors: ChannelVectors;
  /** A kernel of ones, for a depthwise stage that has none. */
  readonly ones: number;
  /** The kernel's transpose, which the input gradient of a convolution multiplies with. */
  readonly transposed: number;
}

/** Options for {@link planShared}. */
export interface PlanOptions {
  readonly batchSize: number;
  readonly threads: number;
  /** How many values the optimizer keeps of each weight. */
  readonly optimizerStates: number;
  readonly weightDecayOn: readonly WeightRole[];
  /** Whether a moving average of the weights is kept. */
  readonly average: boolean;
  /** Whether gradients may wait for their update. */
  readonly accumulate: boolean;
  /** Bytes of scratch that a stage's kernels need. */
  readonly scratchBytes: (stage: Stage, C: number, Q: number) => number;
}

/** Floats whose squares are added up together. */
export const SQUARES_BLOCK = 16_384;

/** Lays out what all sizes of pictures share; `end` is the first byte behind it. */
export function planShared(graphs: readonly [StageGraph, ...StageGraph[]], options: PlanOptions) {
  const { batchSize, threads, average, accumulate, optimizerStates } = options;
  const [graph] = graphs;
  const memory = createAllocator();
  const { allocate } = memory;
  const weights = layOutWeights(graph, options.weightDecayOn);
  const channels = paddedChannels(graph);
  const trainable = () => allocate(4 * weights.trainableFloats);
  const input = allocateVectors(memory, channels[0]!);
  const ones = [{ offset: input.scale, floats: graph.input.channels }];
  const lowest = lowestLearning(graph);
  const stages = graph.stages.map((stage, i): SharedStage => {
    const needsOnes = stage.kind === 'depthwise' && stage.kernel === undefined;
    const needsTransposed = stage.kind === 'conv' && i > lowest;
    const shared = {
      vectors: allocateVectors(memory, channels[i + 1]!),
      ones: needsOnes ? allocate(4 * channels[i + 1]!) : 0,
      transposed: needsTransposed ? allocate(4 * weights.layouts[stage.kernel.index]!.floats) : 0,
    };
    if (needsOnes) ones.push({ offset: shared.ones, floats: stage.output.channels });
    return shared;
  });
  const scratchBytes = largestScratch(graphs, channels, options);
  const shared: SharedPlan = {
    batchSize,
    threads,
    weights,
    factors: allocate(8 * channels[0]!),
    shifts: allocate(8 * channels[0]!),
    labels: allocate(4 * batchSize),
    targets: allocate(4 * batchSize * graph.classes),
    outputs: allocate(4 * batchSize * graph.classes),
    losses: allocate(8 * batchSize),
    correct: allocate(4 * batchSize),
    finite: allocate(4 * threads),
    squares: allocate(8 * Math.ceil(weights.trainableFloats / SQUARES_BLOCK)),
    weightCopies: [allocate(4 * weights.floats), allocate(4 * weights.floats)],
    average: average ? allocate(4 * weights.floats) : 0,
    gradients: trainable(),
    accumulated: accumulate ? trainable() : 0,
    optimizerStates: Array.from({ length: optimizerStates }, trainable),
    scratch: allocate(threads * scratchBytes),
    scratchBytes,
    ones,
  };
  return { shared, input, stages, lowest, end: memory.size() };
}

/** Index of the lowest stage of which any weight is trained: the way back ends there. */
function lowestLearning({ stages }: StageGraph): number {
  return stages.findIndex((stage) => {
    const { bias, batchNorm } = stage;
    const kernel = 'kernel' in stage ? stage.kernel : undefined;
    return [kernel, bias, batchNorm?.gamma, batchNorm?.beta].some((ref) => ref?.trainable);
  });
}

function allocateVectors({ allocate }: Allocator, channels: number): ChannelVectors {
  const vector = () => allocate(4 * channels);
  return {
    mean: vector(),
    variance: vector(),
    rstd: vector(),
    scale: vector(),
    offset: vector(),
    c1: vector(),
    c2: vector(),
    c3: vector(),
  };
}

function largestScratch(graphs: readonly StageGraph[], channels: readonly number[], { scratchBytes }: PlanOptions) {
  const needed = graphs.flatMap(({ stages }) =>
    stages.map((stage, i) => scratchBytes(stage, channels[i]!, channels[i + 1]!)),
  );
  return Math.ceil((Math.max(...needed) + SLACK_BYTES) / 64) * 64;
}
