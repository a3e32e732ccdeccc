import { describe, expect, test } from 'vitest';
import { type Augmentation, augmentBatch } from '../../src/data/augment';
import { adjustBrightness, adjustContrast, adjustSaturation } from '../../src/data/augment/adjustColours';
import { cropAndFlip } from '../../src/data/augment/cropAndFlip';
import { cutOut } from '../../src/data/augment/cutOut';
import { rotatePicture } from '../../src/data/augment/rotatePicture';
import type { ImageBatch } from '../../src/data/imageDataset';
import { createRandom } from '../../src/random';

const SEED = 17;

interface Shape {
  height: number;
  width: number;
  channels: number;
}

const SHAPES: Shape[] = [
  { height: 5, width: 7, channels: 1 },
  { height: 6, width: 3, channels: 2 },
  { height: 8, width: 8, channels: 3 },
  { height: 4, width: 5, channels: 4 },
];

function randomBytes(length: number): Uint8Array {
  const random = createRandom(SEED, length);
  return Uint8Array.from({ length }, () => random.integer(256));
}

const randomPicture = ({ height, width, channels }: Shape) => randomBytes(height * width * channels);

function randomBatch(n: number, shape: Shape): ImageBatch {
  const images = randomBytes(n * shape.height * shape.width * shape.channels);
  return { ...shape, images, labels: new Int32Array(n), classes: 1 };
}

/** A picture by its definition: `[y, x, c]` to a number, which is rounded. */
function picture({ height, width, channels }: Shape, value: (y: number, x: number, c: number) => number): Uint8Array {
  const numbers: number[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) numbers.push(value(y, x, c));
  return Uint8Array.from(numbers, Math.round);
}

/** numpy's `reflect` padding, step by step. */
function reflected(place: number, length: number): number {
  if (place < 0) return reflected(-place, length);
  return place < length ? place : reflected(2 * (length - 1) - place, length);
}

/** Reads a picture with a border of what `fill` says. */
function padded(source: Uint8Array, { height, width, channels }: Shape, fill: 'zero' | 'reflect') {
  return (y: number, x: number, c: number) => {
    const isOutside = y < 0 || y >= height || x < 0 || x >= width;
    if (isOutside && fill === 'zero') return 0;
    return source[(reflected(y, height) * width + reflected(x, width)) * channels + c]!;
  };
}

