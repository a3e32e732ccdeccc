import { maskColumns } from './columns';

/**
 * Turns the gradient of a clamp's output into that of its input, in place, and sums it up for a batch norm.
 *
 * `dx`, `x [P,C]`, C a multiple of 8. The definition:
 *
 *     y[p,c] = scale[c] * x[p,c] + offset[c]
 *     dx[p,c] = low < y[p,c] && y[p,c] <= high ? dx[p,c] : 0
 *     sums[block][0][c] = sum of dx over the block's rows, sums[block][1][c] = sum of dx * (x - mean), float64
 *
 * A block is `rowsPerBlock` rows, a unit 8 columns of a block.
 */
export function f32MaskGradient(
  dx: usize, x: usize, scale: usize, offset: usize, mean: usize, low: f32, high: f32, sums: usize,
  unitBegin: i32, unitEnd: i32, rowsPerBlock: i32, P: i32, C: i32,
): void {
  const panels = C >> 3;
  for (let unit = unitBegin; unit < unitEnd; unit++) {
    const block = unit / panels;
    const column = <usize>(unit - block * panels) << 5;
    const start = block * rowsPerBlock;
    const at = (<usize>(start * C) << 2) + column;
    const blockSums = sums + (<usize>(block * C) << 4) + (column << 1);
    maskColumns(
      dx + at, x + at, min(rowsPerBlock, P - start), <usize>C << 2, scale + column, offset + column, mean + column,
      low, high, blockSums, blockSums + (<usize>C << 3),
    );
  }
}
