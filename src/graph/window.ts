import type { ConvWindow, FeatureSize } from './stage';

/** The settings of a convolution layer that say which pixels it reads. */
export interface Sliding {
  readonly kernelSize: readonly [height: number, width: number];
  readonly strides: readonly [height: number, width: number];
  readonly padding: 'same' | 'valid';
}

/** Rows and columns of zeros around a picture. */
export interface Zeros {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export const noZeros: Zeros = { top: 0, bottom: 0, left: 0, right: 0 };

/** Where a convolution's window begins, and how many places it takes: below 1 where the picture is too small for it. */
export interface Placement {
  readonly window: ConvWindow;
  readonly height: number;
  readonly width: number;
}

/** Slides a window over a picture with `zeros` around it. */
export function placeWindow({ height, width }: FeatureSize, sliding: Sliding, zeros: Zeros): Placement {
  const { kernelSize, strides, padding } = sliding;
  const [kernelHeight, kernelWidth] = kernelSize;
  const [strideHeight, strideWidth] = strides;
  const rows = place(zeros.top + height + zeros.bottom, kernelHeight, strideHeight, padding);
  const columns = place(zeros.left + width + zeros.right, kernelWidth, strideWidth, padding);
  const window = {
    kernelHeight,
    kernelWidth,
    strideHeight,
    strideWidth,
    padTop: zeros.top + rows.before,
    padLeft: zeros.left + columns.before,
  };
  return { window, height: rows.places, width: columns.places };
}

/** Along one axis, as tfjs has it: with `same` an odd pixel of padding lies at the end. */
function place(size: number, kernel: number, stride: number, padding: Sliding['padding']) {
  if (padding === 'valid') return { before: 0, places: Math.floor((size - kernel) / stride) + 1 };
  const places = Math.ceil(size / stride);
  const missing = Math.max(0, (places - 1) * stride + kernel - size);
  return { before: Math.floor(missing / 2), places };
}

/** Whether a convolution mixes channels only: one tap, and every pixel has its own output. */
export function isPointwise({
  window,
  input,
  output,
}: {
  readonly window: ConvWindow;
  readonly input: FeatureSize;
  readonly output: FeatureSize;
}): boolean {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth } = window;
  const isOneTap = kernelHeight * kernelWidth * strideHeight * strideWidth === 1;
  return isOneTap && input.height === output.height && input.width === output.width;
}
