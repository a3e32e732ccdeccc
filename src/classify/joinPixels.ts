import type { Pixels } from './runner';

/** Pictures of one size in one array: of bytes where all of them are bytes, else of floats. */
export function joinPixels(parts: readonly Pixels[]): Pixels {
  const [first] = parts;
  if (first && parts.length === 1) return first;
  const length = parts.reduce((sum, { data }) => sum + data.length, 0);
  const data = parts.some((part) => part.data instanceof Float32Array)
    ? new Float32Array(length)
    : new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  return { data, images: parts.reduce((sum, { images }) => sum + images, 0) };
}
