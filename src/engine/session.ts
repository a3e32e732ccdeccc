import type { InputRange } from '../inputRange';
import type { ThreadContext } from './context';
import { fasterTileRows } from './fasterTileRows';
import { createPassTimer, type PassTime } from './passTimer';
import type { TrainingPlan } from './plan';
import {
  initMemory,
  type PackedState,
  type Pictures,
  readPackedState,
  readScores,
  writeBatch,
  writePackedState,
} from './sessionMemory';
import { runBackwardPasses, runForwardPasses } from './stagePasses';
import { createUpdater, type UpdateCommand, type UpdaterSettings } from './updater';
import type { WorkerEnvironment } from './workerLoop';

/** What every thread is started with. */
export interface SessionInit extends UpdaterSettings {
  readonly kind: 'training';
  /** One for each size of pictures. */
  readonly plans: readonly TrainingPlan[];
  /** All weights as `packWeight` lays them out; the first thread has them. */
  readonly weights?: Float32Array;
  /** What bytes 0 to 255 are mapped to. */
  readonly inputRange: InputRange;
}

/** Pictures to run; what {@link Pictures} says of them only the first thread has. */
interface Batch extends Partial<Pictures> {
  /** Which plan is for pictures of their size. */
  readonly size: number;
  readonly images: number;
  readonly isBytes: boolean;
}

/** The weights as the optimizer has them, or their moving average. */
export type WhichWeights = 'current' | 'average';

/** What a session can be told to do; every thread gets the same command. */
export type SessionCommand =
  | (Batch & UpdateCommand & { readonly kind: 'train'; readonly dropoutSeed: number; readonly profile?: boolean })
  | (Batch & { readonly kind: 'predict'; readonly which: WhichWeights })
  | { readonly kind: 'readWeights'; readonly which: WhichWeights }
  | { readonly kind: 'readGradients' | 'restoreWeights' | 'readState' }
  /** The first thread has the state. */
  | { readonly kind: 'writeState'; readonly updates: number; readonly state?: PackedState };

/** What a training step came to. */
export interface StepOutcome {
  /** Mean over the batch; where it is not finite, no weight was changed. */
  readonly loss: number;
  readonly correct: number;
  /** Whether all new weights are. */
  readonly finite: boolean;
  readonly profile: PassTime[] | undefined;
}

/** Runs commands; what it returns is the same on every thread, or undefined on all but the first. */
export interface Session {
  run(command: SessionCommand): unknown;
}

/** Makes one thread's session; all threads of an engine make theirs from the same `init`. */
export function createSession(environment: WorkerEnvironment, init: SessionInit): Session {
  const { kernels, memory, thread, barrier } = environment;
  const { plans, inputRange } = init;
  const [plan] = plans as [TrainingPlan];
  const [weights, newWeights] = plan.weightCopies;
  const scratch = plan.scratch + thread * plan.scratchBytes;
  const context: ThreadContext = { kernels, plan, thread, scratch, tileRows: 4, weights, newWeights };
  context.tileRows = fasterTileRows(kernels, scratch);
  const updater = createUpdater(context, memory, init);
  if (init.weights) initMemory(memory, plan, { weights: init.weights, inputRange });
  barrier();

  const load = ({ size, pictures, labels, targets }: Batch) => {
    context.plan = plans[size]!;
    if (pictures) writeBatch(memory, context.plan, { pictures, labels, targets });
    barrier();
  };

  const train = (command: SessionCommand & { kind: 'train' }): StepOutcome => {
    const { images, isBytes, dropoutSeed } = command;
    const timer = createPassTimer(barrier, command.profile === true);
    load(command);
    runForwardPasses(context, timer, { images, isBytes, training: true, dropoutSeed });
    const { loss, correct } = readScores(memory, context.plan, images);
    // Every thread sees the same sum, and so they all leave here or none does.
    if (!Number.isFinite(loss)) return { loss, correct: 0, finite: true, profile: undefined };
    runBackwardPasses(context, timer, images);
    const finite = updater.run(timer, command);
    return { loss, correct, finite, profile: timer.times };
  };

  const predict = (command: SessionCommand & { kind: 'predict' }): Float32Array => {
    const { images, isBytes } = command;
    const current = context.weights;
    load(command);
    if (command.which === 'average') context.weights = plan.average;
    const timer = createPassTimer(barrier, false);
    runForwardPasses(context, timer, { images, isBytes, training: false, dropoutSeed: 0 });
    context.weights = current;
    return new Float32Array(memory.buffer, plan.outputs, images * plan.graph.classes).slice();
  };

  return {
    run(command) {
      switch (command.kind) {
        case 'train':
          return train(command);
        case 'predict':
          return predict(command);
        case 'readWeights': {
          const from = command.which === 'average' ? plan.average : context.weights;
          return new Float32Array(memory.buffer, from, plan.weights.floats).slice();
        }
        case 'readGradients':
          return new Float32Array(memory.buffer, plan.gradients, plan.weights.trainableFloats).slice();
        case 'restoreWeights':
          return updater.restore();
        case 'readState':
          return thread === 0 ? { ...readPackedState(memory, context), updates: updater.updates } : undefined;
        case 'writeState':
          if (command.state) writePackedState(memory, plan, command.state);
          return updater.reset(command.updates);
      }
    },
  };
}
