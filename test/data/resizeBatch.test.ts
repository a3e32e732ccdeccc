import { describe, expect, test } from 'vitest';
import type { ImageBatch } from '../../src/data/imageDataset';
import { resizeBatch } from '../../src/data/resizeBatch';
import { createRandom } from '../../src/random';

const SEED = 31;

function batchOf(n: number, height: number, width: number, channels: number): ImageBatch {
  const random = createRandom(SEED);
  const images = Uint8Array.from({ length: n * height * width * channels }, () => random.integer(256));
  return { images, labels: new Int32Array(n), height, width, channels, classes: 2 };
}

/** The definition: each old pixel cut into so many parts that new ones are whole numbers of them. */
function resizeByDefinition(
  { images, labels, height, width, channels }: ImageBatch,
  size: { height: number; width: number },
) {
  const values: number[] = [];
  for (let i = 0; i < labels.length; i++)
    for (let oy = 0; oy < size.height; oy++)
      for (let ox = 0; ox < size.width; ox++)
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let y = oy * height; y < (oy + 1) * height; y++)
            for (let x = ox * width; x < (ox + 1) * width; x++) {
              const [row, column] = [Math.floor(y / size.height), Math.floor(x / size.width)];
              sum += images[((i * height + row) * width + column) * channels + c]!;
            }
          values.push(Math.floor((2 * sum + height * width) / (2 * height * width)));
        }
  return Uint8Array.from(values);
}

describe(`resizeBatch agrees with its definition, exactly (seed ${SEED})`, () => {
  test.each([
    [8, 8, 3, 6, 6],
    [8, 8, 3, 4, 4],
    [12, 12, 1, 7, 5],
    [5, 9, 2, 5, 4],
    [5, 9, 4, 2, 9],
    [7, 3, 3, 1, 1],
    [1, 4, 1, 1, 3],
  ])('%d x %d x %d to %d x %d', (height, width, channels, newHeight, newWidth) => {
    const batch = batchOf(2, height, width, channels);
    const size = { height: newHeight, width: newWidth };
    const resized = resizeBatch(batch, size);
    expect(resized).toMatchObject({ ...size, channels, classes: 2 });
    expect(resized.images).toEqual(resizeByDefinition(batch, size));
  });
});

test('half the size: means of four, rounded half up', () => {
  const images = Uint8Array.of(1, 2, 255, 255, 3, 4, 255, 254);
  const batch = { images, labels: new Int32Array(1), height: 2, width: 4, channels: 1, classes: 1 };
  // 2.5 and 254.75
  expect([...resizeBatch(batch, { height: 1, width: 2 }).images]).toEqual([3, 255]);
});

test('one colour stays that colour', () => {
  const batch = batchOf(1, 32, 32, 3);
  for (const value of [0, 1, 127, 255]) {
    batch.images.fill(value);
    for (const side of [31, 24, 17, 16, 1])
      expect(new Set(resizeBatch(batch, { height: side, width: side }).images)).toEqual(new Set([value]));
  }
});

test('its own size leaves a batch as it is; what else it has stays', () => {
  const batch = { ...batchOf(2, 4, 4, 1), targets: new Float32Array(4), indices: Uint32Array.of(5, 6) };
  expect(resizeBatch(batch, { height: 4, width: 4 })).toBe(batch);
  const { targets, indices, labels } = resizeBatch(batch, { height: 2, width: 3 });
  expect([targets, indices, labels]).toEqual([batch.targets, batch.indices, batch.labels]);
});

test.each([
  [{ height: 5, width: 4 }, /height of at most 4, the pictures' own, received 5/],
  [{ height: 4, width: 5 }, /width of at most 4/],
  [{ height: 0, width: 4 }, /height to be an integer of at least 1/],
  [{ height: 4, width: 2.5 }, /width to be an integer/],
])('refuses %j', (size, message) => {
  expect(() => resizeBatch(batchOf(1, 4, 4, 1), size)).toThrow(message);
});
