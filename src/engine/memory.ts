/** Kernels may read this far past the end of a tensor. */
export const SLACK_BYTES = 128;

/** Hands out memory; 0 bytes lie at 0, which stands for "none". */
export interface Allocator {
  allocate(bytes: number): number;
  /** Bytes handed out so far. */
  size(): number;
}

/** Hands out memory from `start` up, in whole cache lines: no two threads may write to the same one. */
export function createAllocator(start = SLACK_BYTES): Allocator {
  let next = start;
  return {
    allocate(bytes: number): number {
      if (bytes === 0) return 0;
      const offset = next;
      next += Math.ceil((bytes + SLACK_BYTES) / 64) * 64;
      return offset;
    },
    size: () => next,
  };
}

/** Pixels of one picture. */
export function pixelsOf({ height, width }: { height: number; width: number }): number {
  return height * width;
}
