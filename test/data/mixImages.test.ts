import { describe, expect, test } from 'vitest';
import type { ImageBatch } from '../../src/data/imageDataset';
import { type MixBatchOptions, mixBatch } from '../../src/data/mixImages';
import { createRandom } from '../../src/random';

const SEED = 29;
const K = 10;
const SHAPE = { height: 6, width: 9, channels: 3 };
const LENGTH = 6 * 9 * 3;

/** Each picture has a class of its own, so that its target tells what it was made of. */
function batchOf(n: number): { batch: ImageBatch; targets: Float32Array } {
  const random = createRandom(SEED, n);
  const images = Uint8Array.from({ length: n * LENGTH }, () => random.integer(256));
  const labels = Int32Array.from({ length: n }, (_, i) => i);
  const targets = Float32Array.from({ length: n * K }, (_, at) => (Math.floor(at / K) === at % K ? 1 : 0));
  return { batch: { ...SHAPE, images, labels, classes: K, indices: Uint32Array.from(labels) }, targets };
}

/** Who is mixed into picture i, and how much of i stays. */
function mixtureOf(targets: Float32Array, i: number): { partner: number; share: number } {
  const row = targets.subarray(i * K, (i + 1) * K);
  const partner = row.findIndex((target, k) => target > 0 && k !== i);
  return partner === -1 ? { partner: i, share: 1 } : { partner, share: row[i]! };
}

const N = 8;
const { batch, targets } = batchOf(N);
const mix = (options: MixBatchOptions) => mixBatch(batch, targets, { seed: SEED, ...options });
const steps = Array.from({ length: 200 }, (_, step) => step);

