import { gradientSlots, runBackward, runNormalizeBackward, sumLossGradient, sumPartials } from './backward';
import { onShare, type ThreadContext, weightAt } from './context';
import { runForward, runNormalize, usesBatchStatistics } from './forward';
import { pixelsOf } from './memory';
import type { PassTimer } from './passTimer';
import type { StagePlan } from './plan';

/** What the way forward is run for. */
export interface ForwardSettings {
  readonly images: number;
  readonly training: boolean;
  readonly dropoutSeed: number;
  /** Whether the pictures are bytes, which are yet to be mapped; floats lie in their place already. */
  readonly isBytes: boolean;
}

/** From the pictures to the outputs, and in training to the losses and the gradient of the loss. */
export function runForwardPasses(context: ThreadContext, timer: PassTimer, settings: ForwardSettings): void {
  const { images, training } = settings;
  timer.pass('input', 'forward', () => prepare(context, settings));
  for (const stage of context.plan.stages) {
    timer.pass(stage.stage.name, 'forward', () => runForward(context, stage, images, training));
    if (!training || !usesBatchStatistics(stage)) continue;
    timer.pass(stage.stage.name, 'statistics', () => runNormalize(context, stage, images, training));
  }
  timer.pass('loss', 'forward', () => score(context, images, training));
}

/** From the gradient of the loss to those of all weights that learn. */
export function runBackwardPasses(context: ThreadContext, timer: PassTimer, images: number): void {
  const { stages, lowest } = context.plan;
  const last = stages.at(-1)!;
  timer.pass('loss', 'backward', () => sumLossGradient(context, last, images));
  for (let i = stages.length - 1; i >= lowest; i--) {
    const stage = stages[i]!;
    const behind = stages[i + 1];
    timer.pass(stage.stage.name, 'statistics', () => {
      runNormalizeBackward(context, stage, images, gradientSlots(behind, last, images));
      if (behind) sumPartials(context, behind, images);
    });
    timer.pass(stage.stage.name, 'backward', () => runBackward(context, stage, images, i > lowest));
  }
  timer.pass('partial sums', 'backward', () => sumPartials(context, stages[lowest]!, images));
}

/** The pictures as numbers, and whatever else follows from the weights alone. */
function prepare(context: ThreadContext, { images, training, dropoutSeed, isBytes }: ForwardSettings): void {
  const { kernels, plan } = context;
  const { channels } = plan.graph.input;
  if (isBytes) {
    onShare(context, images * pixelsOf(plan.graph.input), (begin, end) => {
      const { input, pictures, factors, shifts } = plan;
      kernels.f32ScaleBytes(pictures, input.z, begin, end, channels, input.channels, factors, shifts);
    });
  }
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
}

function score(context: ThreadContext, images: number, training: boolean): void {
  const { kernels, plan } = context;
  const { outputs, labels, targets, losses, correct, graph } = plan;
  const last = plan.stages.at(-1)!;
  onShare(context, images, (begin, end) => {
    kernels.f32SoftmaxCrossEntropy(
      last.z,
      last.vectors.scale,
      last.vectors.offset,
      labels,
      targets,
      training ? last.dy : 0,
      outputs,
      losses,
      correct,
      images,
      graph.classes,
      last.channels,
      graph.outputKind === 'probabilities',
      begin,
      end,
    );
  });
}

function transposeKernel(context: ThreadContext, stage: StagePlan): void {
  const { kernel, transposed } = stage;
  const { rows, tapRows, paddedTapRows } = kernel!;
  const K = (rows / tapRows) * paddedTapRows;
  onShare(context, K / 8, (begin, end) => {
    context.kernels.f32TransposePanels(weightAt(context, kernel), transposed, K, stage.channels, begin, end);
  });
}
