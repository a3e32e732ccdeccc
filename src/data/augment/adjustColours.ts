// What is assigned to clamped bytes is rounded, half to even, and limited to 0 to 255 by the array itself.

/** Blends the pictures with black: `factor * x`. */
export function adjustBrightness(pixels: Uint8ClampedArray, factor: number): void {
  for (let i = 0; i < pixels.length; i++) pixels[i] = factor * pixels[i]!;
}

/** Blends a picture with its mean grey: `grey + factor * (x - grey)`; in other than three channels, with the mean of all. */
export function adjustContrast(pixels: Uint8ClampedArray, channels: number, factor: number): void {
  const grey = meanGrey(pixels, channels);
  for (let i = 0; i < pixels.length; i++) pixels[i] = grey + factor * (pixels[i]! - grey);
}

/** Blends each pixel of red, green and blue with its grey: `grey + factor * (x - grey)`. */
export function adjustSaturation(pixels: Uint8ClampedArray, factor: number): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const grey = luma(pixels, i);
    for (let c = i; c < i + 3; c++) pixels[c] = grey + factor * (pixels[c]! - grey);
  }
}

/** A whole number. */
function meanGrey(pixels: Uint8ClampedArray, channels: number): number {
  const isColoured = channels === 3;
  const step = isColoured ? 3 : 1;
  let sum = 0;
  for (let i = 0; i < pixels.length; i += step) sum += isColoured ? luma(pixels, i) : pixels[i]!;
  return Math.floor((sum * step) / pixels.length + 0.5);
}

/** 0.299 R + 0.587 G + 0.114 B (ITU-R 601), in Pillow's fixed point. */
function luma(pixels: Uint8ClampedArray, i: number): number {
  return (19595 * pixels[i]! + 38470 * pixels[i + 1]! + 7471 * pixels[i + 2]! + 0x8000) >> 16;
}
