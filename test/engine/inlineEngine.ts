import type { ImageBatch } from '../../src/data/imageDataset';
import { type EngineState, packState, unpackState, unpackWeights } from '../../src/engine/engineState';
import { sizeIndex } from '../../src/engine/pictureSizes';
import { createSession, type SessionCommand, type StepOutcome, type WhichWeights } from '../../src/engine/session';
import type { PackedState } from '../../src/engine/sessionMemory';
import {
  type EngineBatch,
  type EngineStepSettings,
  prepareSession,
  type TrainingEngineOptions,
  trainCommand,
} from '../../src/engine/trainingEngine';
import type { EngineKernels } from '../../src/kernels/engineKernels';

/** A module that has run before is compiled with all optimizations. */
const modules = new Map<BufferSource, WebAssembly.Module>();

/** The engine on this very thread, in one of the module's flavours: for tests that compare numbers. */
export function createInlineEngine(bytes: BufferSource, options: TrainingEngineOptions) {
  const { batchSize, optimizer, average = false } = options;
  const module = modules.get(bytes) ?? new WebAssembly.Module(bytes);
  modules.set(bytes, module);
  const on = (memory: WebAssembly.Memory) =>
    new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as EngineKernels;
  const { init, memoryBytes } = prepareSession(options, 1, on(new WebAssembly.Memory({ initial: 1 })));
  const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / 65_536) });
  const session = createSession({ kernels: on(memory), memory, thread: 0, barrier: () => {} }, init);
  const run = <T>(command: SessionCommand) => session.run(command) as T;
  const [plan] = init.plans;
  const layout = plan!.weights;
  const sizeOf = (batch: ImageBatch<Uint8Array | Float32Array>) =>
    sizeIndex(
      init.plans.map(({ graph }) => graph),
      batch,
      batchSize,
    );
  return {
    plan: plan!,
    memory,
    memoryBytes,
    step(batch: EngineBatch, settings: EngineStepSettings) {
      const { images: pictures, labels, targets } = batch;
      return run<StepOutcome>({
        ...trainCommand(sizeOf(batch), batch, settings),
        pictures,
        labels,
        targets,
      } as SessionCommand);
    },
    predict(batch: ImageBatch<Uint8Array | Float32Array>, which: WhichWeights = 'current') {
      const { images: pictures, labels } = batch;
      const [images, isBytes] = [labels.length, pictures instanceof Uint8Array];
      return run<Float32Array>({ kind: 'predict', size: sizeOf(batch), images, isBytes, which, pictures });
    },
    weights: (which: WhichWeights = 'current') => unpackWeights(layout, run({ kind: 'readWeights', which })),
    gradients: () => unpackWeights(layout, run({ kind: 'readGradients' })),
    restore: () => run<undefined>({ kind: 'restoreWeights' }),
    readState: () => unpackState(layout, optimizer, run<PackedState & { updates: number }>({ kind: 'readState' })),
    writeState(state: EngineState) {
      const { updates } = state;
      run({ kind: 'writeState', updates, state: packState(layout, optimizer, state, average) });
    },
  };
}
