import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ClassifierImage } from '../../src/classify/classifierImage';
import { readImage } from '../../src/classify/readImage';
import { toPixels } from '../../src/classify/toPixels';
import { MobilenetError } from '../../src/errors';
import { bytesOf } from '../golden/generator';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const read = (image: unknown, channels = 3, signal?: AbortSignal) =>
  readImage(image as ClassifierImage, { where: 'classify', channels, signal });

/** A picture of 4 x 2 pixels. */
const pixels = (channels: number) => ({ data: bytesOf('pixels', 8 * channels), width: 4, height: 2 });

describe('pixels', () => {
  test.each([1, 3, 4])('of %i channels come as they are where the model reads that many', async (channels) => {
    const image = pixels(channels);
    expect(await read(image, channels)).toEqual({ ...image, channels });
  });

  test('alpha is left out', async () => {
    const image = pixels(4);
    const expected = image.data.filter((_, i) => i % 4 !== 3);
    expect((await read(image)).data).toEqual(expected);
    const clamped = { ...image, data: new Uint8ClampedArray(image.data) };
    expect((await read(clamped)).data).toEqual(expected);
  });

  test('grey is repeated', async () => {
    const image = pixels(1);
    expect((await read(image)).data).toEqual(Uint8Array.from({ length: 24 }, (_, i) => image.data[Math.floor(i / 3)]!));
  });

  test.each([3, 4])('%i channels become luma, bytes within 0.51 and floats within 1e-2', async (channels) => {
    const image = pixels(channels);
    const luma = (p: number) => {
      const [red, green, blue] = image.data.subarray(p * channels);
      return 0.299 * red! + 0.587 * green! + 0.114 * blue!;
    };
    const grey = await read(image, 1);
    const floats = await read({ ...image, data: Float32Array.from(image.data) }, 1);
    expect(grey.data).toBeInstanceOf(Uint8Array);
    expect(floats.data).toBeInstanceOf(Float32Array);
    for (let p = 0; p < 8; p++) {
      expect(Math.abs(grey.data[p]! - luma(p))).toBeLessThan(0.51);
      expect(Math.abs(floats.data[p]! - luma(p))).toBeLessThan(1e-2);
    }
  });

  test('white and black stay white and black as luma', async () => {
    const image = { data: Uint8Array.of(255, 255, 255, 0, 0, 0), width: 2, height: 1 };
    expect((await read(image, 1)).data).toEqual(Uint8Array.of(255, 0));
  });

  test('floats stay floats, and what resizing adds to 255 is forgiven', async () => {
    const image = { data: Float32Array.of(0, 127.25, 255.00002), width: 1, height: 1 };
    expect((await read(image)).data).toEqual(image.data);
  });

  test('any number of channels goes to a model that reads that many', async () => {
    expect(await read(pixels(5), 5)).toMatchObject({ channels: 5 });
  });

  test('a view into a larger buffer is read where it lies', async () => {
    const data = bytesOf('view', 40).subarray(7, 19);
    expect((await read({ data, width: 2, height: 2 })).data).toEqual(data);
  });
});

describe('tensors', () => {
  const values = [0, 1, 2, 100, 200, 255];

  test.each([
    ['[H,W,C] float32', () => tf.tensor3d(values, [2, 1, 3]), Float32Array],
    ['[H,W,C] int32', () => tf.tensor3d(values, [2, 1, 3], 'int32'), Uint8Array],
    ['[1,H,W,C] float32', () => tf.tensor4d(values, [1, 2, 1, 3]), Float32Array],
    ['[1,H,W,C] int32', () => tf.tensor4d(values, [1, 2, 1, 3], 'int32'), Uint8Array],
  ] as const)('%s; the tensor stays, and none is left', async (_, make, type) => {
    const tensor = make();
    const { numTensors } = tf.memory();
    expect(await read(tensor)).toEqual({ data: type.from(values), width: 1, height: 2, channels: 3 });
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(tensor.isDisposed).toBe(false);
    tensor.dispose();
  });

  test('bool is 0 and 1', async () => {
    const tensor = tf.tensor3d([true, false], [1, 2, 1], 'bool');
    expect((await read(tensor, 1)).data).toEqual(Uint8Array.of(1, 0));
    tensor.dispose();
  });

  test('one that is used for a model of its size is not changed, nor is the result its memory', async () => {
    const tensor = tf.tensor3d(values, [2, 1, 3]);
    const result = await toPixels(tensor, { height: 2, width: 1, channels: 3 }, {}, { where: 'classify' });
    result.fill(7);
    expect(Array.from(await tensor.data())).toEqual(values);
    tensor.dispose();
  });

  test.each([
    ['a batch', () => tf.zeros([2, 4, 4, 3]), 'shape [2,4,4,3]. Split a batch'],
    ['two axes', () => tf.zeros([4, 4]), 'received shape [4,4]'],
    ['no pixels', () => tf.zeros([0, 4, 3]), 'received shape [0,4,3]'],
    ['two channels', () => tf.zeros([4, 4, 2]), 'expected a picture of 3 channels, which the model reads, received 2'],
    ['text', () => tf.fill([1, 1, 3], 'a', 'string'), 'received string'],
    ['complex numbers', () => tf.complex(tf.zeros([1, 1, 3]), tf.zeros([1, 1, 3])), 'received complex64'],
    ['NaN', () => tf.tensor3d([1, Number.NaN, 3], [1, 1, 3]), 'received NaN'],
    ['infinity', () => tf.tensor3d([1, Number.POSITIVE_INFINITY, 3], [1, 1, 3]), 'numbers from 1 to Infinity'],
    ['[-1, 1]', () => tf.tensor3d([-1, 0, 1], [1, 1, 3]), 'numbers from -1 to 1. Map [-1, 1] back'],
    ['16 bits', () => tf.tensor3d([0, 1, 65535], [1, 1, 3], 'int32'), 'numbers from 0 to 65535. Scale'],
  ])('of %s are refused', async (_, make, words) => {
    const tensor = tf.tidy(make);
    const { numTensors } = tf.memory();
    await refused(tensor, words);
    expect(tf.memory().numTensors).toBe(numTensors);
    tensor.dispose();
  });

  test('one that is disposed of is refused', async () => {
    const tensor = tf.zeros([1, 1, 3]);
    tensor.dispose();
    await refused(tensor, 'received one that is disposed of');
  });
});

