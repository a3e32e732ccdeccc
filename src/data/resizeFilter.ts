/** How new pixels are made of old ones; see `resizePicture`. */
export type Interpolation = 'bilinear' | 'bicubic';

export const interpolations: readonly Interpolation[] = ['bilinear', 'bicubic'];

/** What each place of an axis is made of: the first pixel, and the weights from there on. */
export interface ResizeFilter {
  readonly starts: Int32Array;
  readonly weights: readonly Float64Array[];
}

/** How far a curve reaches where nothing shrinks, in pixels, and its height at a distance. */
interface Curve {
  readonly reach: number;
  at(distance: number): number;
}

const curves: Record<Interpolation, Curve> = {
  bilinear: { reach: 1, at: (distance) => Math.max(0, 1 - distance) },
  bicubic: { reach: 2, at: cubic },
};

/** Fixed point of Pillow's weights for bytes. */
const WEIGHT_UNIT = 2 ** 22;

/** What is resized along an axis, and what is kept of the result, in pixels. */
export interface ResizeAxis {
  /** Where the part that is resized begins, and how long it is. */
  readonly start: number;
  readonly length: number;
  /** How long it becomes. */
  readonly size: number;
  /** Which of its new pixels are kept: `kept` from `offset` on. */
  readonly offset: number;
  readonly kept: number;
}

/** The filter of an axis, from its start on; for bytes with the weights that Pillow's integers stand for. */
export function resizeFilter(
  interpolation: Interpolation,
  { length, size, offset, kept }: ResizeAxis,
  isBytes: boolean,
): ResizeFilter {
  const { reach, at } = curves[interpolation];
  const scale = length / size;
  const widening = Math.max(scale, 1);
  const starts = new Int32Array(kept);
  const weights: Float64Array[] = [];
  for (let o = 0; o < kept; o++) {
    const centre = (offset + o + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach * widening + 0.5));
    const end = Math.min(length, Math.trunc(centre + reach * widening + 0.5));
    const height = (_: unknown, k: number) => at(Math.abs(start + k - centre + 0.5) / widening);
    const raw = Float64Array.from({ length: end - start }, height);
    const sum = raw.reduce((total, weight) => total + weight, 0);
    starts[o] = start;
    weights.push(raw.map((weight) => (isBytes ? roundToUnit(weight / sum) : weight / sum)));
  }
  return { starts, weights };
}

/** Keys's cubic convolution with a = -1/2. */
function cubic(distance: number): number {
  if (distance >= 2) return 0;
  if (distance >= 1) return ((5 - distance) * distance - 8) * (distance / 2) + 2;
  return (1.5 * distance - 2.5) * distance * distance + 1;
}

/** Halves go away from zero. */
function roundToUnit(weight: number): number {
  return Math.trunc(weight * WEIGHT_UNIT + 0.5 * Math.sign(weight)) / WEIGHT_UNIT;
}

/**
 * `y[o, i] = sum over k of weights[o][k] * x[starts[o] + k, i]`, o from `begin` to `end`, i below `inner`; bytes are
 * rounded, and everything is kept within 0 to 255.
 */
export function blend(
  x: Uint8Array | Float32Array,
  inner: number,
  { starts, weights }: ResizeFilter,
  begin: number,
  end: number,
  y: Uint8Array | Float32Array,
  to: number,
): void {
  // A byte array rounds down by itself.
  const bias = y instanceof Float32Array ? 0 : 0.5;
  const highest = 255 + bias;
  for (let o = begin; o < end; o++) {
    const w = weights[o]!;
    const first = starts[o]! * inner;
    for (let i = 0; i < inner; i++) {
      let sum = bias;
      for (let k = 0, from = first + i; k < w.length; k++, from += inner) sum += w[k]! * x[from]!;
      y[to++] = Math.max(0, Math.min(sum, highest));
    }
  }
}
