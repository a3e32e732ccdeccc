import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';

/** Pixels as canvases, decoders and cameras give them: `[height,width,channels]`, 0 to 255, row-major. */
export interface PixelArray {
  /** Bytes, or numbers from 0 to 255. */
  readonly data: Uint8Array | Uint8ClampedArray | Float32Array;
  readonly width: number;
  readonly height: number;
}

/**
 * One picture, in any of these forms:
 *
 * - a tensor `[H,W,C]` or `[1,H,W,C]` of numbers from 0 to 255 (from 0 to 1 they make a black picture), of any numeric type
 * - `ImageData`, or pixels with 1, 3 or 4 channels (how many follows from the length); transparency is left out
 * - an `<img>`, `<canvas>`, `<video>`, `OffscreenCanvas`, `ImageBitmap` or `VideoFrame`
 * - the bytes of a JPEG or PNG file, or a `Blob` of them, or an address that can be fetched; in Node also the file's path
 *
 * Canvases and videos are read at once; pixels, tensors and bytes must stay as they are until the result has come. In
 * Node files are decoded by the package `sharp`, which is to be installed for it; its other formats work too.
 */
export type ClassifierImage =
  | Tensor3D
  | Tensor4D
  | PixelArray
  | ImageData
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | OffscreenCanvas
  | ImageBitmap
  | VideoFrame
  | Blob
  | ArrayBuffer
  | Uint8Array
  | URL
  | string;
