import type { EngineKernels } from '../kernels/engineKernels';

const DEPTH = 256;
const ROWS = 24;
/** Long enough for the runtime to have compiled both variants with all optimizations. */
const MEASURE_MS = 25;

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
  const best = { 4: Number.POSITIVE_INFINITY, 6: Number.POSITIVE_INFINITY };
  const end = performance.now() + MEASURE_MS;
  while (performance.now() < end) {
    for (const rows of [4, 6] as const) {
      const start = performance.now();
      // The same products in both.
      for (let i = 0; i < 10; i++) kernels.f32MultiplyTiles(scratch, DEPTH, ROWS, rows);
      best[rows] = Math.min(best[rows], performance.now() - start);
    }
  }
  return best[6] < best[4] ? 6 : 4;
}
