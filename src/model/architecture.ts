/** `[H,W,C]`: height, width and channels of a picture or a feature map. */
export type FeatureShape = readonly [height: number, width: number, channels: number];

/**
 * How convolutions with a stride pad.
 *
 * - `'same'`: as much as the output needs, the odd pixel below and on the right (tfjs, TF-slim).
 * - `'keras'`: as current Keras; depthwise layers with a stride pad one pixel below and on the right, all others `same`.
 *   Differs from `'same'` on odd feature maps only.
 * - `'torch'`: floor(kernel / 2) on every side, which on even feature maps shifts the grid by a pixel.
 */
export type PaddingStyle = 'same' | 'keras' | 'torch';

export const paddingStyles: readonly PaddingStyle[] = ['same', 'keras', 'torch'];

/** What a block of the network is: a full 3x3 convolution, or a 3x3 depthwise and a 1x1 convolution. */
export type BlockKind = 'conv' | 'depthwise';

/** A row of the architecture table. */
export interface ArchitectureRow {
  readonly kind: BlockKind;
  /** The block's `name` option: `conv1` for the stem, `N` for the layers `conv_dw_N` and `conv_pw_N`. */
  readonly name: string;
  readonly filters: number;
  readonly strides: number;
}

/** Height and width of the depthwise kernels, and of the stem's. */
export const KERNEL_SIZE = 3;

/**
 * MobileNetV1 without its head, at alpha 1.
 *
 * Source: Howard et al., "MobileNets" (arXiv 1704.04861), table 1. Its last depthwise row says stride 2, but the shapes
 * beside it, and every implementation, have stride 1.
 */
export const mobilenetV1Rows: readonly ArchitectureRow[] = [
  { kind: 'conv', name: 'conv1', filters: 32, strides: 2 },
  { kind: 'depthwise', name: '1', filters: 64, strides: 1 },
  { kind: 'depthwise', name: '2', filters: 128, strides: 2 },
  { kind: 'depthwise', name: '3', filters: 128, strides: 1 },
  { kind: 'depthwise', name: '4', filters: 256, strides: 2 },
  { kind: 'depthwise', name: '5', filters: 256, strides: 1 },
  { kind: 'depthwise', name: '6', filters: 512, strides: 2 },
  { kind: 'depthwise', name: '7', filters: 512, strides: 1 },
  { kind: 'depthwise', name: '8', filters: 512, strides: 1 },
  { kind: 'depthwise', name: '9', filters: 512, strides: 1 },
  { kind: 'depthwise', name: '10', filters: 512, strides: 1 },
  { kind: 'depthwise', name: '11', filters: 512, strides: 1 },
  { kind: 'depthwise', name: '12', filters: 1024, strides: 2 },
  { kind: 'depthwise', name: '13', filters: 1024, strides: 1 },
];

/** The filters that the width multiplier alpha leaves: `floor(filters * alpha)`, as in Keras. */
export function scaleFilters(filters: number, alpha: number): number {
  return Math.floor(filters * alpha);
}

/** A square convolution as far as its output's size depends on it. */
export interface Window {
  readonly kind: BlockKind;
  readonly kernelSize: number;
  readonly strides: number;
}

/** How a convolution pads: `same`, or `before` and `after` rows and columns of zeros and then `valid`. */
export interface WindowPadding {
  readonly mode: 'same' | 'valid';
  readonly before: number;
  readonly after: number;
}

export function windowPadding({ kind, kernelSize, strides }: Window, style: PaddingStyle): WindowPadding {
  if (style === 'torch' && kernelSize > 1) {
    const side = Math.floor(kernelSize / 2);
    return { mode: 'valid', before: side, after: side };
  }
  if (style === 'keras' && kind === 'depthwise' && strides > 1) return { mode: 'valid', before: 0, after: 1 };
  return { mode: 'same', before: 0, after: 0 };
}

/** Height (or width) of what a convolution makes of `size`; below 1 where `size` is too small for it. */
export function outputSize(size: number, window: Window, style: PaddingStyle): number {
  const { mode, before, after } = windowPadding(window, style);
  if (mode === 'same') return Math.ceil(size / window.strides);
  return Math.floor((size + before + after - window.kernelSize) / window.strides) + 1;
}

/** The smallest height (or width) that leaves a pixel at the end of these rows. */
export function smallestInputSize(rows: readonly ArchitectureRow[], style: PaddingStyle): number {
  return rows.reduceRight((size, { kind, strides }) => {
    const { mode, before, after } = windowPadding({ kind, kernelSize: KERNEL_SIZE, strides }, style);
    const needed = (size - 1) * strides + (mode === 'same' ? 1 : KERNEL_SIZE - before - after);
    return Math.max(1, needed);
  }, 1);
}
