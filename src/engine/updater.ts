import { swapWeights, type ThreadContext } from './context';
import type { OptimizerSettings } from './optimizer';
import type { PassTimer } from './passTimer';
import {
  accumulateGradients,
  averageMovingStatistics,
  averageWeights,
  clipScale,
  type Gradients,
  keepWeights,
  runOptimizer,
  sumSquares,
} from './update';

/** How weights are updated, from the first step to the last. */
export interface UpdaterSettings {
  readonly optimizer: OptimizerSettings;
  /** The norm over all gradients that is not exceeded. */
  readonly clipNorm: number | undefined;
}

/** What becomes of one batch's gradients. */
export interface UpdateCommand {
  readonly learningRate: number;
  /** They count so much. */
  readonly share: number;
  /** Whether the weights are updated, or the gradients wait for those of the next batch. */
  readonly update: boolean;
  /** What the average of the weights keeps of itself at this update; undefined leaves it as it is. */
  readonly averageDecay: number | undefined;
}

/** Turns gradients into new weights; every thread has its own, and all are in the same state. */
export interface Updater {
  /** Updates made. */
  readonly updates: number;
  /** Runs the passes that follow a batch's gradients; tells whether all new weights are finite. */
  run(timer: PassTimer, command: UpdateCommand): boolean;
  /** Goes back to the weights before the last update. */
  restore(): void;
  /** Goes on as after so many updates; both copies of the weights must be equal. */
  reset(updates: number): void;
}

/** Makes one thread's updater. */
export function createUpdater(
  context: ThreadContext,
  memory: WebAssembly.Memory,
  { optimizer, clipNorm }: UpdaterSettings,
): Updater {
  let updates = 0;
  /** Whether gradients wait for an update. */
  let isWaiting = false;
  /** Whether the copy that is not read holds the trainable weights of an update before. */
  let copiesDiffer = false;

  /** Writes weights and batch norm's averages, and reads them from now on; whether all of every thread are finite. */
  const write = (timer: PassTimer, work: () => boolean): boolean => {
    const { plan, thread } = context;
    const flags = new Int32Array(memory.buffer, plan.finite, plan.threads);
    timer.pass('optimizer', 'update', () => {
      const finite = work();
      flags[thread] = averageMovingStatistics(context) && finite ? 1 : 0;
    });
    swapWeights(context);
    return flags.every((flag) => flag === 1);
  };

  /** Moves batch norm's averages alone; those of before stay in the other copy, among the same other weights. */
  const keep = (timer: PassTimer): boolean => {
    const finite = write(timer, () => {
      if (copiesDiffer) keepWeights(context, memory);
      return true;
    });
    copiesDiffer = false;
    return finite;
  };

  const clip = (timer: PassTimer, gradients: Gradients): Gradients => {
    if (clipNorm === undefined) return gradients;
    const { offset, scale } = gradients;
    timer.pass('norm', 'update', () => sumSquares(context, memory, offset));
    return { offset, scale: scale * clipScale(context, memory, scale, clipNorm) };
  };

  const update = (timer: PassTimer, learningRate: number, gradients: Gradients): boolean => {
    updates += 1;
    copiesDiffer = true;
    return write(timer, () => runOptimizer(context, optimizer, { learningRate, step: updates, gradients }));
  };

  return {
    get updates() {
      return updates;
    },

    run(timer, command) {
      const { plan } = context;
      let gradients: Gradients = { offset: plan.gradients, scale: command.share };
      if (isWaiting || !command.update) {
        timer.pass('gradients', 'update', () => accumulateGradients(context, command.share, !isWaiting));
        gradients = { offset: plan.accumulated, scale: 1 };
      }
      isWaiting = !command.update;
      if (isWaiting) return keep(timer);
      const finite = update(timer, command.learningRate, clip(timer, gradients));
      const { averageDecay } = command;
      // Every thread has seen the same flags. What is not finite would stay in the average for good.
      if (finite && averageDecay !== undefined) {
        timer.pass('average', 'update', () => averageWeights(context, averageDecay));
      }
      return finite;
    },

    restore() {
      swapWeights(context);
      isWaiting = false;
    },

    reset(count) {
      updates = count;
      isWaiting = false;
      copiesDiffer = false;
    },
  };
}