describe(`each operation agrees with its definition (seed ${SEED})`, () => {
  test.each(SHAPES)('cropAndFlip, exactly: $height x $width x $channels, every place', (shape) => {
    const source = randomPicture(shape);
    for (const fill of ['zero', 'reflect'] as const) {
      // Beyond the whole picture with zeros.
      const reach = fill === 'zero' ? 10 : Math.min(shape.height, shape.width) - 1;
      const at = padded(source, shape, fill);
      for (let top = -reach; top <= reach; top++)
        for (let left = -reach; left <= reach; left++)
          for (const flipped of [false, true]) {
            const target = new Uint8Array(source.length);
            cropAndFlip(source, shape, { top, left, fill, flipped }, target);
            const expected = picture(shape, (y, x, c) => at(y + top, (flipped ? shape.width - 1 - x : x) + left, c));
            expect(target, `${fill} ${top} ${left} ${flipped}`).toEqual(expected);
          }
    }
  });

  test.each(SHAPES)('rotatePicture, within 1: $height x $width x $channels', (shape) => {
    const source = randomPicture(shape);
    const at = padded(source, shape, 'reflect');
    const centre = [(shape.height - 1) / 2, (shape.width - 1) / 2] as const;
    for (const degrees of [-180, -97.3, -20, 0.5, 13, 45, 90, 171]) {
      const [sine, cosine] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
      const expected = picture(shape, (y, x, c) => {
        const [down, right] = [y - centre[0], x - centre[1]];
        const fromY = centre[0] + sine * right + cosine * down;
        const fromX = centre[1] + cosine * right - sine * down;
        const [top, left] = [Math.floor(fromY), Math.floor(fromX)];
        let sum = 0;
        for (const [y, weightY] of [[top, top + 1 - fromY] as const, [top + 1, fromY - top] as const])
          for (const [x, weightX] of [[left, left + 1 - fromX] as const, [left + 1, fromX - left] as const])
            sum += weightY * weightX * at(y, x, c);
        return sum;
      });
      const target = new Uint8Array(source.length);
      rotatePicture(source, shape, degrees, target);
      const differences = Array.from(target, (value, i) => Math.abs(value - expected[i]!));
      expect(Math.max(...differences), `${degrees} degrees`).toBeLessThanOrEqual(1);
    }
  });

  test('rotatePicture is exact at quarter turns, anticlockwise', () => {
    const turned = (degrees: number) => {
      const target = new Uint8Array(9);
      rotatePicture(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), { height: 3, width: 3, channels: 1 }, degrees, target);
      return [...target];
    };
    expect(turned(0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(turned(90)).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7]);
    expect(turned(-90)).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
    expect(turned(180)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
  });

  /** `factor * x + (1 - factor) * grey`, limited; within a half and what float64 rounds. */
  function expectBlend(blended: Uint8ClampedArray, source: Uint8Array, factor: number, greyOf: (i: number) => number) {
    const errors = Array.from(blended, (value, i) => {
      const exact = factor * source[i]! + (1 - factor) * greyOf(i);
      return Math.abs(value - Math.min(Math.max(exact, 0), 255));
    });
    expect(Math.max(...errors)).toBeLessThanOrEqual(0.5 + 1e-9);
  }

  const factors = [0, 0.4, 0.93, 1, 1.37, 2];

  /** ITU-R 601, rounded. */
  const luma = (source: Uint8Array, i: number) =>
    Math.round(0.299 * source[i]! + 0.587 * source[i + 1]! + 0.114 * source[i + 2]!);

  test.each(SHAPES)('brightness and contrast, within a half: $channels channels', (shape) => {
    const source = randomPicture(shape);
    const greys =
      shape.channels === 3 ? source.filter((_, i) => i % 3 === 0).map((_, i) => luma(source, 3 * i)) : source;
    const mean = Math.round(greys.reduce((sum, grey) => sum + grey, 0) / greys.length);
    for (const factor of factors) {
      const brightened = new Uint8ClampedArray(source);
      adjustBrightness(brightened, factor);
      expectBlend(brightened, source, factor, () => 0);
      const contrasted = new Uint8ClampedArray(source);
      adjustContrast(contrasted, shape.channels, factor);
      expectBlend(contrasted, source, factor, () => mean);
    }
  });

  test('saturation, within a half', () => {
    const source = randomBytes(300);
    for (const factor of factors) {
      const saturated = new Uint8ClampedArray(source);
      adjustSaturation(saturated, factor);
      expectBlend(saturated, source, factor, (i) => luma(source, i - (i % 3)));
    }
  });

  test.each(SHAPES)('cutOut, exactly: $height x $width x $channels', (shape) => {
    const source = randomPicture(shape);
    const { channels } = shape;
    const means = Array.from({ length: channels }, (_, c) => {
      const values = [...source].filter((_, i) => i % channels === c);
      return Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
    });
    for (const fill of [undefined, [9, 8, 7, 6].slice(0, channels)])
      for (const size of [0, 1, 3, 20])
        for (const [top, left] of [[0, 0] as const, [-2, 1] as const, [3, -1] as const, [2, 2] as const]) {
          const target = source.slice();
          cutOut(target, shape, { top, left, size, fill });
          const expected = picture(shape, (y, x, c) => {
            const isCut = y >= top && y < top + size && x >= left && x < left + size;
            return isCut ? (fill ?? means)[c]! : padded(source, shape, 'zero')(y, x, c);
          });
          expect(target, `${top} ${left} ${size}`).toEqual(expected);
        }
  });
});

