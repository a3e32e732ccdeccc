import { memoryBytesOf } from '../../../src/engine/inference/plan';
import {
  createInferenceSession,
  type InferenceCommand,
  type InferenceOutcome,
} from '../../../src/engine/inference/session';
import type { TensorPlan } from '../../../src/engine/inference/tensors';
import { type InferenceEngineOptions, prepareInference } from '../../../src/engine/inferenceEngine';
import { pixelsOf } from '../../../src/engine/memory';
import type { EngineKernels } from '../../../src/kernels/engineKernels';

type Pixels = Uint8Array | Float32Array;

const modules = new Map<BufferSource, WebAssembly.Module>();

/**
 * The engine on this very thread, in one of the module's flavours. All its memory holds NaN at first, but for the zeros that
 * a new memory has where they are needed.
 */
export function createInlineInference(bytes: BufferSource, options: InferenceEngineOptions) {
  const module = modules.get(bytes) ?? new WebAssembly.Module(bytes);
  modules.set(bytes, module);
  const on = (memory: WebAssembly.Memory) =>
    new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as EngineKernels;
  const { plan, weights } = prepareInference(options, on(new WebAssembly.Memory({ initial: 1 })));
  const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytesOf(plan, 1) / 65_536) });
  new Float32Array(memory.buffer).fill(Number.NaN);
  new Float32Array(memory.buffer, plan.zeros, plan.channels).fill(0);
  let atBarrier = () => {};
  const environment = { kernels: on(memory), memory, thread: 0, barrier: () => atBarrier() };
  const session = createInferenceSession(environment, { kind: 'inference', plan, threads: 1, weights });

  const ask = (kind: InferenceCommand['kind'], pixels: Pixels, images: number) =>
    session.run({ kind, pixels, images, isFloat: pixels instanceof Float32Array });
  const run = (pixels: Pixels, images: number) => (ask('run', pixels, images) as InferenceOutcome).outputs;

  /** What each pass puts out, of one group of pictures, caught at the barrier behind it. */
  const passOutputs = (pixels: Pixels, images: number): Float64Array[] => {
    if (images > plan.groupSize) throw new Error(`at most ${plan.groupSize} pictures make one group`);
    // Two barriers come before: behind the pixels as they came, and behind the input.
    let barriers = -2;
    const outputs: Float64Array[] = [];
    atBarrier = () => {
      const pass = plan.passes[barriers++];
      if (pass) outputs.push(readTensor(memory, pass.output, images));
    };
    run(pixels, images);
    atBarrier = () => {};
    return outputs;
  };

  const observe = (pixels: Pixels, images: number) => ask('observe', pixels, images) as Float32Array;
  return { plan, run, observe, passOutputs };
}

/** A tensor's real numbers without the padding. */
function readTensor(memory: WebAssembly.Memory, tensor: TensorPlan, images: number): Float64Array {
  const { type, size, channels, offset, scale } = tensor;
  const count = images * pixelsOf(size) * channels;
  const stored =
    type === 'uint8' ? new Uint8Array(memory.buffer, offset, count) : new Float32Array(memory.buffer, offset, count);
  const values = Float64Array.from(stored, (value) => value * scale);
  return values.filter((_, i) => i % channels < size.channels);
}
