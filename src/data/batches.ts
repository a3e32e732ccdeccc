import { check, checkInteger, checkOptions, fail, type OptionKind } from '../errors';
import { createRandom, type Random, shuffleInPlace } from '../random';
import { checkDataset, checkLabels, type ImageBatch, type ImageDataset } from './imageDataset';

/** Options for {@link batches}. */
export interface BatchesOptions {
  /** Pictures in a batch; the last one may be smaller. @default 32 */
  batchSize?: number | undefined;
  /**
   * `true` shuffles the whole dataset. A number is the size of a window that slides over it, from which pictures are
   * drawn at random, as `shuffle(bufferSize)` of tf.data has it. @default false
   */
  shuffle?: boolean | number | undefined;
  /** The same seed and epoch give the same order on every platform. @default 0 */
  seed?: number | undefined;
  /** Each epoch has an order of its own. @default 0 */
  epoch?: number | undefined;
  /** Batches of the epoch to leave out at its beginning, as one that goes on where it was interrupted. @default 0 */
  firstBatch?: number | undefined;
  /** Leaves out a last batch that is smaller than the others. @default false */
  dropRemainder?: boolean | undefined;
}

/**
 * Goes once through a dataset, in batches.
 *
 * @throws {MobilenetError} `invalid-argument` where an option is out of range, `invalid-data` where the dataset reads
 * something else than was asked for.
 * @example
 * ```ts
 * for await (const { images, labels } of batches(syntheticCifar10().train, { batchSize: 128, shuffle: true })) {
 *   console.log(images.length, labels.length);
 * }
 * ```
 */
export function batches<Pixels extends Uint8Array | Float32Array = Uint8Array>(
  dataset: ImageDataset<Pixels>,
  options: BatchesOptions = {},
): AsyncIterableIterator<ImageBatch<Pixels>> {
  const where = 'batches';
  checkDataset(where, dataset);
  checkOptions(where, options, BATCHES_OPTIONS);
  checkBatchesOptions(where, options);
  const { batchSize = 32, shuffle = false, seed = 0, epoch = 0, firstBatch = 0 } = options;
  const order = epochOrder(dataset.size, shuffle, createRandom(seed, epoch));
  const end = batchCount(dataset.size, options) * batchSize;
  return readBatches(dataset, order.subarray(Math.min(firstBatch * batchSize, end), end), batchSize);
}

/** What there is among them. */
export const BATCHES_OPTIONS = {
  batchSize: 'any',
  shuffle: 'any',
  seed: 'any',
  epoch: 'any',
  firstBatch: 'any',
  dropRemainder: 'boolean',
} as const satisfies Record<keyof BatchesOptions, OptionKind>;

/** Throws `invalid-argument` unless every option is in range. */
export function checkBatchesOptions(where: string, options: BatchesOptions): void {
  const { batchSize = 32, shuffle = false, seed = 0, epoch = 0 } = options;
  checkInteger(where, 'batchSize', batchSize, 1);
  if (typeof shuffle !== 'boolean') checkInteger(where, 'shuffle, where it is a number,', shuffle, 1);
  check(Number.isSafeInteger(seed), { where, expected: 'seed to be an integer', received: seed });
  checkInteger(where, 'epoch', epoch, 0);
  checkInteger(where, 'firstBatch', options.firstBatch ?? 0, 0);
}

/** How many batches {@link batches} makes of a dataset of `size` pictures. */
export function batchCount(size: number, { batchSize = 32, dropRemainder = false }: BatchesOptions): number {
  return dropRemainder ? Math.floor(size / batchSize) : Math.ceil(size / batchSize);
}

async function* readBatches<Pixels extends Uint8Array | Float32Array>(
  dataset: ImageDataset<Pixels>,
  order: Uint32Array,
  batchSize: number,
) {
  const { height, width, channels, classNames } = dataset;
  for (let start = 0; start < order.length; start += batchSize) {
    const indices = order.subarray(start, start + batchSize);
    const read = await dataset.read(indices);
    const images = plainPixels<Pixels>(read?.images);
    const labels = plainLabels(read?.labels ?? [], classNames.length, indices);
    const numbers = indices.length * height * width * channels;
    if (images.length !== numbers || labels.length !== indices.length) {
      fail({
        code: 'invalid-data',
        where: "the dataset's read",
        expected: `${numbers} bytes and ${indices.length} labels`,
        received: `${images.length} bytes and ${labels.length} labels`,
      });
    }
    yield { images, labels, height, width, channels, classes: classNames.length, indices };
  }
}

/** Bytes of a canvas (clamped) or of Node (a Buffer) as those that all else is written for; numbers as they are. */
function plainPixels<Pixels extends Uint8Array | Float32Array>(images: unknown): Pixels {
  const kind = Object.prototype.toString.call(images).slice(8, -1);
  if (kind === 'Float32Array') return images as Pixels;
  if (!/^Uint8(Clamped)?Array$/.test(kind)) {
    fail({ code: 'invalid-data', where: "the dataset's read", expected: 'images to be a Uint8Array', received: kind });
  }
  const bytes = images as Uint8Array;
  return (bytes.constructor === Uint8Array ? bytes : viewOf(bytes)) as Pixels;
}

const viewOf = ({ buffer, byteOffset, length }: Uint8Array) => new Uint8Array(buffer, byteOffset, length);

function plainLabels(labels: ArrayLike<number>, classes: number, indices: ArrayLike<number>): Int32Array {
  if (labels instanceof Int32Array) return labels;
  // As integers all would be one, and what is missing the first class.
  checkLabels("the dataset's read", labels, classes, indices);
  return Int32Array.from(labels);
}

/** The indices of a dataset in the order of one epoch. */
function epochOrder(size: number, shuffle: boolean | number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  if (shuffle === false) return order;
  if (shuffle === true || shuffle >= size) return shuffleInPlace(order, random);
  return shuffleWindowed(order, shuffle, random);
}

/** Fills a window, draws from it at random, and puts the next one where the drawn one was (tf.data's shuffle). */
function shuffleWindowed(order: Uint32Array, windowSize: number, random: Random): Uint32Array {
  const window = Array.from(order.subarray(0, windowSize));
  return order.map((_, i) => {
    const draw = random.integer(window.length);
    const drawn = window[draw]!;
    const next = i + windowSize < order.length ? order[i + windowSize]! : window.pop()!;
    if (draw < window.length) window[draw] = next;
    return drawn;
  });
}
