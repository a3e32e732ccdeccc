import type { ConvWindow, FeatureSize } from '../../graph/stage';

interface Sliding {
  readonly window: ConvWindow;
  readonly input: FeatureSize;
  readonly output: FeatureSize;
}

/** How far a window reaches out of the picture, below and on the right; 0 where it does not get to the border. */
export function endPadding({ window, input, output }: Sliding): { bottom: number; right: number } {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft } = window;
  const rows = (output.height - 1) * strideHeight + kernelHeight - padTop;
  const columns = (output.width - 1) * strideWidth + kernelWidth - padLeft;
  return { bottom: Math.max(0, rows - input.height), right: Math.max(0, columns - input.width) };
}
