import type { ConvWindow } from '../graph/stage';
import type { EngineWindow } from '../kernels/engineKernels';

/** A window as the kernels take it. */
export function windowArguments(window: ConvWindow): EngineWindow {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft } = window;
  return [kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft];
}
