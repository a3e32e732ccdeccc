import { gradientSlots, runBackward, runNormalizeBackward, sumLossGradient, sumPartials } from './backward';
import { onShare, type ThreadContext, weightAt } from './context';
import { fasterTileRows } from './fasterTileRows';
import { runForward, runNormalize, usesBatchStatistics } from './forward';
import { pixelsOf } from './memory';
import type { OptimizerSettings } from './optimizer';
import { averageMovingStatistics, runOptimizer } from './optimizer';
import { createPassTimer, type PassTime, type PassTimer } from './passTimer';
import type { StagePlan, TrainingPlan } from './plan';
import type { WorkerEnvironment } from './workerLoop';

/** What every thread is started with. */
export interface SessionInit {
  readonly kind: 'training';
  readonly plan: TrainingPlan;
  /** All weights as `packWeight` lays them out; the first thread has them. */
  readonly weights?: Float32Array;
  readonly optimizer: OptimizerSettings;
  readonly labelSmoothing: number;
  /** What bytes 0 to 255 are mapped to. */
  readonly inputRange: readonly [low: number, high: number];
}

/** Pictures as bytes, `[images,H,W,C]`; the first thread has them. */
interface Pictures {
  readonly pictures?: Uint8Array;
  readonly images: number;
}

/** What a session can be told to do; every thread gets the same command. */
export type SessionCommand =
  | (Pictures & {
      readonly kind: 'train';
      /** Likewise. */
      readonly labels?: Int32Array;
      readonly learningRate: number;
      readonly dropoutSeed: number;
      readonly profile?: boolean;
    })
  | (Pictures & { readonly kind: 'predict' })
  | { readonly kind: 'readWeights' | 'readGradients' | 'restoreWeights' };

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
  const { plan, optimizer, inputRange } = init;
  const context: ThreadContext = {
    kernels,
    plan,
    thread,
    scratch: plan.scratch + thread * plan.scratchBytes,
    tileRows: 4,
    current: 0,
  };
  context.tileRows = fasterTileRows(kernels, context.scratch);
  if (init.weights) fillMemory(memory, plan, init.weights);
  barrier();

  let steps = 0;
  let timer: PassTimer = createPassTimer(barrier, false);

  const load = ({ pictures }: Pictures, labels?: Int32Array) => {
    if (pictures) new Uint8Array(memory.buffer).set(pictures, plan.pictures);
    if (labels) new Int32Array(memory.buffer, plan.labels).set(labels);
    barrier();
  };

  /** The pictures as numbers, and whatever else follows from the weights alone. */
  const prepare = (images: number, training: boolean, dropoutSeed: number) => {
    const [low, high] = inputRange;
    const { channels } = plan.graph.input;
    onShare(context, images * pixelsOf(plan.graph.input), (begin, end) => {
      const { input, pictures } = plan;
      kernels.f32FromBytes(pictures, input.z, begin, end, channels, input.channels, (high - low) / 255, low);
    });
    for (const [i, stage] of plan.stages.entries()) {
      if (!training || !usesBatchStatistics(stage)) runNormalize(context, stage, images, training);
      if (!training) continue;
      if (stage.transposed) transposeKernel(context, stage);
      if (stage.stage.kind === 'dropout') {
        const { rate, output } = stage.stage;
        const count = images * pixelsOf(output) * stage.channels;
        onShare(context, count / 4, (begin, end) => {
          kernels.f32DropoutMask(stage.mask, dropoutSeed, i, rate, 4 * begin, 4 * end);
        });
      }
    }
  };

  const forward = (images: number, training: boolean) => {
    for (const stage of plan.stages) {
      timer.pass(stage.stage.name, 'forward', () => runForward(context, stage, images, training));
      if (!training || !usesBatchStatistics(stage)) continue;
      timer.pass(stage.stage.name, 'statistics', () => runNormalize(context, stage, images, training));
    }
  };

  const score = (images: number, training: boolean) => {
    const { outputs, labels, losses, correct, graph } = plan;
    const last = plan.stages.at(-1)!;
    onShare(context, images, (begin, end) => {
      kernels.f32SoftmaxCrossEntropy(
        last.z,
        last.vectors.scale,
        last.vectors.offset,
        labels,
        training ? last.dy : 0,
        outputs,
        losses,
        correct,
        images,
        graph.classes,
        last.channels,
        init.labelSmoothing,
        graph.outputKind === 'probabilities',
        begin,
        end,
      );
    });
  };

  const backward = (images: number) => {
    const last = plan.stages.at(-1)!;
    timer.pass('loss', 'backward', () => sumLossGradient(context, last, images));
    for (let i = plan.stages.length - 1; i >= plan.lowest; i--) {
      const stage = plan.stages[i]!;
      const behind = plan.stages[i + 1];
      timer.pass(stage.stage.name, 'statistics', () => {
        runNormalizeBackward(context, stage, images, gradientSlots(behind, last, images));
        if (behind) sumPartials(context, behind, images);
      });
      timer.pass(stage.stage.name, 'backward', () => runBackward(context, stage, images, i > plan.lowest));
    }
  };

  const update = (learningRate: number) => {
    steps += 1;
    const allFinite = runOptimizer(context, optimizer, learningRate, steps);
    new Int32Array(memory.buffer, plan.finite, plan.threads)[thread] = allFinite ? 1 : 0;
    averageMovingStatistics(context);
    context.current = context.current === 0 ? 1 : 0;
  };

  const train = (command: SessionCommand & { kind: 'train' }): StepOutcome => {
    const { images } = command;
    timer = createPassTimer(barrier, command.profile === true);
    load(command, command.labels);
    timer.pass('input', 'forward', () => prepare(images, true, command.dropoutSeed));
    forward(images, true);
    timer.pass('loss', 'forward', () => score(images, true));
    const loss = new Float64Array(memory.buffer, plan.losses, images).reduce((sum, value) => sum + value, 0) / images;
    const correct = new Int32Array(memory.buffer, plan.correct, images).reduce((sum, value) => sum + value, 0);
    // Every thread sees the same sum, and so they all leave here or none does.
    if (!Number.isFinite(loss)) return { loss, correct: 0, finite: true, profile: undefined };
    backward(images);
    timer.pass('partial sums', 'backward', () => sumPartials(context, plan.stages[plan.lowest]!, images));
    timer.pass('optimizer', 'update', () => update(command.learningRate));
    const finite = new Int32Array(memory.buffer, plan.finite, plan.threads).every((flag) => flag === 1);
    return { loss, correct, finite, profile: timer.times };
  };

  const predict = (command: SessionCommand & { kind: 'predict' }): Float32Array => {
    timer = createPassTimer(barrier, false);
    load(command);
    timer.pass('input', 'forward', () => prepare(command.images, false, 0));
    forward(command.images, false);
    timer.pass('loss', 'forward', () => score(command.images, false));
    return new Float32Array(memory.buffer, plan.outputs, command.images * plan.graph.classes).slice();
  };

  return {
    run(command) {
      switch (command.kind) {
        case 'train':
          return train(command);
        case 'predict':
          return predict(command);
        case 'readWeights':
          return new Float32Array(memory.buffer, plan.weightCopies[context.current], plan.weights.floats).slice();
        case 'readGradients':
          return new Float32Array(memory.buffer, plan.gradients, plan.weights.trainableFloats).slice();
        case 'restoreWeights':
          context.current = context.current === 0 ? 1 : 0;
          return undefined;
      }
    },
  };
}

function fillMemory(memory: WebAssembly.Memory, plan: TrainingPlan, weights: Float32Array): void {
  for (const copy of plan.weightCopies) new Float32Array(memory.buffer, copy, weights.length).set(weights);
  for (const { offset, floats } of plan.ones) new Float32Array(memory.buffer, offset, floats).fill(1);
}

function transposeKernel(context: ThreadContext, stage: StagePlan): void {
  const { kernel, transposed } = stage;
  const { rows, tapRows, paddedTapRows } = kernel!;
  const K = (rows / tapRows) * paddedTapRows;
  onShare(context, K / 8, (begin, end) => {
    context.kernels.f32TransposePanels(weightAt(context, kernel), transposed, K, stage.channels, begin, end);
  });
}