const SHAPE: Shape = { height: 8, width: 8, channels: 3 };
const ALL: Augmentation = {
  rotation: 20,
  crop: { padding: 2, fill: 'reflect' },
  flip: 'random',
  brightness: 0.3,
  contrast: 0.3,
  saturation: 0.3,
  cutout: { size: 3 },
};

test('the operations are made in their order, each with what is drawn next', () => {
  const batch = randomBatch(6, SHAPE);
  const { images } = augmentBatch(batch, ALL, { seed: 5, epoch: 3 });
  for (let i = 0; i < 6; i++) {
    const random = createRandom(5, 2, 3, i);
    const between = (low: number, high: number) => low + (high - low) * random.uniform();
    const source = batch.images.slice(i * 192, (i + 1) * 192);
    const rotated = new Uint8Array(192);
    rotatePicture(source, SHAPE, between(-20, 20), rotated);
    const cropped = new Uint8Array(192);
    const [top, left] = [random.integer(5) - 2, random.integer(5) - 2];
    cropAndFlip(rotated, SHAPE, { top, left, fill: 'reflect', flipped: random.uniform() < 0.5 }, cropped);
    const pixels = new Uint8ClampedArray(cropped);
    adjustBrightness(pixels, between(0.7, 1.3));
    adjustContrast(pixels, 3, between(0.7, 1.3));
    adjustSaturation(pixels, between(0.7, 1.3));
    const expected = Uint8Array.from(pixels);
    cutOut(expected, SHAPE, { top: random.integer(8) - 1, left: random.integer(8) - 1, size: 3 });
    expect(images.subarray(i * 192, (i + 1) * 192)).toEqual(expected);
  }
});

describe('augmentBatch is a function of bytes, options, seed, epoch and index alone', () => {
  const batch: ImageBatch = { ...randomBatch(5, SHAPE), indices: Uint32Array.of(40, 7, 1000, 3, 0) };
  const whole = augmentBatch(batch, ALL, { seed: 1, epoch: 2 });
  const bytesOf = ({ images }: ImageBatch, i: number) => images.slice(i * 192, (i + 1) * 192);

  test('in batches of any size and order', () => {
    for (const order of [[3], [4, 0], [2, 1, 3, 0, 4]]) {
      const images = Uint8Array.from(order.flatMap((i) => [...bytesOf(batch, i)]));
      const indices = Uint32Array.from(order, (i) => batch.indices![i]!);
      const part = augmentBatch({ ...batch, images, labels: new Int32Array(order.length), indices }, ALL, {
        seed: 1,
        epoch: 2,
      });
      for (const [place, i] of order.entries()) expect(bytesOf(part, place)).toEqual(bytesOf(whole, i));
    }
  });

  test('its place in the batch counts where there are no indices', () => {
    const { indices: _, ...bare } = batch;
    const counted = { ...batch, indices: Uint32Array.of(0, 1, 2, 3, 4) };
    expect(augmentBatch(bare, ALL).images).toEqual(augmentBatch(counted, ALL).images);
  });

  test('what comes in stays as it is, and everything but the images comes out as it came in', () => {
    const before = batch.images.slice();
    const targets = new Float32Array(5);
    const { images, ...rest } = augmentBatch({ ...batch, targets }, ALL);
    expect(batch.images).toEqual(before);
    expect(images).not.toEqual(before);
    const { images: _, ...given } = batch;
    expect(rest).toEqual({ ...given, targets });
  });

  test('other seeds, epochs and indices give other pictures', () => {
    for (const options of [
      { seed: 2, epoch: 2 },
      { seed: 1, epoch: 3 },
      { seed: 1 + 2 ** 32, epoch: 2 },
    ])
      expect(augmentBatch(batch, ALL, options).images).not.toEqual(whole.images);
    const shifted = { ...batch, indices: batch.indices!.map((index) => index + 1) };
    expect(augmentBatch(shifted, ALL, { seed: 1, epoch: 2 }).images).not.toEqual(whole.images);
  });

  test('on every platform and in every version the same (golden)', () => {
    const images = Uint8Array.from({ length: 4 * 4 * 3 }, (_, i) => i * 5);
    const one = { images, labels: new Int32Array(1), height: 4, width: 4, channels: 3, classes: 1 };
    const augmented = augmentBatch(one, { ...ALL, cutout: { size: 1 } }, { seed: 42, epoch: 1 });
    expect(augmented.images.join(' ')).toMatchInlineSnapshot(
      `"40 45 49 24 29 33 21 26 30 24 29 33 105 110 114 95 100 104 88 93 97 95 100 104 175 180 184 166 171 175 157 162 166 166 171 175 247 251 251 230 235 239 205 210 214 129 134 138"`,
    );
  });
});

