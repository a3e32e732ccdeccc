import type { InferenceGraph } from '../../graph/inferenceGraph';
import type { QuantizedGraph } from '../../graph/quantizeGraph';
import { channelRange, type InputRange } from '../../inputRange';
import { createAllocator, pixelsOf } from '../memory';
import { layOutPasses, type Pass } from './passes';
import { bufferBytes, type TensorPlan, tensorBytes } from './tensors';
import { createWeightBlock } from './weightBlock';

/** How pixels from 0 to 255 become numbers of the input: `pixel * factor + shift` of its channel, in float64. */
export interface PixelScaling {
  /** One for each channel of a picture, like `shifts`. */
  readonly factors: readonly number[];
  readonly shifts: readonly number[];
  /** Where they lie, `[2,C]` float64, C the input's padded channels. */
  readonly offset: number;
}

/** The one description that every thread works from; plain data, made once. Offsets are in bytes. */
export interface InferencePlan {
  /** Pictures that go through all passes together; a call may have more. */
  readonly groupSize: number;
  /** Bytes or floats, as they came. */
  readonly pixels: number;
  readonly pictureChannels: number;
  readonly input: TensorPlan;
  readonly scaling: PixelScaling;
  readonly passes: readonly Pass[];
  readonly output: TensorPlan;
  readonly weights: number;
  /** 1 and 0 for each channel, for a kernel that takes a scale and an offset. */
  readonly ones: number;
  readonly zeros: number;
  readonly channels: number;
  /** Of the first thread; the others' follow, at the end of all memory. */
  readonly scratch: number;
  readonly scratchBytes: number;
}

/** Options for {@link planInference}. */
export interface InferencePlanOptions {
  readonly inputRange: InputRange;
  /** Values of a row that int8 products take at a time. */
  readonly int8Group: number;
  /** Whether a depthwise convolution and the 1x1 convolution behind it are one pass. @default true */
  readonly fuse?: boolean;
  /** Bytes of scratch that the kernels of a pass need, without the memory in which rows are made. */
  readonly passScratchBytes: (pass: Pass) => number;
  /** Bytes of scratch that a thread needs at its start. */
  readonly startScratchBytes: number;
}

/** Of memory that so many threads need. */
export function memoryBytesOf({ scratch, scratchBytes }: InferencePlan, threads: number): number {
  return scratch + threads * scratchBytes;
}

/** What the largest tensor of a group should stay below, for the sake of the caches. */
const GROUP_BYTES = 4 * 2 ** 20;
const MAX_GROUP = 64;

/** Lays out all memory, and packs the weights, before the first picture. */
export function planInference(
  graph: InferenceGraph | QuantizedGraph,
  options: InferencePlanOptions,
): { plan: InferencePlan; weights: Uint8Array<ArrayBuffer> } {
  const { inputRange, int8Group, fuse = true, passScratchBytes, startScratchBytes } = options;
  const block = createWeightBlock(int8Group);
  const { input, passes } = layOutPasses(graph, block, fuse);
  const weights = block.bytes();

  const tensors = [input, ...passes.map(({ output }) => output)];
  const largest = Math.max(...tensors.map(tensorBytes));
  const groupSize = Math.min(MAX_GROUP, Math.max(1, Math.floor(GROUP_BYTES / largest)));
  const channels = Math.max(...tensors.map((tensor) => tensor.channels));
  const scratch = passes.map((pass) => passScratchBytes(pass) + (pass.kind === 'product' ? pass.stagingBytes : 0));
  const scratchBytes = Math.ceil((Math.max(startScratchBytes, ...scratch) + 128) / 64) * 64;

  const memory = createAllocator();
  // A pass reads one tensor and writes the next, so two buffers do.
  const buffers = [0, 1].map((parity) => {
    const sizes = tensors.map((tensor, i) => (i % 2 === parity ? bufferBytes(tensor, groupSize) : 0));
    return memory.allocate(Math.max(...sizes));
  });
  const placed = tensors.map((tensor, i) => ({ ...tensor, offset: buffers[i % 2]! }));
  const pixels = 4 * groupSize * pixelsOf(graph.input) * graph.input.channels;
  return {
    plan: {
      groupSize,
      pixels: memory.allocate(pixels),
      pictureChannels: graph.input.channels,
      input: placed[0]!,
      scaling: { ...scalingOf(inputRange, input), offset: memory.allocate(2 * 8 * input.channels) },
      passes: passes.map((pass, i) => placePass(pass, placed[i]!, placed[i + 1]!)),
      output: placed.at(-1)!,
      weights: memory.allocate(weights.byteLength),
      ones: memory.allocate(4 * channels),
      zeros: memory.allocate(4 * channels),
      channels,
      scratch: memory.size(),
      scratchBytes,
    },
    weights,
  };
}

function scalingOf(inputRange: InputRange, { size, scale }: TensorPlan) {
  const ranges = Array.from({ length: size.channels }, (_, c) => channelRange(inputRange, c));
  return {
    factors: ranges.map(([low, high]) => (high - low) / 255 / scale),
    shifts: ranges.map(([low]) => low / scale),
  };
}

/** The pass with its tensors in their places, and those of a depthwise convolution that is made on the way. */
function placePass(pass: Pass, input: TensorPlan, output: TensorPlan): Pass {
  if (pass.kind !== 'product') return { ...pass, input, output };
  const { rows } = pass;
  const isMade = typeof rows === 'object' && 'depthwise' in rows;
  return { ...pass, input, output, rows: isMade ? { depthwise: { ...rows.depthwise, input } } : rows };
}
