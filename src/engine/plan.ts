import type { Stage, StageGraph, WeightRef } from '../graph/stage';
import { imagesPerUnit, rowsPerBlock, weightGradientBlocking } from './blocking';
import { type Allocator, createAllocator, pixelsOf, SLACK_BYTES } from './memory';
import { layOutWeights, padChannels, paddedChannels, type WeightLayout, type WeightsLayout } from './weightLayout';

// A plan is plain data, made once and posted to every thread. Offsets are in bytes, 0 stands for "none", and sizes are
// for a full batch.

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
export interface StagePlan extends Source {
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
  /** A kernel of ones, for a depthwise stage that has none. */
  readonly ones: number;
  /** The kernel's transpose, which the input gradient of a convolution multiplies with. */
  readonly transposed: number;
  /** Partial sums of the kernel's gradient. */
  readonly partials: number;
  /** A dropout's factors. */
  readonly mask: number;
}

/** The one description that every thread works from. */
export interface TrainingPlan {
  readonly graph: StageGraph;
  readonly batchSize: number;
  readonly threads: number;
  readonly weights: WeightsLayout;
  readonly input: Source;
  readonly stages: readonly StagePlan[];
  /** Index of the lowest stage that learns: the way back ends there. */
  readonly lowest: number;
  readonly pictures: number;
  readonly labels: number;
  /** `[batchSize,classes]`, what the model puts out. */
  readonly outputs: number;
  readonly losses: number;
  readonly correct: number;
  /** One flag a thread: whether the weights that it wrote are finite. */
  readonly finite: number;
  /** Sums over channels, `[slots][2][channels]` float64; each is read before the next stage writes. */
  readonly moments: number;
  /** All weights twice: a step reads one copy and writes the other. */
  readonly weightCopies: readonly [number, number];
  readonly gradients: number;
  /** What the optimizer keeps of each trainable weight. */
  readonly optimizerStates: readonly number[];
  /** Of the first thread; the others' follow. */
  readonly scratch: number;
  readonly scratchBytes: number;
  /** What must be 1 before the first step; all else starts as 0. */
  readonly ones: readonly { readonly offset: number; readonly floats: number }[];
  readonly memoryBytes: number;
}

/** Options for {@link planTraining}. */
export interface PlanOptions {
  readonly batchSize: number;
  readonly threads: number;
  /** How many values the optimizer keeps of each weight. */
  readonly optimizerStates: number;
  /** Bytes of scratch that a stage's kernels need. */
  readonly scratchBytes: (stage: Stage, C: number, Q: number) => number;
}

/** Lays out all memory of a training before its first step. */
export function planTraining(graph: StageGraph, options: PlanOptions): TrainingPlan {
  const { batchSize, threads, scratchBytes } = options;
  const memory = createAllocator();
  const weights = layOutWeights(graph);
  const channels = paddedChannels(graph);
  const lowest = graph.stages.findIndex(learns);
  const sizeOf = (i: number) => 4 * batchSize * pixelsOf(graph.stages[i]!.output) * channels[i + 1]!;

  // A stage's gradient is read while that of the stage before is written, so two buffers do.
  const dy = [0, 1].map((parity) =>
    memory.allocate(Math.max(0, ...graph.stages.map((_, i) => (i >= lowest && i % 2 === parity ? sizeOf(i) : 0)))),
  );
  const input: Source = {
    channels: channels[0]!,
    z: memory.allocate(4 * batchSize * pixelsOf(graph.input) * channels[0]!),
    vectors: allocateVectors(memory, channels[0]!),
    clamp: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    isPicture: true,
  };
  const stages: StagePlan[] = [];
  const ones = [{ offset: input.vectors.scale, floats: graph.input.channels }];
  graph.stages.forEach((stage, i) => {
    const needsOnes = stage.kind === 'depthwise' && stage.kernel === undefined;
    const plan: StagePlan = {
      stage,
      source: stages[i - 1] ?? input,
      channels: channels[i + 1]!,
      clamp: stage.clamp,
      isPicture: false,
      z: memory.allocate(sizeOf(i)),
      dy: i >= lowest ? dy[i % 2]! : 0,
      vectors: allocateVectors(memory, channels[i + 1]!),
      ...weightsOf(stage, weights),
      ones: needsOnes ? memory.allocate(4 * channels[i + 1]!) : 0,
      transposed: stage.kind === 'conv' && i > lowest ? memory.allocate(4 * kernelFloats(stage, weights)) : 0,
      partials: memory.allocate(4 * partialSums(stage, batchSize, channels[i]!) * kernelFloats(stage, weights)),
      mask: stage.kind === 'dropout' ? memory.allocate(sizeOf(i)) : 0,
    };
    stages.push(plan);
    if (needsOnes) ones.push({ offset: plan.ones, floats: stage.output.channels });
  });
  const scratch = Math.max(
    ...stages.map(({ stage, source, channels }) => scratchBytes(stage, source.channels, channels)),
  );
  const perThread = Math.ceil((scratch + SLACK_BYTES) / 64) * 64;
  return {
    graph,
    batchSize,
    threads,
    weights,
    input,
    stages,
    lowest,
    pictures: memory.allocate(batchSize * pixelsOf(graph.input) * graph.input.channels),
    labels: memory.allocate(4 * batchSize),
    outputs: memory.allocate(4 * batchSize * graph.classes),
    losses: memory.allocate(8 * batchSize),
    correct: memory.allocate(4 * batchSize),
    finite: memory.allocate(4 * threads),
    moments: memory.allocate(16 * Math.max(...stages.map((plan) => momentsOf(plan, batchSize)))),
    weightCopies: [memory.allocate(4 * weights.floats), memory.allocate(4 * weights.floats)],
    gradients: memory.allocate(4 * weights.trainableFloats),
    optimizerStates: Array.from({ length: options.optimizerStates }, () =>
      memory.allocate(4 * weights.trainableFloats),
    ),
    scratch: memory.allocate(threads * perThread),
    scratchBytes: perThread,
    ones,
    memoryBytes: memory.size(),
  };
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

/** Whether any weight of the stage is trained. */
function learns(stage: Stage): boolean {
  const { bias, batchNorm } = stage;
  const kernel = 'kernel' in stage ? stage.kernel : undefined;
  return [kernel, bias, batchNorm?.gamma, batchNorm?.beta].some((ref) => ref?.trainable);
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
  if (stage.kind === 'depthwise') return stage.kernel?.trainable ? Math.ceil(batchSize / imagesPerUnit(batchSize)) : 0;
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
