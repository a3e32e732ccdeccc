// How work is cut into units. All of it follows from the shapes and never from the number of threads, so that sums are
// added in the same order however many run.

/** Rows must be whole tiles of 4 and of 6. */
const TILE_MULTIPLE = 12;
/** Of packed rows, that should stay in the L2 cache beside a panel of the other side. */
const ROWS_BYTES = 192 * 1024;
const DEPTH_BYTES = 512 * 1024;
/** Groups of pictures that a sum over the batch is cut into. Few, for depthwise kernels fill their lanes with small maps. */
const GROUPS = 8;
/** Partial weight gradients at most. */
const CHUNKS = 8;

/** Rows that are packed at a time where each holds `depth` values. */
export function rowsPerBlock(depth: number): number {
  const rows = Math.floor(ROWS_BYTES / 4 / depth / TILE_MULTIPLE) * TILE_MULTIPLE;
  return Math.min(384, Math.max(TILE_MULTIPLE, rows));
}

/** Rows that the input gradient of a convolution of more than one pixel packs at a time: those of one picture at most. */
export function patchRows(channels: number, pixels: number): number {
  return Math.min(rowsPerBlock(channels), pixels);
}

/** How the weight gradient of a convolution runs over its P pixels. */
export interface WeightGradientBlocking {
  /** Parts with sums of their own, added up at the end. */
  chunks: number;
  rowsPerChunk: number;
  /** Pixels that are packed at a time. */
  depth: number;
}

/**
 * Many pixels and few weights are cut by pixels, few pixels and many weights only by weights: partial sums cost memory
 * traffic, cutting by weights alone makes every thread pack the same pixels. K = KH * KW * C.
 */
export function weightGradientBlocking(P: number, K: number, F: number): WeightGradientBlocking {
  // The partial sums may take a sixteenth of the traffic of what is multiplied.
  const chunks = Math.min(CHUNKS, Math.max(1, Math.floor((P * (K + F)) / (16 * K * F))));
  const rowsPerChunk = Math.ceil(P / chunks);
  const depth = Math.ceil(rowsPerChunk / Math.ceil(rowsPerChunk / deepestBlock(K)));
  return { chunks: Math.ceil(P / rowsPerChunk), rowsPerChunk, depth };
}

/** The most pixels that a weight gradient packs at a time, for any number of pictures. */
export function deepestBlock(K: number): number {
  return Math.min(256, Math.max(32, Math.floor(DEPTH_BYTES / 4 / K)));
}

/** Pictures whose sums are kept together. */
export function imagesPerUnit(images: number): number {
  return Math.ceil(images / GROUPS);
}

/** The most groups of {@link imagesPerUnit} that so many pictures, or fewer, are cut into: 9 make five, but 8 make eight. */
export function mostUnits(images: number): number {
  return Math.min(GROUPS, images);
}

/** The part of `units` that is thread `thread`'s: `[begin, end)`. */
export function shareOf(units: number, thread: number, threads: number): [begin: number, end: number] {
  return [Math.floor((units * thread) / threads), Math.floor((units * (thread + 1)) / threads)];
}
