import type { EngineKernels } from '../kernels/engineKernels';
import { fastestOf } from './fastestOf';

/** How the products of bytes are made; all give the same bits. */
export interface Int8Tile {
  readonly tileRows: 4 | 6;
  readonly variant: 0 | 1;
}

const DEPTH = 128;
const ROWS = 24;

const tiles: readonly Int8Tile[] = [
  { tileRows: 4, variant: 0 },
  { tileRows: 6, variant: 0 },
  { tileRows: 4, variant: 1 },
];

/** Bytes of scratch that {@link fasterInt8Tile} works on. */
export function int8TileScratchBytes(kernels: EngineKernels): number {
  return kernels.i8MultiplyTilesScratchBytes(DEPTH, ROWS);
}

/**
 * Tells which way of multiplying bytes is fastest here.
 *
 * A dot product that adds is one instruction on processors with VNNI (if the runtime uses it) and five on others, which
 * are 1.4 times as fast with 16-bit sums of two words; how many rows fit the registers depends on the compiler.
 */
export function fasterInt8Tile(kernels: EngineKernels, scratch: number): Int8Tile {
  // Without the relaxed dot product there is one way only.
  if (kernels.i8GroupSize() === 2) return tiles[0]!;
  return fastestOf(tiles, ({ tileRows, variant }) => {
    kernels.i8MultiplyTiles(scratch, DEPTH, ROWS, tileRows, variant);
  });
}
