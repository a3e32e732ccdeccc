import type { ConvStage, DepthwiseStage } from '../graph/stage';
import { isPointwise } from '../graph/window';
import { imagesPerUnit, patchRows, rowsPerBlock, weightGradientBlocking } from './blocking';
import { gradientAt, onShare, type ThreadContext, weightAt } from './context';
import { convReadingOf, depthwiseGeometryOf, depthwiseUnits, geometryOf, usesBatchStatistics } from './forward';
import { pixelsOf } from './memory';
import { depthOf, type StagePlan } from './plan';

/**
 * This thread's share of a stage's way back: the gradient of its kernel where that learns, and that of its input where
 * a stage below learns, masked and summed up for that stage's batch norm.
 */
export function runBackward(context: ThreadContext, plan: StagePlan, images: number, needsInput: boolean): void {
  const { stage } = plan;
  if (stage.kind === 'depthwise') runDepthwise(context, plan, stage, images, needsInput);
  if (stage.kind === 'conv' && stage.kernel.trainable) runConvWeights(context, plan, stage, images);
  if (!needsInput) return;
  if (stage.kind === 'conv') runConvInput(context, plan, stage, images);
  else if (stage.kind === 'pool') runPool(context, plan, images);
  else if (stage.kind === 'dropout') runDropout(context, plan, images);
}

/** This thread's share of the sums over dy of the last stage, which no stage behind it gathers. */
export function sumLossGradient(context: ThreadContext, stage: StagePlan, images: number): void {
  const { kernels, plan } = context;
  const rows = rowsPerBlock(stage.channels);
  onShare(context, (Math.ceil(images / rows) * stage.channels) / 8, (begin, end) => {
    const { vectors, z, dy, channels } = stage;
    kernels.f32MaskGradient(
      dy,
      z,
      vectors.scale,
      vectors.offset,
      vectors.mean,
      ...stage.clamp,
      plan.moments,
      begin,
      end,
      rows,
      images,
      channels,
    );
  });
}

/**
 * This thread's share of what a stage's sums are for: the gradients of gamma, beta and bias, and the vectors that turn dy
 * into dz. `slots` is what {@link gradientSlots} says of the stage behind it.
 */
export function runNormalizeBackward(context: ThreadContext, stage: StagePlan, images: number, slots: number): void {
  const { kernels, plan } = context;
  const { mean, rstd, scale, c1, c2, c3 } = stage.vectors;
  onShare(context, stage.channels / 8, (begin, end) => {
    kernels.f32BatchNormBackward(
      plan.moments,
      slots,
      stage.channels,
      images * pixelsOf(stage.stage.output),
      rstd,
      scale,
      mean,
      usesBatchStatistics(stage),
      gradientAt(context, stage.gamma),
      gradientAt(context, stage.beta),
      gradientAt(context, stage.bias),
      c1,
      c2,
      c3,
      8 * begin,
      8 * end,
    );
  });
}

/** The parts that the way back through `stage` sums dx over, for the stage before it; without one, the loss. */
export function gradientSlots(stage: StagePlan | undefined, last: StagePlan, images: number): number {
  if (stage === undefined) return Math.ceil(images / rowsPerBlock(last.channels));
  if (stage.stage.kind !== 'conv') return Math.ceil(images / imagesPerUnit(images));
  return isPointwise(stage.stage)
    ? Math.ceil((images * pixelsOf(stage.stage.output)) / rowsPerBlock(stage.channels))
    : images;
}

/** This thread's share of adding up a kernel's partial gradients, where it has some. */
export function sumPartials(context: ThreadContext, stage: StagePlan, images: number): void {
  const { kernel, partials } = stage;
  if (partials === 0 || !kernel) return;
  const groups =
    stage.stage.kind === 'conv'
      ? blockingOf(stage, stage.stage, images).chunks
      : Math.ceil(images / imagesPerUnit(images));
  onShare(context, kernel.floats / 4, (begin, end) => {
    context.kernels.f32SumGroups(partials, gradientAt(context, kernel), groups, kernel.floats, 4 * begin, 4 * end);
  });
}

function blockingOf({ source, channels }: StagePlan, stage: ConvStage, images: number) {
  return weightGradientBlocking(images * pixelsOf(stage.output), depthOf(stage, source.channels), channels);
}

