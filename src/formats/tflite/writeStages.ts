import { foldBatchNorm } from '../../graph/foldBatchNorm';
import type { InferenceConv, InferenceDepthwise } from '../../graph/inferenceGraph';
import type { Stage, StageGraph, WeightInfo } from '../../graph/stage';
import type { LayerPadding } from './layerPaddings';
import type { NetworkWriter } from './networkWriter';

/**
 * Writes a model's stages with their batch norms folded.
 *
 * @param values as `model.weights` has them, in its order
 * @param paddings of the layers with kernels, in their order
 */
export function writeStages(
  writer: NetworkWriter,
  graph: StageGraph,
  values: readonly Float32Array[],
  paddings: readonly LayerPadding[],
): void {
  const left = [...paddings];
  for (const stage of graph.stages) {
    for (const folded of foldBatchNorm({ ...graph, stages: [stage] }, values).stages) {
      const kernel = kernelOf(stage, graph);
      if (folded.kind === 'pool') writer.pool(folded.name);
      else if (kernel) writeConvolution(writer, folded, kernel, left.shift()!);
      else if (stage.batchNorm) writer.normalize(folded.name, folded.kernel, folded.bias, folded.clamp);
      else writer.activate(folded.name, folded.clamp);
    }
  }
}

/** Undefined for a batch norm or an activation that stands alone. */
function kernelOf(stage: Stage, { weights }: StageGraph): WeightInfo | undefined {
  return 'kernel' in stage && stage.kernel ? weights[stage.kernel.index] : undefined;
}

function writeConvolution(
  writer: NetworkWriter,
  { window, kernel, input, output, ...stage }: InferenceConv | InferenceDepthwise,
  { shape }: WeightInfo,
  layer: LayerPadding,
): void {
  const { name, bias, clamp } = stage;
  const { kernelHeight, kernelWidth, strideHeight, strideWidth } = window;
  const { channels } = output;
  const sliding = { ...layer, name, bias, clamp, output, strides: [strideHeight, strideWidth] as const };
  // What reads a vector is a dense layer, or a 1x1 convolution of what was reshaped to one pixel.
  const isDense = shape.at(-4) !== kernelHeight || shape.at(-3) !== kernelWidth;
  if (stage.kind === 'depthwise') {
    const filter = { shape: [1, kernelHeight, kernelWidth, channels], data: kernel };
    writer.convolveDepthwise({ ...sliding, filter }, stage.multiplier);
  } else if (isDense) {
    const filter = { shape: [channels, kernel.length / channels], data: lastToFirst(kernel, channels) };
    writer.connect({ name, bias, clamp, filter });
  } else {
    const data = lastToFirst(kernel, channels);
    writer.convolve({ ...sliding, filter: { shape: [channels, kernelHeight, kernelWidth, input.channels], data } });
  }
}

/** Values `[..,F]` as `[F,..]`. */
function lastToFirst(values: Float32Array, filters: number): Float32Array {
  const taps = values.length / filters;
  const turned = new Float32Array(values.length);
  for (let tap = 0; tap < taps; tap++) {
    for (let f = 0; f < filters; f++) turned[f * taps + tap] = values[tap * filters + f]!;
  }
  return turned;
}
