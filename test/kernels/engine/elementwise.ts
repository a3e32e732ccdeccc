// What pooling and dropout have in common: they read through a clamp, and their backward forms dz, masks it, and sums.
import type { Arena } from './arena';
import { paddedUniform } from './values';

export type Clamp = [low: number, high: number];

export const CLAMPS: readonly Clamp[] = [
  [0, 6],
  [0, Number.POSITIVE_INFINITY],
  [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
];

/** Vectors of C channels, the last of them padding, as they lie around a stage of R input rows and `pooled` output rows. */
export function dataOf(R: number, pooled: number, real: number, C: number, seed: number) {
  const rows = (count: number, part: number, low: number, high: number) =>
    paddedUniform(count, real, C, seed + part, low, high);
  const x = rows(R, 0, -4, 8);
  const [scale, offset] = [rows(1, 1, 0.5, 1.5), rows(1, 2, -1, 1)];
  // One channel whose values lie on the bounds of [0, 6].
  scale[0] = 1;
  offset[0] = 0;
  for (let r = 0; r < R; r++) x[r * C] = [6, 0, 3, -1, 7][r % 5]!;
  return {
    ...{ x, scale, offset, mean: rows(1, 3, 1, 3) },
    ...{ dy: rows(pooled, 4, -1, 1), z: rows(pooled, 5, 0, 2) },
    ...{ c1: rows(1, 6, 0.5, 1), c2: rows(1, 7, -0.1, 0.1), c3: rows(1, 8, -0.1, 0.1) },
  };
}

export type Data = ReturnType<typeof dataOf>;

/** Copies all of {@link dataOf} into an arena. */
export function pointersOf(arena: Arena, data: Data): Record<keyof Data, number> {
  return Object.fromEntries(Object.entries(data).map(([name, values]) => [name, arena.floats(values)])) as never;
}

/** `clamp(scale * x + offset)` of element i, and the size of what was added up for it. */
export function activation({ x, scale, offset }: Data, C: number, i: number, low: number, high: number) {
  const product = x[i]! * scale[i % C]!;
  const y = product + offset[i % C]!;
  return {
    a: Math.min(Math.max(y, low), high),
    passes: low < y && y <= high,
    magnitude: Math.abs(product) + Math.abs(offset[i % C]!),
  };
}

/** The definition of the backward: `factor(i)` is what a value of dz, of row `pooledRow(r)`, counts in input element i. */
export function expectedGradient(
  data: Data,
  shape: { R: number; C: number; rowsPerUnit: number },
  [low, high]: Clamp,
  pooledRow: (row: number) => number,
  factor: (i: number) => number,
) {
  const { R, C, rowsPerUnit } = shape;
  const units = Math.ceil(R / rowsPerUnit);
  const [dx, magnitude] = [new Float64Array(R * C), new Float64Array(R * C)];
  const [sums, sumMagnitude] = [new Float64Array(units * 2 * C), new Float64Array(units * 2 * C)];
  for (let i = 0; i < R * C; i++) {
    const c = i % C;
    const row = Math.floor(i / C);
    const at = pooledRow(row) * C + c;
    const terms = [data.c1[c]! * data.dy[at]!, data.c2[c]! * data.z[at]!, data.c3[c]!];
    const { passes } = activation(data, C, i, low, high);
    dx[i] = passes ? factor(i) * terms.reduce((sum, term) => sum + term, 0) : 0;
    magnitude[i] = factor(i) * terms.reduce((sum, term) => sum + Math.abs(term), 0);
    const slot = Math.floor(row / rowsPerUnit) * 2 * C + c;
    const distance = data.x[i]! - data.mean[c]!;
    sums[slot]! += dx[i]!;
    sums[slot + C]! += dx[i]! * distance;
    sumMagnitude[slot]! += magnitude[i]!;
    sumMagnitude[slot + C]! += magnitude[i]! * Math.abs(distance);
  }
  return { dx, magnitude, sums, sumMagnitude };
}
