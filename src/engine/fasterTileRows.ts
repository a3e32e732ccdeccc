import type { EngineKernels } from '../kernels/engineKernels';
import { fastestOf } from './fastestOf';

const DEPTH = 256;
const ROWS = 24;

/** Bytes of scratch that {@link fasterTileRows} works on. */
export function tileScratchBytes(kernels: EngineKernels): number {
  return kernels.f32MultiplyTilesScratchBytes(DEPTH, ROWS);
}

/**
 * Tells which tile of the matrix products is faster on this runtime, 4 or 6 rows.
 *
 * It depends on the registers that the compiler manages to use: with relaxed SIMD 6 rows are 7 % faster on V8 13 and
 * half as fast on V8 12. Both give the same bits.
 */
export function fasterTileRows(kernels: EngineKernels, scratch: number): 4 | 6 {
  // Without a fused multiply-add six rows need more registers than there are.
  if (kernels.hasMultiplyAdd() === 0) return 4;
  // The same products in both.
  return fastestOf([4, 6] as const, (rows) => kernels.f32MultiplyTiles(scratch, DEPTH, ROWS, rows));
}
