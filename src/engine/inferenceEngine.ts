import { platform } from '#platform';
import type { InferenceGraph } from '../graph/inferenceGraph';
import type { QuantizedGraph } from '../graph/quantizeGraph';
import type { InputRange } from '../inputRange';
import type { EngineKernels } from '../kernels/engineKernels';
import { loadKernelModule } from '../kernels/wasmModule';
import { int8TileScratchBytes } from './fasterInt8Tile';
import { tileScratchBytes } from './fasterTileRows';
import type { DepthwisePass, Pass } from './inference/passes';
import { memoryBytesOf, planInference } from './inference/plan';
import type { InferenceCommand, InferenceInit, InferenceOutcome } from './inference/session';
import { ownValues } from './ownValues';
import type { PassTime } from './passTimer';
import { softmax } from './softmax';
import { createTeam } from './team';

type AnyGraph = InferenceGraph | QuantizedGraph;

/** Options for {@link createInferenceEngine}. */
export interface InferenceEngineOptions {
  /** A function is called while the threads start. */
  graph: AnyGraph | (() => AnyGraph);
  /** What pixels from 0 to 255 are mapped to. */
  inputRange: InputRange;
  /** @default what the machine has, at most 8 */
  threads?: number | undefined;
  /** Whether each stage puts out a tensor of its own, for {@link InferenceEngine.observe}. @default false */
  separateStages?: boolean;
}

/** A model in the library's own kernels, on threads of their own. Calls queue up. */
export interface InferenceEngine {
  readonly threads: number;
  readonly module: 'relaxed-simd' | 'simd';
  readonly precision: 'float32' | 'int8';
  /** Of the model. */
  readonly outputKind: InferenceGraph['outputKind'];
  /** Of the WebAssembly memory that everything lies in. */
  readonly memoryBytes: number;
  /** Outputs `[images, ...outputs]` of pictures `[images,H,W,C]` of 0 to 255; the softmax is left out. */
  run(pixels: Uint8Array | Float32Array, images: number): Promise<Float32Array>;
  /** The model's own outputs: those of `run`, and the softmax of them where the model ends in one. */
  predict(pixels: Uint8Array | Float32Array, images: number): Promise<Float32Array>;
  /** The same, and how long each pass took. */
  profile(pixels: Uint8Array | Float32Array, images: number): Promise<PassTime[]>;
  /** For each picture the highest value that each stage puts out, `[images,stages]`; 0 where none is above it. */
  observe(pixels: Uint8Array | Float32Array, images: number): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Starts the threads, lays out memory and gives them the weights. Throws what `graph` throws. */
export async function createInferenceEngine(options: InferenceEngineOptions): Promise<InferenceEngine> {
  const { kernels } = await loadKernelModule({ shared: platform.canShareMemory() });
  let prepared: ReturnType<typeof prepareInference> | undefined;
  const starting = createTeam({
    threads: options.threads,
    prepare: (threads) => {
      const { plan, weights } = prepared!;
      const init: InferenceInit = { kind: 'inference', plan, threads };
      return { init, forFirst: { weights }, transfer: [weights.buffer], memoryBytes: memoryBytesOf(plan, threads) };
    },
  });
  try {
    prepared = prepareInference(options, kernels);
  } catch (error) {
    // With nothing prepared the team cannot start either, and ends itself.
    await starting.catch(() => {});
    throw error;
  }
  const { precision, outputKind } = prepared;
  const team = await starting;
  const ask = <T>(
    kind: InferenceCommand['kind'],
    pixels: Uint8Array | Float32Array,
    images: number,
    profile = false,
  ) => {
    const command: InferenceCommand = { kind, images, isFloat: pixels instanceof Float32Array, profile };
    return team.run(command, { pixels: ownValues(pixels) }) as Promise<T>;
  };
  const run = async (pixels: Uint8Array | Float32Array, images: number) =>
    (await ask<InferenceOutcome>('run', pixels, images)).outputs;
  return {
    threads: team.threads,
    module: team.module,
    precision,
    outputKind,
    memoryBytes: team.memoryBytes,
    run,
    predict: async (pixels, images) => {
      const outputs = await run(pixels, images);
      return outputKind === 'probabilities' ? softmax(outputs, outputs.length / images) : outputs;
    },
    profile: async (pixels, images) => (await ask<InferenceOutcome>('run', pixels, images, true)).profile ?? [],
    observe: (pixels, images) => ask('observe', pixels, images),
    dispose: () => team.dispose(),
  };
}

/** The plan, and the weights as it has them. */
export function prepareInference(options: InferenceEngineOptions, kernels: EngineKernels) {
  const { inputRange, separateStages = false } = options;
  const graph = typeof options.graph === 'function' ? options.graph() : options.graph;
  const planned = planInference(graph, {
    inputRange,
    int8Group: kernels.i8GroupSize(),
    fuse: !separateStages,
    startScratchBytes: Math.max(tileScratchBytes(kernels), int8TileScratchBytes(kernels)),
    passScratchBytes: (pass) => passScratchBytes(kernels, pass),
  });
  const precision: InferenceEngine['precision'] = 'inputScale' in graph ? 'int8' : 'float32';
  return { ...planned, precision, outputKind: graph.outputKind };
}

function passScratchBytes(kernels: EngineKernels, pass: Pass): number {
  if (pass.kind === 'depthwise') return depthwiseScratchBytes(kernels, pass);
  if (pass.kind !== 'product') return 0;
  const { input, blockRows, depth, rows } = pass;
  if (input.type === 'float32') return kernels.f32MultiplyRowsScratchBytes(blockRows, depth);
  if (input.type === 'int16') return kernels.i16MultiplyRowsScratchBytes(blockRows, depth);
  const depthwise =
    typeof rows === 'object' && 'depthwise' in rows ? depthwiseScratchBytes(kernels, rows.depthwise) : 0;
  return Math.max(depthwise, kernels.i8MultiplyRowsScratchBytes(blockRows, depth));
}

function depthwiseScratchBytes(kernels: EngineKernels, { output, multiplier, window }: DepthwisePass): number {
  if (output.type === 'float32') return 0;
  return kernels.i8DepthwiseRowsScratchBytes(output.channels, multiplier, window.kernelHeight, window.kernelWidth);
}
