import { describe, expect, test } from 'vitest';
import { createArena, flavours } from './arena';
import { sharesOf, uniform } from './values';
import { forEachTap, type WindowCase, windowCases, windowTitle } from './windows';

const SEED = 41;
/** What no copied byte is: pixels are below it. */
const UNTOUCHED = 255;

/** Bytes of a pixel, and of the zeros behind each patch. */
const layouts = [
  [8, 0],
  [16, 0],
  [24, 8],
  [32, 16],
  [40, 40],
] as const;

describe.each(flavours)(`copyPatches, %s: the same bytes (seed ${SEED})`, (_, module) => {
  test.each(windowCases.map((one) => [windowTitle(one), one] as const))('%s', (_title, one) => {
    for (const [pixelBytes, behind] of layouts) checkPatches(module, one, pixelBytes, behind);
  });
});

function checkPatches(module: BufferSource, one: WindowCase, pixelBytes: number, behind: number): void {
  const { N, H, W, OH, OW, window } = one;
  const rows = N * OH * OW;
  const rowBytes = window[0] * window[1] * pixelBytes + behind;
  const x = uniform(N * H * W * pixelBytes, SEED, 1, UNTOUCHED).map(Math.floor);
  const expected = new Uint8Array((rows + 1) * rowBytes).fill(0, 0, rows * rowBytes).fill(UNTOUCHED, rows * rowBytes);
  forEachTap(one, (out, tap, pixel) => {
    if (pixel === undefined) return;
    expected.set(x.subarray(pixel * pixelBytes, (pixel + 1) * pixelBytes), out * rowBytes + tap * pixelBytes);
  });
  for (const shares of sharesOf(rows)) {
    const arena = createArena(module, 1);
    const from = arena.bytes(x);
    const out = arena.bytes(new Uint8Array((rows + 1) * rowBytes).fill(UNTOUCHED));
    for (const [begin, end] of shares) {
      const to = out + begin * rowBytes;
      arena.kernels.copyPatches(from, to, begin, end, pixelBytes, rowBytes, H, W, OH, OW, ...window);
    }
    const words = arena.readIntegers(out, ((rows + 1) * rowBytes) / 4);
    // Not toEqual, which takes seconds for all the bytes.
    expect(Buffer.from(words.buffer).equals(expected), `${pixelBytes} bytes a pixel, ${shares.length} shares`).toBe(
      true,
    );
  }
}