test.each([1, 2, 3, 4])('nothing asked for, or no more than 0, changes nothing: %d channels', (channels) => {
  const batch = randomBatch(3, { height: 4, width: 5, channels });
  const nothing: Augmentation = { rotation: 0, crop: { padding: 0 }, brightness: 0, contrast: 0, cutout: { size: 0 } };
  for (const augmentation of [{}, nothing, { crop: undefined, flip: undefined }])
    expect(augmentBatch(batch, augmentation).images).toEqual(batch.images);
});

/** A batch of one row of two pixels, dark and bright, so that a picture tells whether it was flipped. */
function arrows(n: number): ImageBatch {
  const images = Uint8Array.from({ length: 2 * n }, (_, i) => (i % 2) * 200);
  return { images, labels: new Int32Array(n), height: 1, width: 2, channels: 1, classes: 1 };
}

const isFlipped = ({ images }: ImageBatch) =>
  Array.from(
    images.filter((_, i) => i % 2 === 0),
    (first) => first === 200,
  );
const count = (flags: boolean[]) => flags.filter(Boolean).length;

describe('10,000 pictures', () => {
  const batch = arrows(10_000);
  const [first, second, third] = [1, 2, 3].map((epoch) =>
    isFlipped(augmentBatch(batch, { flip: 'random' }, { seed: SEED, epoch })),
  ) as [boolean[], boolean[], boolean[]];

  test(`half of them are flipped at random in each epoch, independently (seed ${SEED})`, () => {
    // A standard deviation is 50.
    for (const flips of [first, second, third]) expect(Math.abs(count(flips) - 5000)).toBeLessThan(250);
    expect(Math.abs(count(first.map((flip, i) => flip === second[i])) - 5000)).toBeLessThan(250);
  });

  test(`alternating: half of them in the first epoch, then each in every other one (seed ${SEED})`, () => {
    const flips = [1, 2, 3, 4].map((epoch) =>
      isFlipped(augmentBatch(batch, { flip: 'alternating' }, { seed: SEED, epoch })),
    );
    expect(Math.abs(count(flips[0]!) - 5000)).toBeLessThan(250);
    expect(flips[1]).toEqual(flips[0]!.map((flip) => !flip));
    expect(flips[2]).toEqual(flips[0]);
    expect(flips[3]).toEqual(flips[1]);
    const other = isFlipped(augmentBatch(batch, { flip: 'alternating' }, { seed: SEED + 1, epoch: 1 }));
    expect(Math.abs(count(other.map((flip, i) => flip === flips[0]![i])) - 5000)).toBeLessThan(250);
  });

  test(`each of 9 places is cropped about 1,111 times (seed ${SEED})`, () => {
    const images = Uint8Array.from({ length: 90_000 }, (_, i) => (i % 9) + 1);
    const squares = { ...batch, images, height: 3, width: 3 };
    const cropped = augmentBatch(squares, { crop: { padding: 1 } }, { seed: SEED, epoch: 1 });
    const counts = new Array<number>(9).fill(0);
    // The pixel in the middle tells where the window was.
    for (let i = 4; i < cropped.images.length; i += 9) counts[cropped.images[i]! - 1]!++;
    for (const times of counts) expect(Math.abs(times - 1111)).toBeLessThan(160); // 5 standard deviations of 31.
  });

  test(`each of 9 pixels is cut out about 1,111 times (seed ${SEED})`, () => {
    const squares = { ...batch, images: new Uint8Array(90_000), height: 3, width: 3 };
    const cut = augmentBatch(squares, { cutout: { size: 1, fill: [255] } }, { seed: SEED, epoch: 1 });
    const counts = new Array<number>(9).fill(0);
    for (const [i, value] of cut.images.entries()) if (value === 255) counts[i % 9]!++;
    expect(counts.reduce((sum, times) => sum + times, 0)).toBe(10_000);
    for (const times of counts) expect(Math.abs(times - 1111)).toBeLessThan(160);
  });

  test(`brightness factors fill their range evenly (seed ${SEED})`, () => {
    const grey = { ...batch, images: new Uint8Array(20_000).fill(100) };
    const { images } = augmentBatch(grey, { brightness: 0.5 }, { seed: SEED, epoch: 1 });
    expect(Math.min(...images)).toBe(50);
    expect(Math.max(...images)).toBe(150);
    const mean = images.reduce((sum, value) => sum + value, 0) / images.length;
    expect(Math.abs(mean - 100)).toBeLessThan(1.5); // 5 standard deviations of 0.29.
  });
});

