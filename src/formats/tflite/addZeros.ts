import type { Zeros } from '../../graph/window';

/** One padding around another; the same object where nothing is added. */
export function addZeros(zeros: Zeros, { top, bottom, left, right }: Zeros): Zeros {
  if (top + bottom + left + right === 0) return zeros;
  return {
    top: zeros.top + top,
    bottom: zeros.bottom + bottom,
    left: zeros.left + left,
    right: zeros.right + right,
  };
}
