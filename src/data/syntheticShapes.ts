/**
 * What is drawn at a point: the signed distance to the edge, negative inside. A figure fills about [-1, 1] x [-1, 1];
 * patterns (stripes, checkerboard, dots) fill a disc of that size.
 *
 * Sums, products, quotients and square roots only: every engine rounds these alike, so that pictures are the same
 * everywhere (sine and its like differ).
 */
export type Shape = (u: number, v: number) => number;

/** The ten figures of `syntheticCifar10`, in the order of their labels. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  circle: (u, v) => length(u, v) - 0.9,
  ring: (u, v) => Math.abs(length(u, v) - 0.75) - 0.2,
  square: (u, v) => box(u, v, 0.75, 0.75),
  triangle: (u, v) => Math.max(Math.abs(u) * 0.866 + v * 0.5, -v) - 0.5,
  cross: (u, v) => Math.min(box(u, v, 1, 0.28), box(u, v, 0.28, 1)),
  crescent: (u, v) => Math.max(length(u, v) - 0.95, 0.75 - length(u - 0.5, v)),
  star: (u, v) => (Math.sqrt(Math.abs(u)) + Math.sqrt(Math.abs(v)) - 1.1) * 0.6,
  stripes: (u, v) => Math.max(length(u, v) - 1, wave(u * 2.2) / 2.2),
  checkerboard: (u, v) =>
    Math.max(box(u, v, 0.9, 0.9), different(wave(u / 0.9 + 0.25) * 0.9, wave(v / 0.9 + 0.25) * 0.9)),
  dots: (u, v) => Math.max(box(u, v, 1, 1), length(toCell(u), toCell(v)) - 0.2),
};

function length(u: number, v: number): number {
  return Math.sqrt(u * u + v * v);
}

function box(u: number, v: number, halfWidth: number, halfHeight: number): number {
  return Math.max(Math.abs(u) - halfWidth, Math.abs(v) - halfHeight);
}

/** A triangle wave of period 1 between -0.25 and 0.25. */
function wave(x: number): number {
  return Math.abs(x - Math.floor(x) - 0.5) - 0.25;
}

/** Inside where exactly one of two is. */
function different(a: number, b: number): number {
  return Math.max(Math.min(a, b), -Math.max(a, b));
}

/** The place within a cell of a grid, from its middle; three cells lie in [-1, 1]. */
function toCell(x: number): number {
  const step = 2 / 3;
  return x - step * Math.floor(x / step + 0.5);
}
