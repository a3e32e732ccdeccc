import type { Stage, StageGraph, WeightRef } from '../graph/stage';
import { mostUnits, rowsPerBlock, weightGradientBlocking } from './blocking';
import { createAllocator, pixelsOf } from './memory';
import { type ChannelVectors, type PlanOptions, planShared, type SharedPlan, type SharedStage } from './sharedPlan';
import { padChannels, paddedChannels, type WeightLayout, type WeightsLayout } from './weightLayout';

// A plan is plain data, made once and posted to every thread. Offsets are in bytes, 0 stands for "none", and sizes are
// for a full batch.

/** What a stage reads: the picture, or the output of the stage before, as `clamp(scale * z + offset, low, high)`. */
export interface Source {
  /** Channels, padded. */
  readonly channels: number;
  /** `[batchSize,H,W,channels]`. */
  readonly z: number;
  readonly vectors: ChannelVectors;
  readonly clamp: readonly [low: number, high: number];
  /** The picture is read as it is. */
  readonly isPicture: boolean;
}

/** Where a stage's tensors lie. */
export interface StagePlan extends Source, SharedStage {
  readonly stage: Stage;
  readonly source: Source;
  /** Gradient of the loss with respect to y, the shape of z; 0 below the lowest stage that learns. */
  readonly dy: number;
  readonly kernel: WeightLayout | undefined;
  readonly bias: WeightLayout | undefined;
  readonly gamma: WeightLayout | undefined;
  readonly beta: WeightLayout | undefined;
  readonly movingMean: WeightLayout | undefined;
  readonly movingVariance: WeightLayout | undefined;
  /** Partial sums of the kernel's gradient. */
  readonly partials: number;
  /** A dropout's factors. */
  readonly mask: number;
}

/** The description of a training at one size of pictures that every thread works from. */
export interface TrainingPlan extends SharedPlan {
  readonly graph: StageGraph;
  readonly input: Source;
  readonly stages: readonly StagePlan[];
  /** Index of the lowest stage that learns: the way back ends there. */
  readonly lowest: number;
  /** `[batchSize,H,W,C]`, bytes. */
  readonly pictures: number;
  /** Sums over channels, `[slots][2][channels]` float64; each is read before the next stage writes. */
  readonly moments: number;
}

/**
 * Lays out all memory of a training before its first step. The graphs are one net at several sizes of pictures, each of
 * which has its activations in the same place.
 */
export function planTraining(
  graphs: readonly [StageGraph, ...StageGraph[]],
  options: PlanOptions,
): { plans: TrainingPlan[]; memoryBytes: number } {
  const common = planShared(graphs, options);
  const sizes = graphs.map((graph) => planSize(graph, common));
  return { plans: sizes.map(({ plan }) => plan), memoryBytes: Math.max(...sizes.map(({ end }) => end)) };
}

function planSize(graph: StageGraph, common: ReturnType<typeof planShared>): { plan: TrainingPlan; end: number } {
  const { shared, lowest } = common;
  const { batchSize, weights } = shared;
  const memory = createAllocator(common.end);
  const channels = paddedChannels(graph);
  const sizeOf = (i: number) => 4 * batchSize * pixelsOf(graph.stages[i]!.output) * channels[i + 1]!;

  // A stage's gradient is read while that of the stage before is written, so two buffers do.
  const dy = [0, 1].map((parity) =>
    memory.allocate(Math.max(0, ...graph.stages.map((_, i) => (i >= lowest && i % 2 === parity ? sizeOf(i) : 0)))),
  );
  const input: Source = {
    channels: channels[0]!,
    z: memory.allocate(4 * batchSize * pixelsOf(graph.input) * channels[0]!),
    vectors: common.input,
    clamp: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    isPicture: true,
  };
  const stages: StagePlan[] = [];
  graph.stages.forEach((stage, i) => {
    stages.push({
      ...common.stages[i]!,
      stage,
      source: stages[i - 1] ?? input,
      channels: channels[i + 1]!,
      clamp: stage.clamp,
      isPicture: false,
      z: memory.allocate(sizeOf(i)),
      dy: i >= lowest ? dy[i % 2]! : 0,
      ...weightsOf(stage, weights),
      partials: memory.allocate(4 * partialSums(stage, batchSize, channels[i]!) * kernelFloats(stage, weights)),
      mask: stage.kind === 'dropout' ? memory.allocate(sizeOf(i)) : 0,
    });
  });
  const plan = {
    ...shared,
    graph,
    input,
    stages,
    lowest,
    pictures: memory.allocate(batchSize * pixelsOf(graph.input) * graph.input.channels),
    moments: memory.allocate(16 * Math.max(...stages.map((stage) => momentsOf(stage, batchSize)))),
  };
  return { plan, end: memory.size() };
}

function weightsOf(stage: Stage, { layouts }: WeightsLayout) {
  const layoutOf = (ref: WeightRef | undefined) => ref && layouts[ref.index];
  const { bias, batchNorm } = stage;
  return {
    kernel: 'kernel' in stage ? layoutOf(stage.kernel) : undefined,
    bias: layoutOf(bias),
    gamma: layoutOf(batchNorm?.gamma),
    beta: layoutOf(batchNorm?.beta),
    movingMean: layoutOf(batchNorm?.movingMean),
    movingVariance: layoutOf(batchNorm?.movingVariance),
  };
}

const kernelFloats = (stage: Stage, weights: WeightsLayout) => weightsOf(stage, weights).kernel?.floats ?? 0;

/** Partial sums that the kernel's gradient is added up from; 0 where it is written in one go, or not at all. */
function partialSums(stage: Stage, batchSize: number, C: number): number {
  if (stage.kind === 'depthwise') return stage.kernel?.trainable ? mostUnits(batchSize) : 0;
  if (stage.kind !== 'conv' || !stage.kernel.trainable) return 0;
  // A smaller batch may be cut differently, but never into more chunks.
  const { chunks } = weightGradientBlocking(
    batchSize * pixelsOf(stage.output),
    depthOf(stage, C),
    padChannels(stage.output.channels),
  );
  return chunks > 1 ? chunks : 0;
}

/** K = KH * KW * C, the products that one output of a convolution sums up. */
export function depthOf({ window }: { window: { kernelHeight: number; kernelWidth: number } }, C: number): number {
  return window.kernelHeight * window.kernelWidth * C;
}

/** Float64 pairs that the sums of a stage take, forward or backward, whichever is more. */
function momentsOf({ stage, source, channels }: StagePlan, batchSize: number): number {
  const rows = (size: { height: number; width: number }) => batchSize * pixelsOf(size);
  // The loss and dropout sum over rows, depthwise and pooling over groups of pictures, large windows over pictures.
  const forward =
    stage.kind === 'conv' ? Math.ceil(rows(stage.output) / rowsPerBlock(depthOf(stage, source.channels))) : 0;
  const backward = stage.kind === 'conv' ? Math.ceil(rows(stage.input) / rowsPerBlock(channels)) : 0;
  return Math.max(Math.max(forward, batchSize) * channels, Math.max(backward, batchSize) * source.channels);
}
