import { type PaddingStyle, windowPadding } from '../../model/architecture';
import type { ConfigLayer } from './modelConfig';

/** A number for height and one for width. */
type Pair<T> = readonly [height: T, width: T];

/** Zeros before and after. */
type Zeros = readonly [before: number, after: number];

/** A convolution's window along one axis, and the padding that the configuration gives it. */
interface Axis {
  readonly kind: 'conv' | 'depthwise';
  readonly kernelSize: number;
  readonly strides: number;
  readonly mode: 'same' | 'valid';
  readonly zeros: Zeros;
  /** Of what is padded; undefined where it is not known. */
  readonly size: number | undefined;
}

/** Which of two that pad alike, as on even sizes, is meant. */
const PREFERRED: readonly PaddingStyle[] = ['keras', 'same', 'torch'];

/** The style by which all convolutions of a model pad; undefined where there is no such style. */
export function configPadding(layers: readonly ConfigLayer[]): PaddingStyle | undefined {
  const axes = windowAxes(layers);
  if (!axes?.length) return undefined;
  return (
    PREFERRED.find((style) => axes.every((axis) => isLiterally(style, axis))) ??
    PREFERRED.find((style) => axes.every((axis) => padsAlike(style, axis)))
  );
}

function isLiterally(style: PaddingStyle, axis: Axis): boolean {
  const { mode, before, after } = windowPadding(axis, style);
  return mode === axis.mode && before === axis.zeros[0] && after === axis.zeros[1];
}

function padsAlike(style: PaddingStyle, axis: Axis): boolean {
  if (axis.size === undefined) return isLiterally(style, axis);
  const { mode, before, after } = windowPadding(axis, style);
  const expected = effective({ ...axis, mode, zeros: [before, after], size: axis.size });
  const received = effective({ ...axis, size: axis.size });
  return expected[0] === received[0] && expected[1] === received[1];
}

/** The zeros before and after, those of `same` among them. */
function effective({ mode, zeros, size, kernelSize, strides }: Axis & { size: number }): Zeros {
  if (mode === 'valid') return zeros;
  const padded = size + zeros[0] + zeros[1];
  const missing = Math.max(0, (Math.ceil(padded / strides) - 1) * strides + kernelSize - padded);
  const before = Math.floor(missing / 2);
  return [zeros[0] + before, zeros[1] + missing - before];
}

/** Both axes of all convolutions; undefined where the configuration is not understood. */
function windowAxes(layers: readonly ConfigLayer[]): Axis[] | undefined {
  const axes: Axis[] = [];
  let sizes = UNKNOWN;
  let zeros: Pair<Zeros> = [NONE, NONE];
  for (const { className, config } of layers) {
    sizes = inputSizes(config) ?? sizes;
    if (className === 'ZeroPadding2D') {
      if (!isPairOf(config.padding, isZeros)) return undefined;
      const [rows, columns] = config.padding;
      zeros = [sum(zeros[0], rows), sum(zeros[1], columns)];
    } else if (className === 'Conv2D' || className === 'DepthwiseConv2D') {
      const both = layerAxes(className, config, sizes, zeros);
      if (!both) return undefined;
      // Of a single pixel all styles make one thing.
      axes.push(...both.filter(({ kernelSize }) => kernelSize > 1));
      sizes = [outputSize(both[0]), outputSize(both[1])];
      zeros = [NONE, NONE];
    } else if (!keepsSize.has(className)) {
      sizes = UNKNOWN;
      zeros = [NONE, NONE];
    }
  }
  return axes;
}

const UNKNOWN: Pair<number | undefined> = [undefined, undefined];

const keepsSize: ReadonlySet<string> = new Set([
  'Activation',
  'BatchNormalization',
  'Dropout',
  'InputLayer',
  'LeakyReLU',
  'ReLU',
  'Rescaling',
]);

const NONE: Zeros = [0, 0];

function sum(zeros: Zeros, more: Zeros): Zeros {
  return [zeros[0] + more[0], zeros[1] + more[1]];
}

function layerAxes(
  className: 'Conv2D' | 'DepthwiseConv2D',
  { kernel_size: kernelSizes, strides, padding: mode }: ConfigLayer['config'],
  sizes: Pair<number | undefined>,
  zeros: Pair<Zeros>,
): Pair<Axis> | undefined {
  if (!isPairOf(kernelSizes, isCount) || !isPairOf(strides, isCount)) return undefined;
  if (mode !== 'same' && mode !== 'valid') return undefined;
  const kind = className === 'Conv2D' ? 'conv' : 'depthwise';
  const axis = (at: 0 | 1): Axis => ({
    kind,
    kernelSize: kernelSizes[at],
    strides: strides[at],
    mode,
    zeros: zeros[at],
    size: sizes[at],
  });
  return [axis(0), axis(1)];
}

function outputSize(axis: Axis): number | undefined {
  const { size, kernelSize, strides } = axis;
  if (size === undefined) return undefined;
  const [before, after] = effective({ ...axis, size });
  return Math.floor((size + before + after - kernelSize) / strides) + 1;
}

/** Height and width of pictures `[n,H,W,C]`, where a layer is the first and says so. */
function inputSizes(config: ConfigLayer['config']): Pair<number | undefined> | undefined {
  const shape = config.batch_shape ?? config.batch_input_shape;
  if (!Array.isArray(shape) || shape.length !== 4) return undefined;
  const [, height, width] = shape;
  return [isCount(height) ? height : undefined, isCount(width) ? width : undefined];
}

function isPairOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is [T, T] {
  return Array.isArray(value) && value.length === 2 && value.every(isItem);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1;
}

function isZeros(value: unknown): value is [number, number] {
  return isPairOf(value, (item): item is number => item === 0 || isCount(item));
}
