// Windows for the kernels of inference: pictures `[N,H,W]`, output `[N,OH,OW]`.
import type { EngineWindow } from '../../../src/kernels/engineKernels';

export interface WindowCase {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly OH: number;
  readonly OW: number;
  readonly window: EngineWindow;
}

function windowCase(N: number, [H, W]: number[], [OH, OW]: number[], ...window: EngineWindow): WindowCase {
  return { N, H: H!, W: W!, OH: OH!, OW: OW!, window };
}

/** Around the tiles of 4 and 6, with strides, paddings on either side, gaps, and windows that see no pixel at all. */
export const windowCases: readonly WindowCase[] = [
  windowCase(1, [1, 1], [1, 1], 1, 1, 1, 1, 0, 0),
  windowCase(3, [5, 4], [5, 4], 1, 1, 1, 1, 0, 0),
  windowCase(2, [7, 9], [4, 5], 1, 1, 2, 2, 0, 0),
  windowCase(2, [2, 2], [4, 4], 1, 1, 1, 1, 1, 1),
  windowCase(2, [5, 13], [5, 13], 3, 3, 1, 1, 1, 1),
  windowCase(1, [6, 6], [4, 4], 3, 3, 1, 1, 0, 0),
  windowCase(3, [9, 17], [5, 9], 3, 3, 2, 2, 1, 1),
  windowCase(2, [8, 18], [4, 9], 3, 3, 2, 2, 0, 0),
  windowCase(1, [10, 11], [3, 4], 3, 3, 4, 3, 1, 0),
  windowCase(2, [7, 12], [7, 6], 5, 3, 1, 2, 2, 0),
  windowCase(2, [6, 7], [5, 6], 2, 2, 1, 1, 0, 0),
  windowCase(1, [5, 6], [3, 3], 2, 2, 2, 2, 1, 0),
  windowCase(1, [4, 6], [2, 2], 1, 4, 3, 2, 0, 0),
  windowCase(2, [2, 3], [2, 3], 5, 5, 1, 1, 2, 2),
  windowCase(1, [1, 2], [1, 2], 7, 7, 1, 1, 3, 3),
  windowCase(2, [4, 4], [1, 1], 4, 4, 1, 1, 0, 0),
  windowCase(1, [3, 3], [9, 9], 3, 3, 1, 1, 4, 4),
  windowCase(1, [3, 4], [7, 8], 3, 3, 2, 2, 6, 5),
];

export function windowTitle({ N, H, W, OH, OW, window }: WindowCase): string {
  const [KH, KW, strideH, strideW, padTop, padLeft] = window;
  return `${N} x ${H}x${W} to ${OH}x${OW}, window ${KH}x${KW}, strides ${strideH} ${strideW}, padding ${padTop} ${padLeft}`;
}

/** Visits the taps of every output pixel; `pixel` is undefined for one outside of the picture. */
export function forEachTap(
  { N, H, W, OH, OW, window }: WindowCase,
  visit: (out: number, tap: number, pixel: number | undefined) => void,
): void {
  const [KH, KW, strideH, strideW, padTop, padLeft] = window;
  for (let out = 0; out < N * OH * OW; out++) {
    const n = Math.floor(out / (OH * OW));
    const oh = Math.floor(out / OW) % OH;
    for (let tap = 0; tap < KH * KW; tap++) {
      const ih = oh * strideH + Math.floor(tap / KW) - padTop;
      const iw = (out % OW) * strideW + (tap % KW) - padLeft;
      const isInside = ih >= 0 && ih < H && iw >= 0 && iw < W;
      visit(out, tap, isInside ? (n * H + ih) * W + iw : undefined);
    }
  }
}
