import type { ConvStage, DepthwiseStage, StageGraph } from '../../graph/stage';

/** Whether a stage reads a vector: it comes from a dense layer, or from a 1x1 convolution of what was reshaped to one pixel. */
export function isDense({ kind, kernel, window }: ConvStage | DepthwiseStage, { weights }: StageGraph): boolean {
  if (kind !== 'conv') return false;
  const [height, width] = weights[kernel!.index]!.shape.slice(0, -2);
  return height !== window.kernelHeight || width !== window.kernelWidth;
}