describe('augmentBatch refuses', () => {
  test.each([
    [{ flip: 'never' }, /flip to be 'random' or 'alternating', received never/],
    [{ crops: { padding: 1 } }, /augmentation to be an object with only rotation, crop, .*received 'crops'/],
    [{ crop: 4 }, /crop to be an object with only padding, fill, received 4/],
    [{ crop: { padding: 1, mode: 'zero' } }, /crop to be an object with only padding, fill, received 'mode'/],
    [{ crop: { padding: -1 } }, /crop.padding to be an integer of at least 0/],
    [{ crop: { padding: 1.5 } }, /crop.padding to be an integer/],
    [{ crop: { fill: 'zero' } }, /crop.padding to be an integer.*received undefined/],
    [{ crop: { padding: 1, fill: 'edge' } }, /crop.fill to be 'zero' or 'reflect'/],
    [{ crop: { padding: 8, fill: 'reflect' } }, /crop.padding below 8 where it is reflected.*received 8. Pad less/],
    [{ rotation: 181 }, /rotation to be a number from 0 to 180/],
    [{ rotation: '10' }, /rotation to be a number/],
    [{ brightness: 1.1 }, /brightness to be a number from 0 to 1/],
    [{ contrast: -0.1 }, /contrast to be/],
    [{ saturation: Number.NaN }, /saturation to be/],
    [{ cutout: 8 }, /cutout to be an object with only size, fill/],
    [{ cutout: { size: 0.5 } }, /cutout.size to be an integer/],
    [{ cutout: { size: 2, fill: [0] } }, /cutout.fill to be 3 integers from 0 to 255/],
    [{ cutout: { size: 2, fill: [0, 0, 256] } }, /cutout.fill/],
    [true, /augmentation to be an object/],
    [null, /augmentation to be an object/],
  ])('%j', (augmentation, message) => {
    const augment = () => augmentBatch(randomBatch(1, SHAPE), augmentation as never);
    expect(augment).toThrow(message);
    expect(augment).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });

  test.each([1, 2, 4])('saturation with %d channels', (channels) => {
    const augment = () => augmentBatch(randomBatch(1, { ...SHAPE, channels }), { saturation: 0.2 });
    expect(augment).toThrow(`3 channels: red, green, blue, received ${channels} channels. Leave saturation out.`);
  });

  test('a seed or an epoch that is none', () => {
    expect(() => augmentBatch(randomBatch(1, SHAPE), {}, { seed: 0.5 })).toThrow(/seed to be an integer/);
    expect(() => augmentBatch(randomBatch(1, SHAPE), {}, { epoch: -1 })).toThrow(/epoch to be an integer/);
  });
});

test('zeros may be padded further than the picture is wide', () => {
  const { images } = augmentBatch(randomBatch(50, SHAPE), { crop: { padding: 20 } }, { seed: SEED });
  expect(images.filter((value) => value === 0).length).toBeGreaterThan(images.length / 2);
});
