import type { ConvStage, DepthwiseStage, DropoutStage } from '../graph/stage';
import type { EngineConvGeometry, EngineDepthwiseGeometry } from '../kernels/engineKernels';
import { imagesPerUnit, rowsPerBlock } from './blocking';
import { onShare, type ThreadContext, weightAt } from './context';
import { pixelsOf } from './memory';
import { depthOf, type StagePlan } from './plan';
import { windowArguments } from './windowArguments';

/** Channels that a depthwise kernel takes at a time. */
const DEPTHWISE_BLOCK = 16;

/** This thread's share of `z`, and of the sums for batch norm where `training`. */
export function runForward(context: ThreadContext, plan: StagePlan, images: number, training: boolean): void {
  const { stage } = plan;
  if (stage.kind === 'conv') runConv(context, plan, stage, images, training);
  else if (stage.kind === 'depthwise') runDepthwise(context, plan, stage, images, training);
  else if (stage.kind === 'pool') runPool(context, plan, images);
  else runDropout(context, plan, stage, images, training);
}

/** Whether the stage normalises with the batch's own statistics. */
export function usesBatchStatistics({ stage }: StagePlan): boolean {
  return stage.batchNorm?.movingMean.trainable === true;
}

/**
 * This thread's share of `y = scale * z + offset`: from the batch's sums, from moving statistics, or from a bias alone.
 */
export function runNormalize(context: ThreadContext, stage: StagePlan, images: number, training: boolean): void {
  const { kernels, plan } = context;
  const { mean, variance, rstd, scale, offset } = stage.vectors;
  const { batchNorm, output } = stage.stage;
  const at = (layout: StagePlan['gamma']) => weightAt(context, layout);
  const bias = at(stage.bias);
  onShare(context, stage.channels / 8, (begin, end) => {
    const range = [8 * begin, 8 * end] as const;
    if (!batchNorm) {
      kernels.f32BiasOnly(bias, scale, offset, output.channels, ...range);
    } else if (training && usesBatchStatistics(stage)) {
      kernels.f32BatchNormForward(
        plan.moments,
        momentSlots(stage, images),
        stage.channels,
        images * pixelsOf(output),
        at(stage.gamma),
        at(stage.beta),
        batchNorm.epsilon,
        mean,
        variance,
        rstd,
        scale,
        offset,
        output.channels,
        ...range,
      );
    } else {
      kernels.f32BatchNormInference(
        at(stage.gamma),
        at(stage.beta),
        at(stage.movingMean),
        at(stage.movingVariance),
        batchNorm.epsilon,
        bias,
        mean,
        rstd,
        scale,
        offset,
        output.channels,
        ...range,
      );
    }
  });
}

/** The parts that the forward pass sums over. */
function momentSlots({ stage, source }: StagePlan, images: number): number {
  if (stage.kind === 'depthwise') return Math.ceil(images / imagesPerUnit(images));
  const depth = stage.kind === 'conv' ? depthOf(stage, source.channels) : 0;
  return Math.ceil((images * pixelsOf(stage.output)) / rowsPerBlock(depth));
}

/** The arguments that tell a convolution its shapes. */
export function geometryOf({ source, channels }: StagePlan, stage: ConvStage, images: number): EngineConvGeometry {
  const { input, output, window } = stage;
  return [
    images,
    input.height,
    input.width,
    source.channels,
    output.height,
    output.width,
    channels,
    ...windowArguments(window),
  ];
}

/** The same of a depthwise convolution, whose channels in and out go by the multiplier. */
export function depthwiseGeometryOf(
  { source, channels }: StagePlan,
  stage: DepthwiseStage,
  images: number,
): EngineDepthwiseGeometry {
  const { input, output, window } = stage;
  return [
    images,
    input.height,
    input.width,
    source.channels,
    output.height,
    output.width,
    channels,
    stage.multiplier,
    ...windowArguments(window),
  ];
}

/** Units of a depthwise pass: groups of pictures times blocks of channels. */
export function depthwiseUnits({ source }: StagePlan, images: number): number {
  return Math.ceil(images / imagesPerUnit(images)) * Math.ceil(source.channels / DEPTHWISE_BLOCK);
}

/** How a stage's input is read: z of the stage before, its scale and offset, and its clamp. */
export function readingOf({ source }: StagePlan) {
  const { z, vectors, clamp } = source;
  return [z, vectors.scale, vectors.offset, ...clamp] as const;
}

/** The same for convolutions, which take a picture as it is where they are given no scale. */
export function convReadingOf(plan: StagePlan) {
  const [z, scale, ...rest] = readingOf(plan);
  return [z, plan.source.isPicture ? 0 : scale, ...rest] as const;
}

function runConv(context: ThreadContext, plan: StagePlan, stage: ConvStage, images: number, training: boolean): void {
  const { kernels, scratch, tileRows } = context;
  const rows = rowsPerBlock(depthOf(stage, plan.source.channels));
  const blocks = Math.ceil((images * pixelsOf(stage.output)) / rows);
  const moments = training && usesBatchStatistics(plan) ? context.plan.moments : 0;
  const kernel = weightAt(context, plan.kernel);
  onShare(context, (blocks * plan.channels) / 8, (begin, end) => {
    kernels.f32ConvForward(
      ...convReadingOf(plan),
      kernel,
      plan.z,
      moments,
      scratch,
      begin,
      end,
      rows,
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
  training: boolean,
): void {
  const { kernels, scratch } = context;
  const moments = training && usesBatchStatistics(plan) ? context.plan.moments : 0;
  onShare(context, depthwiseUnits(plan, images), (begin, end) => {
    kernels.f32DepthwiseForward(
      ...readingOf(plan),
      plan.kernel ? weightAt(context, plan.kernel) : plan.ones,
      plan.z,
      moments,
      scratch,
      begin,
      end,
      imagesPerUnit(images),
      ...depthwiseGeometryOf(plan, stage, images),
    );
  });
}

function runPool(context: ThreadContext, plan: StagePlan, images: number): void {
  const pixels = pixelsOf(plan.stage.input);
  onShare(context, images, (begin, end) => {
    context.kernels.f32GlobalAverageForward(...readingOf(plan), plan.z, pixels, plan.channels, begin, end);
  });
}

function runDropout(
  context: ThreadContext,
  plan: StagePlan,
  stage: DropoutStage,
  images: number,
  training: boolean,
): void {
  const mask = training ? plan.mask : 0;
  onShare(context, images * pixelsOf(stage.output), (begin, end) => {
    context.kernels.f32DropoutForward(...readingOf(plan), mask, plan.z, plan.channels, begin, end);
  });
}
