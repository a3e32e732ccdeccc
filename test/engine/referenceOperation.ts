// What a stage's operation is, in float64. Every operation is a sum of products, z[o] += a[i] * w[k], so a stage needs to
// say only which products there are; the forward pass and both gradients follow.
// Letters: N pictures, H W C the input's size, OH OW Q the output's, KH KW window, F filters, M outputs for each input
// channel of a depthwise convolution.
import type { ConvStage, DepthwiseStage, Stage } from '../../src/graph/stage';

/** Called with a run of products: z[o + r] += a[i] * w[k + r] for r < length. */
type VisitProducts = (i: number, k: number, o: number, length: number) => void;

/**
 * z `[N,OH,OW,Q]` of a stage's input a `[N,H,W,C]`.
 *
 * @param factors w: the kernel, or what {@link factorsOf} gives where the stage has none
 */
export function operate(stage: Stage, n: number, a: Float64Array, factors: Float64Array): Float64Array {
  const z = new Float64Array(n * sizeOf(stage.output));
  forEachProduct(stage, n, (i, k, o, length) => {
    for (let r = 0; r < length; r++) z[o + r]! += a[i]! * factors[k + r]!;
  });
  return z;
}

/** The gradient of a from the gradient of z. */
export function inputGradient(stage: Stage, n: number, dz: Float64Array, factors: Float64Array): Float64Array {
  const da = new Float64Array(n * sizeOf(stage.input));
  forEachProduct(stage, n, (i, k, o, length) => {
    for (let r = 0; r < length; r++) da[i]! += dz[o + r]! * factors[k + r]!;
  });
  return da;
}

/** The gradient of the kernel from the gradient of z. */
export function kernelGradient(stage: Stage, n: number, a: Float64Array, dz: Float64Array, size: number): Float64Array {
  const dw = new Float64Array(size);
  forEachProduct(stage, n, (i, k, o, length) => {
    for (let r = 0; r < length; r++) dw[k + r]! += a[i]! * dz[o + r]!;
  });
  return dw;
}

/** What stands for the kernel in a stage without one; a dropout keeps everything unless it is given its mask. */
export function factorsOf(stage: Stage, n: number): Float64Array {
  const { height, width, channels } = stage.input;
  switch (stage.kind) {
    case 'pool':
      return Float64Array.of(1 / (height * width));
    case 'dropout':
      return new Float64Array(n * sizeOf(stage.input)).fill(1);
    default:
      return new Float64Array(channels).fill(1);
  }
}

/** Values of one picture. */
export function sizeOf({ height, width, channels }: Stage['input']): number {
  return height * width * channels;
}

function forEachProduct(stage: Stage, n: number, visit: VisitProducts): void {
  const { height, width, channels } = stage.input;
  switch (stage.kind) {
    case 'conv': {
      const filters = stage.output.channels;
      forEachTap(stage, n, (pixel, tap, output) => {
        for (let c = 0; c < channels; c++)
          visit(pixel * channels + c, (tap * channels + c) * filters, output * filters, filters);
      });
      return;
    }
    case 'depthwise': {
      const { multiplier } = stage;
      forEachTap(stage, n, (pixel, tap, output) => {
        for (let c = 0; c < channels; c++)
          visit(
            pixel * channels + c,
            (tap * channels + c) * multiplier,
            (output * channels + c) * multiplier,
            multiplier,
          );
      });
      return;
    }
    case 'pool':
      for (let pixel = 0; pixel < n * height * width; pixel++)
        for (let c = 0; c < channels; c++)
          visit(pixel * channels + c, 0, Math.floor(pixel / (height * width)) * channels + c, 1);
      return;
    case 'dropout':
      for (let i = 0; i < n * sizeOf(stage.input); i++) visit(i, i, i, 1);
  }
}

/** Visits every pair of an input pixel and an output pixel that a tap of the window joins; pixels count over the batch. */
function forEachTap(
  { input, output, window }: ConvStage | DepthwiseStage,
  n: number,
  visit: (pixel: number, tap: number, output: number) => void,
): void {
  for (let image = 0; image < n; image++)
    for (let oh = 0; oh < output.height; oh++)
      for (let ow = 0; ow < output.width; ow++)
        for (let kh = 0; kh < window.kernelHeight; kh++)
          for (let kw = 0; kw < window.kernelWidth; kw++) {
            const h = oh * window.strideHeight + kh - window.padTop;
            const w = ow * window.strideWidth + kw - window.padLeft;
            if (h < 0 || h >= input.height || w < 0 || w >= input.width) continue;
            const pixel = (image * input.height + h) * input.width + w;
            visit(pixel, kh * window.kernelWidth + kw, (image * output.height + oh) * output.width + ow);
          }
}
