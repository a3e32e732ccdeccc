import { createSession, type SessionCommand, type StepOutcome } from '../../src/engine/session';
import { prepareSession, type TrainingEngineOptions, unpackWeights } from '../../src/engine/trainingEngine';
import type { EngineKernels } from '../../src/kernels/engineKernels';

/** The engine on this very thread, in one of the module's flavours: for tests that compare numbers. */
export function createInlineEngine(bytes: BufferSource, options: TrainingEngineOptions) {
  const module = new WebAssembly.Module(bytes);
  const on = (memory: WebAssembly.Memory) =>
    new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as EngineKernels;
  const { init, memoryBytes } = prepareSession(options, 1, on(new WebAssembly.Memory({ initial: 1 })));
  const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / 65_536) });
  const session = createSession({ kernels: on(memory), memory, thread: 0, barrier: () => {} }, init);
  const run = <T>(command: SessionCommand) => session.run(command) as T;
  return {
    plan: init.plan,
    memory,
    step: (pictures: Uint8Array, labels: Int32Array, learningRate: number, dropoutSeed = 0) =>
      run<StepOutcome>({ kind: 'train', pictures, images: labels.length, labels, learningRate, dropoutSeed }),
    predict: (pictures: Uint8Array, images: number) => run<Float32Array>({ kind: 'predict', pictures, images }),
    weights: () => unpackWeights(init.plan.weights, run({ kind: 'readWeights' })),
    gradients: () => unpackWeights(init.plan.weights, run({ kind: 'readGradients' })),
    restore: () => run<undefined>({ kind: 'restoreWeights' }),
  };
}