async function refused(image: unknown, words: string, channels = 3) {
  const error = await read(image, channels).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(MobilenetError);
  expect(error).toMatchObject({ code: 'invalid-argument', message: expect.stringContaining(words) });
  expect((error as Error).message).toMatch(/^classify: expected .+, received .+\./);
}

const twelve = new Uint8Array(12);

test.each([
  ['nothing', undefined, 'a value of type Undefined'],
  ['null', null, 'a value of type Null'],
  ['a number', 7, 'a value of type Number'],
  ['an object', {}, 'a value of type Object'],
  ['an array', [1, 2, 3], 'a value of type Array'],
  ['a lone Uint8ClampedArray', new Uint8ClampedArray(12), 'a value of type Uint8ClampedArray'],
  ['no width', { data: twelve, width: 0, height: 2 }, 'integers of at least 1, received 0 x 2'],
  ['a broken height', { data: twelve, width: 2, height: Number.NaN }, 'received 2 x NaN'],
  ['no data', { data: undefined, width: 2, height: 2 }, 'received Undefined'],
  ['data of no kind', { data: [1, 2, 3], width: 1, height: 1 }, 'received Array'],
  ['wide data', { data: new Float64Array(3), width: 1, height: 1 }, 'received Float64Array'],
  ['empty data', { data: new Uint8Array(0), width: 1, height: 1 }, '1 x 1 pixels of 1, 3 or 4 channels, received 0'],
  ['data of another size', { data: twelve, width: 5, height: 1 }, '5 x 1 pixels of 1, 3 or 4 channels, received 12'],
  ['two channels', { data: twelve, width: 3, height: 2 }, 'received 2 channels. Grey (1), RGB (3)'],
  ['NaN', { data: Float32Array.of(1, Number.NaN, 2), width: 1, height: 1 }, 'received NaN'],
  ['a small range', { data: Float32Array.of(-0.5, 0, 1), width: 1, height: 1 }, '(x + 1) * 127.5'],
])('%s is refused', async (_, image, words) => {
  await refused(image, words);
});

test('grey and colour are not converted to four channels', async () => {
  await refused(pixels(1), 'a picture of 4 channels, which the model reads, received 1 channels', 4);
  await refused(pixels(3), 'received 3 channels. Only for models of 1 or 3', 4);
});

test('toPixels crops or stretches to the model, and gives bytes for bytes', async () => {
  // Left half 10, right half 200; the middle square has both.
  const data = Uint8Array.from({ length: 8 * 4 * 4 }, (_, i) => (Math.floor(i / 4) % 8 < 4 ? 10 : 200));
  const size = { height: 4, width: 4, channels: 3 };
  const row = (image: Uint8Array | Float32Array) => [0, 3, 6, 9].map((i) => image[i]);
  const crop = await toPixels({ data, width: 8, height: 4 }, size, {}, { where: 'classify' });
  expect(crop).toBeInstanceOf(Uint8Array);
  expect(crop).toHaveLength(48);
  expect(row(crop)).toEqual([10, 10, 200, 200]);
  const stretch = await toPixels({ data, width: 8, height: 4 }, size, { fit: 'stretch' }, { where: 'classify' });
  // Weights 1/8, 3/8, 3/8, 1/8: the second pixel has an eighth of the bright half.
  expect(row(stretch)).toEqual([10, 34, 176, 200]);
});

test('an aborted signal ends it with its reason', async () => {
  const reason = new Error('enough');
  await expect(read(pixels(3), 3, AbortSignal.abort(reason))).rejects.toBe(reason);
});