/** dz of a stage: dy, z and the vectors that make it of them. */
function gradientOf({ dy, z, vectors }: StagePlan) {
  return [dy, z, vectors.c1, vectors.c2, vectors.c3] as const;
}

/** How the stage before is read on the way back. */
function targetOf({ source }: StagePlan) {
  const { z, vectors, clamp } = source;
  return [z, vectors.scale, vectors.offset, vectors.mean, ...clamp] as const;
}

const dyOf = ({ source }: StagePlan) => (source as Partial<StagePlan>).dy ?? 0;

function runConvInput(context: ThreadContext, plan: StagePlan, stage: ConvStage, images: number): void {
  const { kernels, scratch, tileRows } = context;
  const buffers = [dyOf(plan), context.plan.moments, scratch] as const;
  if (isPointwise(stage)) {
    const rows = rowsPerBlock(plan.channels);
    const P = images * pixelsOf(stage.output);
    const C = plan.source.channels;
    onShare(context, (Math.ceil(P / rows) * C) / 8, (begin, end) => {
      const share = [begin, end, rows, tileRows] as const;
      kernels.f32PointwiseInputGradient(
        ...gradientOf(plan),
        plan.transposed,
        ...targetOf(plan),
        ...buffers,
        ...share,
        P,
        C,
        plan.channels,
      );
    });
    return;
  }
  const rows = patchRows(plan.channels, pixelsOf(stage.output));
  const [, ...geometry] = geometryOf(plan, stage, images);
  onShare(context, images, (begin, end) => {
    const share = [begin, end, rows, tileRows] as const;
    kernels.f32ConvInputGradient(
      ...gradientOf(plan),
      plan.transposed,
      ...targetOf(plan),
      ...buffers,
      ...share,
      ...geometry,
    );
  });
}

function runConvWeights(context: ThreadContext, plan: StagePlan, stage: ConvStage, images: number): void {
  const { kernels, scratch, tileRows } = context;
  const { chunks, rowsPerChunk, depth } = blockingOf(plan, stage, images);
  onShare(context, (chunks * plan.channels) / 8, (begin, end) => {
    kernels.f32ConvWeightGradient(
      ...convReadingOf(plan),
      ...gradientOf(plan),
      plan.partials || gradientAt(context, plan.kernel),
      scratch,
      begin,
      end,
      rowsPerChunk,
      depth,
      tileRows,
      ...geometryOf(plan, stage, images),
    );
  });
}

function runDepthwise(
  context: ThreadContext,
  plan: StagePlan,
  stage: DepthwiseStage,
  images: number,
  needsInput: boolean,
): void {
  const { kernels, scratch } = context;
  const dw = stage.kernel?.trainable ? plan.partials : 0;
  const dx = needsInput ? dyOf(plan) : 0;
  if (dw === 0 && dx === 0) return;
  onShare(context, depthwiseUnits(plan, images), (begin, end) => {
    kernels.f32DepthwiseBackward(
      ...targetOf(plan),
      plan.kernel ? weightAt(context, plan.kernel) : plan.ones,
      ...gradientOf(plan),
      dx,
      context.plan.moments,
      dw,
      scratch,
      begin,
      end,
      imagesPerUnit(images),
      ...depthwiseGeometryOf(plan, stage, images),
    );
  });
}

function runPool(context: ThreadContext, plan: StagePlan, images: number): void {
  const perUnit = imagesPerUnit(images);
  onShare(context, Math.ceil(images / perUnit), (begin, end) => {
    context.kernels.f32GlobalAverageBackward(
      ...targetOf(plan),
      ...gradientOf(plan),
      dyOf(plan),
      context.plan.moments,
      perUnit,
      begin,
      end,
      images,
      pixelsOf(plan.stage.input),
      plan.channels,
    );
  });
}

function runDropout(context: ThreadContext, plan: StagePlan, images: number): void {
  const pixels = pixelsOf(plan.stage.output);
  const perUnit = imagesPerUnit(images);
  onShare(context, Math.ceil(images / perUnit), (begin, end) => {
    context.kernels.f32DropoutBackward(
      ...targetOf(plan),
      plan.mask,
      ...gradientOf(plan),
      dyOf(plan),
      context.plan.moments,
      perUnit * pixels,
      begin,
      end,
      images * pixels,
      plan.channels,
    );
  });
}
