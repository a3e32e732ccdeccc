/** Paints every canvas that carries its pixels. */
export function paintPictures(): void {
  for (const canvas of document.querySelectorAll<HTMLCanvasElement>('canvas[data-pixels]')) {
    const { width, height, dataset } = canvas;
    const bytes = Uint8Array.from(atob(dataset.pixels!), (character) => character.charCodeAt(0));
    canvas.getContext('2d')!.putImageData(new ImageData(toRgba(bytes, Number(dataset.channels)), width, height), 0, 0);
  }
}

/** Pixels of 1 channel are grey; of 3 and more, the first three are red, green and blue. */
export function toRgba(pixels: Uint8Array, channels: number): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray((pixels.length / channels) * 4).fill(255);
  for (let from = 0, to = 0; to < rgba.length; from += channels, to += 4) {
    for (let c = 0; c < 3; c++) rgba[to + c] = pixels[from + (channels < 3 ? 0 : c)]!;
  }
  return rgba;
}
