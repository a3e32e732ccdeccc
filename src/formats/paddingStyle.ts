import { noZeros, placeWindow, type Sliding, type Zeros } from '../graph/window';
import { type BlockKind, type PaddingStyle, paddingStyles, windowPadding } from '../model/architecture';

/** A convolution's window as a file has it. */
export interface FileWindow {
  readonly kind: BlockKind;
  readonly sliding: Sliding;
  /** Of a PAD before it. */
  readonly zeros: Zeros;
  /** Of the picture before it is padded. */
  readonly height: number;
  readonly width: number;
}

/**
 * The style that puts every window where the file has it; undefined where none does.
 *
 * On even feature maps `'same'` and `'keras'` are one thing: then a PAD tells that it is `'keras'`.
 */
export function paddingStyleOf(windows: readonly FileWindow[]): PaddingStyle | undefined {
  const sliding = windows.filter(({ sliding: { kernelSize } }) => kernelSize.some((size) => size > 1));
  if (sliding.length === 0) return undefined;
  const isPadded = sliding.some(({ zeros }) => zeros !== noZeros);
  const styles = isPadded ? paddingStyles.toReversed() : paddingStyles;
  return styles.find((style) => sliding.every((window) => agrees(window, style)));
}

function agrees({ kind, sliding, zeros, height, width }: FileWindow, style: PaddingStyle): boolean {
  const [kernelSize] = sliding.kernelSize;
  const [strides] = sliding.strides;
  if (sliding.kernelSize[1] !== kernelSize || sliding.strides[1] !== strides) return false;
  const { mode, before, after } = windowPadding({ kind, kernelSize, strides }, style);
  const sides = { top: before, bottom: after, left: before, right: after };
  const expected = placeWindow({ height, width, channels: 1 }, { ...sliding, padding: mode }, sides);
  const actual = placeWindow({ height, width, channels: 1 }, sliding, zeros);
  return (
    expected.height === actual.height &&
    expected.width === actual.width &&
    expected.window.padTop === actual.window.padTop &&
    expected.window.padLeft === actual.window.padLeft
  );
}