describe(`mixup (seed ${SEED})`, () => {
  test('blends bytes and targets in the same share, one for the whole batch', () => {
    for (const step of steps.slice(0, 20)) {
      const mixed = mix({ mixup: 1, step });
      const shares = new Set<number>();
      for (let i = 0; i < N; i++) {
        const { partner, share } = mixtureOf(mixed.targets, i);
        if (partner !== i) shares.add(share);
        for (let at = 0; at < LENGTH; at++) {
          const exact = share * batch.images[i * LENGTH + at]! + (1 - share) * batch.images[partner * LENGTH + at]!;
          // The share itself was rounded to float32 in the target.
          expect(Math.abs(mixed.batch.images[i * LENGTH + at]! - exact)).toBeLessThan(0.5001);
        }
        const sum = mixed.targets.subarray(i * K, (i + 1) * K).reduce((total, target) => total + target, 0);
        expect(sum).toBeCloseTo(1, 6);
        expect(mixed.batch.labels[i]).toBe(share >= 0.5 ? i : partner);
      }
      expect(shares.size).toBe(1);
    }
  });

  test('shares of 200 steps have the mean and variance of Beta(0.4, 0.4), within 5 standard errors', () => {
    const shares = steps.map((step) => {
      const mixed = mix({ mixup: 0.4, step });
      const own = Array.from({ length: N }, (_, i) => mixtureOf(mixed.targets, i));
      // A share of 1 leaves no trace of a partner.
      return own.find(({ partner }, i) => partner !== i)?.share ?? 1;
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const variance = shares.reduce((sum, share) => sum + (share - 0.5) ** 2, 0) / shares.length;
    const exact = 0.25 / 1.8;
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(exact / 200));
    expect(Math.abs(variance - exact)).toBeLessThan(5 * Math.sqrt(0.0081 / 200));
  });
});

describe(`cutmix (seed ${SEED})`, () => {
  test('pastes one box of the partner, and targets follow the area that is left', () => {
    for (const step of steps) {
      const mixed = mix({ cutmix: 1, step });
      const boxes = new Set<string>();
      for (let i = 0; i < N; i++) {
        const { partner, share } = mixtureOf(mixed.targets, i);
        if (partner === i) continue;
        const pasted: [y: number, x: number][] = [];
        for (let pixel = 0; pixel < 54; pixel++) {
          const at = (picture: number) => (picture * 54 + pixel) * 3;
          const bytes = (source: Uint8Array, from: number) => source.subarray(from, from + 3).join();
          const now = bytes(mixed.batch.images, at(i));
          if (now === bytes(batch.images, at(i))) continue;
          expect(now).toBe(bytes(batch.images, at(partner)));
          pasted.push([Math.floor(pixel / 9), pixel % 9]);
        }
        const [ys, xs] = [pasted.map(([y]) => y), pasted.map(([, x]) => x)];
        const [top, left] = [Math.min(...ys), Math.min(...xs)];
        const [height, width] = [Math.max(...ys) + 1 - top, Math.max(...xs) + 1 - left];
        expect(pasted).toHaveLength(height * width);
        expect(share).toBeCloseTo(1 - pasted.length / 54, 6);
        expect(mixed.batch.labels[i]).toBe(share >= 0.5 ? i : partner);
        boxes.add([top, left, height, width].join());
      }
      expect(boxes.size).toBeLessThanOrEqual(1);
    }
  });

  test('boxes have the area that the share leaves, less what lies beyond the border: 0.321 on average', () => {
    // The integral over the side r, density 2 r, of (r - r^2 / 4)^2; whole pixels take 0.01 of it, 1,000 steps err by 0.01.
    const large = { ...batchOf(2).batch, height: 50, width: 50, channels: 1, images: new Uint8Array(5000) };
    const oneHot = targets.slice(0, 2 * K);
    const pasted = Array.from({ length: 2000 }, (_, step) => mixBatch(large, oneHot, { cutmix: 1, seed: SEED, step }))
      .map((mixed) => mixtureOf(mixed.targets, 0))
      .filter(({ partner }) => partner === 1)
      .map(({ share }) => 1 - share);
    const mean = pasted.reduce((sum, area) => sum + area, 0) / pasted.length;
    expect(Math.abs(mean - 0.321)).toBeLessThan(0.04);
  });

  test('boxes reach every corner', () => {
    const reached = new Set<number>();
    for (const step of steps) {
      const { images } = mix({ cutmix: 1, step }).batch;
      for (const corner of [0, 8, 45, 53])
        if (
          images.subarray(corner * 3, corner * 3 + 3).join() !==
          batch.images.subarray(corner * 3, corner * 3 + 3).join()
        )
          reached.add(corner);
    }
    expect(reached.size).toBe(4);
  });
});

test(`with both, each does about half of 200 steps (seed ${SEED})`, () => {
  const known = new Set(
    Array.from({ length: N * 54 }, (_, pixel) => batch.images.subarray(pixel * 3, pixel * 3 + 3).join()),
  );
  const cutmixed = steps.filter((step) => {
    const { images } = mix({ mixup: 1, cutmix: 1, step }).batch;
    return Array.from({ length: N * 54 }, (_, p) => images.subarray(p * 3, p * 3 + 3).join()).every((x) =>
      known.has(x),
    );
  });
  expect(Math.abs(cutmixed.length - 100)).toBeLessThan(36); // 5 standard deviations of 7.
});

test('partners are a shuffle: each picture is one once', () => {
  for (const step of steps.slice(0, 20)) {
    const mixed = mix({ mixup: 1, step });
    const partners = Array.from({ length: N }, (_, i) => mixtureOf(mixed.targets, i).partner);
    expect(partners.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  }
});

test('the same seed and step give the same batch, others give others; what comes in stays as it is', () => {
  const before = { images: batch.images.slice(), labels: batch.labels.slice(), targets: targets.slice() };
  for (const options of [{ mixup: 0.2 }, { cutmix: 1 }, { mixup: 0.2, cutmix: 1 }]) {
    const mixed = mix({ ...options, step: 3 });
    expect(mix({ ...options, step: 3 })).toEqual(mixed);
    expect(mix({ ...options, step: 4 })).not.toEqual(mixed);
    expect(mix({ ...options, step: 3, seed: SEED + 1 })).not.toEqual(mixed);
    const { images: _, labels: __, ...rest } = batch;
    expect(mixed.batch).toMatchObject(rest);
  }
  expect({ images: batch.images, labels: batch.labels, targets }).toEqual(before);
});

test('a Buffer of Node, whose slice is a view, is mixed as any other, and stays as it is', () => {
  const images = Buffer.from(batch.images);
  for (const options of [{ mixup: 0.2 }, { cutmix: 1 }]) {
    const mixed = mixBatch({ ...batch, images }, targets, { seed: SEED, step: 3, ...options });
    expect(mixed.batch.images).toEqual(mix({ step: 3, ...options }).batch.images);
    expect(new Uint8Array(images)).toEqual(batch.images);
  }
});

test('with neither, and in a batch of one, nothing is mixed', () => {
  expect(mix({})).toEqual({ batch, targets });
  const one = batchOf(1);
  for (const options of [{ mixup: 1 }, { cutmix: 1 }]) expect(mixBatch(one.batch, one.targets, options)).toEqual(one);
});

test('targets that weigh pictures are mixed with their weights', () => {
  const weighted = targets.map((target, at) => target * (1 + Math.floor(at / K)));
  const plain = mix({ mixup: 1, step: 7 });
  const mixed = mixBatch(batch, weighted, { mixup: 1, seed: SEED, step: 7 });
  for (let i = 0; i < N; i++)
    for (let k = 0; k < K; k++) expect(mixed.targets[i * K + k]).toBeCloseTo((k + 1) * plain.targets[i * K + k]!, 5);
});

test.each([
  [{ mixup: 0 }, /mixup to be a number above 0, received 0/],
  [{ cutmix: -1 }, /cutmix to be a number above 0/],
  [{ cutmix: Number.NaN }, /cutmix to be a number above 0/],
  [{ seed: 0.5 }, /seed to be an integer/],
  [{ step: -1 }, /step to be an integer/],
])('refuses %j', (options, message) => {
  expect(() => mix(options)).toThrow(message);
  expect(() => mix(options)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

test('refuses targets of another number of classes', () => {
  expect(() => mixBatch(batch, new Float32Array(8), { mixup: 1 })).toThrow(
    /8 pictures x 10 classes = 80 numbers, received 8/,
  );
});
