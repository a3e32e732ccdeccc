import { check, checkInteger } from '../errors';
import { checkBytes, type ImageBatch } from './imageDataset';

/**
 * The pictures of a batch in a smaller size, as a new batch: each new pixel is the mean of the area that it covers.
 *
 * The definition, along both axes, n pixels made m:
 * ```
 * y[o] = sum over i of w(o, i) * x[i] / n
 * w(o, i) = how much of [i * m, (i + 1) * m] lies in [o * n, (o + 1) * n]
 * ```
 * Sums are of integers, rounded once, half up; so a picture made half as large has means of four pixels. (resizePicture,
 * which classifiers use, blurs a little more, and is in slices of time.)
 *
 * @throws {MobilenetError} `invalid-argument` where the new size is larger.
 * @example
 * ```ts
 * for await (const batch of batches(syntheticCifar10().train)) {
 *   const small = resizeBatch(batch, { height: 24, width: 24 });
 *   console.log(small.images.length);
 * }
 * ```
 */
export function resizeBatch<Batch extends ImageBatch>(
  batch: Batch,
  { height, width }: { readonly height: number; readonly width: number },
): Batch {
  checkSize('height', height, batch.height);
  checkSize('width', width, batch.width);
  checkBytes('resizeBatch', batch.images);
  if (height === batch.height && width === batch.width) return batch;
  const { channels, labels } = batch;
  const columns = areaFilter(batch.width, width);
  const rows = areaFilter(batch.height, height);
  const area = batch.height * batch.width;
  const length = area * channels;

  // Rows first: what is left is less, and sums along a row are the faster ones.
  const lowered = new Float64Array(height * batch.width * channels);
  const narrowed = new Float64Array(height * width * channels);
  const images = new Uint8Array(labels.length * narrowed.length);
  for (let i = 0; i < labels.length; i++) {
    const picture = batch.images.subarray(i * length, (i + 1) * length);
    sumAreas(picture, 1, batch.width * channels, rows, lowered);
    sumAreas(lowered, height, channels, columns, narrowed);
    const to = i * narrowed.length;
    for (let j = 0; j < narrowed.length; j++) images[to + j] = narrowed[j]! / area + 0.5;
  }
  return { ...batch, images, height, width };
}

function checkSize(name: string, size: number, before: number): void {
  const where = 'resizeBatch';
  checkInteger(where, name, size, 1);
  check(size <= before, { where, expected: `${name} of at most ${before}, the pictures' own`, received: size });
}

/** What each new place of an axis is made of: the first old one, and the weights from there on, which sum to the old length. */
interface AreaFilter {
  length: number;
  starts: Int32Array;
  weights: Float64Array[];
}

function areaFilter(length: number, size: number): AreaFilter {
  const starts = Int32Array.from({ length: size }, (_, o) => Math.floor((o * length) / size));
  const weights = Array.from(starts, (start, o) => {
    const end = Math.ceil(((o + 1) * length) / size);
    const cover = (_: unknown, k: number) =>
      Math.min((o + 1) * length, (start + k + 1) * size) - Math.max(o * length, (start + k) * size);
    return Float64Array.from({ length: end - start }, cover);
  });
  return { length, starts, weights };
}

/** `y[r, o, i] = sum over k of weights[o][k] * x[r, starts[o] + k, i]`, r below `outer`, i below `inner`. */
function sumAreas(
  x: Uint8Array | Float64Array,
  outer: number,
  inner: number,
  { length, starts, weights }: AreaFilter,
  y: Float64Array,
): void {
  let to = 0;
  for (let r = 0; r < outer; r++) {
    for (let o = 0; o < weights.length; o++) {
      const w = weights[o]!;
      const first = (r * length + starts[o]!) * inner;
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let k = 0, from = first + i; k < w.length; k++, from += inner) sum += w[k]! * x[from]!;
        y[to++] = sum;
      }
    }
  }
}
