import { check, checkInteger, checkOptions, quoted } from '../errors';
import { createRandom, type Random, shuffleInPlace } from '../random';
import { checkBytes, type ImageBatch } from './imageDataset';
import { sampleBeta } from './sampleBeta';
import { MIX_STREAM } from './streams';

// n = pictures of a batch, H x W x C their size, K = classes.

/** Options for {@link mixBatch}; of two ways, a fair coin picks one for each batch. */
export interface MixBatchOptions {
  /** Alpha of mixup, above 0; 0.2 is usual. @default not done */
  mixup?: number | undefined;
  /** Alpha of cutmix, above 0; 1 is usual. @default not done */
  cutmix?: number | undefined;
  /** @default 0 */
  seed?: number | undefined;
  /** Which batch of the training this is; each is mixed in a way of its own. @default 0 */
  step?: number | undefined;
}

/** Shares are whole multiples of this: float64's functions differ in the last bits between platforms, sums of integers do not. */
const SHARE_UNIT = 2 ** -16;

/**
 * Mixes each picture of a batch with another one of it (rarely itself), and their targets `[n,K]` alike, as a new batch.
 *
 * A share s of a picture stays, one for the whole batch, drawn from Beta(alpha, alpha).
 * - mixup (Zhang et al. 2018): `s * x + (1 - s) * partner`, rounded half up.
 * - cutmix (Yun et al. 2019): a box of the partner is pasted in, its sides `sqrt(1 - s)` of the picture's, its centre
 *   anywhere on it; s is then what is left of the picture.
 *
 * Targets are `s * own + (1 - s) * partner's`; labels are those of the larger part. The same seed and step give the same
 * bytes on every platform.
 *
 * @throws {MobilenetError} `invalid-argument`
 * @example
 * ```ts
 * const { value: batch } = await batches(syntheticCifar10().train, { batchSize: 2 }).next();
 * const oneHot = Float32Array.from({ length: 2 * 10 }, (_, i) => Number(batch.labels[Math.floor(i / 10)] === i % 10));
 * const mixed = mixBatch(batch, oneHot, { mixup: 0.2, cutmix: 1, seed: 1, step: 0 });
 * console.log(mixed.batch.images.length, mixed.targets);
 * ```
 */
export function mixBatch<Batch extends ImageBatch>(
  batch: Batch,
  targets: Float32Array,
  options: MixBatchOptions,
): { batch: Batch; targets: Float32Array } {
  checkOptions('mixBatch', options, { mixup: 'any', cutmix: 'any', seed: 'any', step: 'any' });
  const { mixup, cutmix, seed = 0, step = 0 } = options;
  checkMixing(batch, targets, { mixup, cutmix, seed, step });
  const random = createRandom(seed, MIX_STREAM, step);
  const isMixup = mixup !== undefined && (cutmix === undefined || random.uniform() < 0.5);
  const alpha = isMixup ? mixup : cutmix;
  if (alpha === undefined) return { batch, targets };

  const drawn = Math.round(sampleBeta(random, alpha, alpha) / SHARE_UNIT) * SHARE_UNIT;
  const n = batch.labels.length;
  const partners = shuffleInPlace(
    Int32Array.from({ length: n }, (_, i) => i),
    random,
  );
  const box = isMixup ? undefined : drawBox(batch, drawn, random);
  const share = box ? 1 - (box.height * box.width) / (batch.height * batch.width) : drawn;
  const images = box ? pasteBoxes(batch, partners, box) : blendImages(batch, partners, share);
  const labels = share >= 0.5 ? batch.labels.slice() : batch.labels.map((_, i) => batch.labels[partners[i]!]!);
  return { batch: { ...batch, images, labels }, targets: blendTargets(targets, n, partners, share) };
}

function checkMixing(
  { images, labels, classes }: ImageBatch,
  targets: Float32Array,
  { mixup, cutmix, seed, step }: MixBatchOptions,
): void {
  const where = 'mixBatch';
  checkBytes(where, images);
  for (const [name, alpha] of Object.entries({ mixup, cutmix })) {
    const isAlpha = alpha === undefined || (Number.isFinite(alpha) && alpha > 0);
    check(isAlpha, { where, expected: `${name} to be a number above 0`, received: quoted(alpha) });
  }
  check(targets.length === labels.length * classes, {
    where,
    expected: `targets of ${labels.length} pictures x ${classes} classes = ${labels.length * classes} numbers`,
    received: targets.length,
  });
  check(Number.isSafeInteger(seed), { where, expected: 'seed to be an integer', received: seed });
  checkInteger(where, 'step', step, 0);
}

function blendImages({ images, labels }: ImageBatch, partners: Int32Array, share: number): Uint8Array {
  const length = images.length / labels.length;
  const blended = new Uint8Array(images.length);
  const own = share / SHARE_UNIT;
  const other = 1 / SHARE_UNIT - own;
  for (let i = 0; i < partners.length; i++) {
    const shift = (partners[i]! - i) * length;
    for (let at = i * length; at < (i + 1) * length; at++) {
      blended[at] = (own * images[at]! + other * images[at + shift]! + 0x8000) >> 16;
    }
  }
  return blended;
}

interface Box {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** A box of 1 - share of the area about a random centre, less what would lie beyond the border. */
function drawBox({ height, width }: ImageBatch, share: number, random: Random): Box {
  const side = Math.sqrt(1 - share);
  const drawSpan = (length: number) => {
    const span = Math.floor(length * side);
    const start = random.integer(length) - (span >> 1);
    const [from, to] = [Math.max(start, 0), Math.min(start + span, length)];
    return [from, to - from] as const;
  };
  const [top, boxHeight] = drawSpan(height);
  const [left, boxWidth] = drawSpan(width);
  return { top, left, height: boxHeight, width: boxWidth };
}

function pasteBoxes(batch: ImageBatch, partners: Int32Array, box: Box): Uint8Array {
  const { images, height, width, channels } = batch;
  // The slice of a Buffer of Node would be a view.
  const pasted = new Uint8Array(images);
  for (let i = 0; i < partners.length; i++) {
    for (let y = box.top; y < box.top + box.height; y++) {
      const placeIn = (picture: number) => ((picture * height + y) * width + box.left) * channels;
      const from = placeIn(partners[i]!);
      pasted.set(images.subarray(from, from + box.width * channels), placeIn(i));
    }
  }
  return pasted;
}

function blendTargets(targets: Float32Array, n: number, partners: Int32Array, share: number): Float32Array {
  const classes = targets.length / n;
  return targets.map((target, at) => {
    const i = Math.floor(at / classes);
    const partner = targets[at + (partners[i]! - i) * classes]!;
    return share * target + (1 - share) * partner;
  });
}
