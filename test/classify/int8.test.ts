import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { calibrate } from '../../src/classify/calibrate';
import type { Classifier } from '../../src/classify/classifier';
import type { CreateClassifierOptions } from '../../src/classify/classifierOptions';
import { createClassifier } from '../../src/classify/createClassifier';
import { inMemoryDataset } from '../../src/data/imageDataset';
import { platform } from '../../src/platform/node';
import { picture, predict, tensors, tinyNet } from './models';

// All of them bright, so that the mean of their ranges is close to the range of each.
const pictures = Array.from({ length: 40 }, (_, i) => picture(35 * i + 34));
const calibration = datasetOf(pictures.map(({ data }) => data));
const made: Classifier[] = [];

beforeAll(async () => {
  await tf.setBackend('cpu');
  predict(tinyNet(), pictures);
});

afterEach(() => Promise.all(made.splice(0).map((classifier) => classifier.dispose())));

function datasetOf(images: Uint8Array[]) {
  const bytes = new Uint8Array(images.flatMap((image) => [...image]));
  const labels = images.map(() => 0);
  return inMemoryDataset({ images: bytes, labels, height: 8, width: 8, channels: 3, classNames: ['any'] });
}

async function int8Of(model = tinyNet(), options: CreateClassifierOptions = {}): Promise<Classifier> {
  const classifier = await createClassifier(model, { precision: 'int8', ...options });
  made.push(classifier);
  return classifier;
}

/** The largest difference of a probability from what tfjs predicts. */
async function largestError(classifier: Classifier, model = tinyNet()): Promise<number> {
  const expected = predict(model, pictures);
  const results = await classifier.classifyBatch(pictures);
  return Math.max(
    ...results.flatMap((result, n) =>
      result.map(({ classIndex, probability }) => Math.abs(probability - expected[n]![classIndex]!)),
    ),
  );
}

test('int8 is within 0.03 of float32, and not the same', async () => {
  const classifier = await int8Of();
  expect(classifier.info).toMatchObject({ engine: 'fused', precision: 'int8', fallbackReason: undefined });
  const error = await largestError(classifier);
  expect(error).toBeLessThan(0.03);
  expect(error).toBeGreaterThan(1e-6);
});

test('a calibration is used, and leaves no tensor', async () => {
  const model = tinyNet();
  const count = tensors();
  // Grey leaves the values of some stages below 6.
  const grey = datasetOf([new Uint8Array(192).fill(128)]);
  const [fixed, calibrated] = [await int8Of(model), await int8Of(model, { calibration: grey })];
  expect(await calibrated.classifyBatch(pictures)).not.toEqual(await fixed.classifyBatch(pictures));
  expect(tensors()).toBe(count);
});

test('a ReLU without a limit is refused with its layer, unless there is a calibration', async () => {
  const model = tinyNet({ relu: Number.POSITIVE_INFINITY });
  for (const engine of ['auto', 'fused'] as const) {
    const outcome = createClassifier(model, { precision: 'int8', engine });
    await expect(outcome).rejects.toMatchObject({ code: 'engine-failed' });
    await expect(outcome).rejects.toThrow(/layer 'conv1', which .*calibration/);
  }
  expect(await largestError(await int8Of(model, { calibration }), model)).toBeLessThan(0.05);
});

test('embeds in int8, or in float32 where a part has nothing to quantise', async () => {
  const model = tinyNet();
  const [int8, float32] = [await int8Of(model, { calibration }), await createClassifier(model, { engine: 'fused' })];
  made.push(float32);
  const errorOf = async (layer: string | undefined) => {
    const [a, b] = [await int8.embed(pictures[2]!, { layer }), await float32.embed(pictures[2]!, { layer })];
    expect(a).toHaveLength(b.length);
    return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
  };
  const error = await errorOf(undefined);
  expect(error).toBeGreaterThan(1e-6);
  expect(error).toBeLessThan(0.2);
  expect(await errorOf('conv1_relu')).toBe(0);
});

test('a part of a calibrated model with a ReLU without a limit embeds in int8, too', async () => {
  const model = tinyNet({ relu: Number.POSITIVE_INFINITY });
  const [int8, float32] = [await int8Of(model, { calibration }), await createClassifier(model, { engine: 'fused' })];
  made.push(float32);
  const [a, b] = [await int8.embed(pictures[2]!), await float32.embed(pictures[2]!)];
  const error = Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
  expect(error).toBeGreaterThan(1e-6);
  expect(error).toBeLessThan(0.05 * Math.max(...b));
});

test('no thread is left of a calibration, of an abort while threads start, or of embeddings', async () => {
  const counts = { started: 0, ended: 0 };
  const start = platform.startWorker;
  const stop = new AbortController();
  let isStopping = false;
  vi.spyOn(platform, 'startWorker').mockImplementation((...args) => {
    const worker = start.apply(platform, args);
    const { terminate } = worker;
    counts.started += 1;
    if (isStopping) stop.abort('enough');
    let isEnded = false;
    worker.terminate = async () => {
      await terminate();
      counts.ended += Number(!isEnded);
      isEnded = true;
    };
    return worker;
  });
  const classifier = await createClassifier(tinyNet(), { precision: 'int8', calibration, threads: 1 });
  expect(counts).toEqual({ started: 2, ended: 1 });
  await classifier.embed(pictures[0]!);
  await classifier.dispose();
  expect(counts).toEqual({ started: 3, ended: 3 });
  isStopping = true;
  const options = { engine: 'fused', threads: 1, signal: stop.signal } as const;
  await expect(createClassifier(tinyNet(), options)).rejects.toBe('enough');
  expect(counts).toEqual({ started: 4, ended: 4 });
  vi.restoreAllMocks();
});

test('an abort ends a calibration with its reason', async () => {
  const stop = new AbortController();
  let reads = 0;
  const read = (indices: ArrayLike<number>) => {
    reads++;
    stop.abort('enough');
    return calibration.read(indices);
  };
  const options = {
    precision: 'int8',
    calibration: { ...calibration, read },
    threads: 1,
    signal: stop.signal,
  } as const;
  await expect(createClassifier(tinyNet(), options)).rejects.toBe('enough');
  expect(reads).toBe(1);
});

test('pictures of another size calibrate as they would be classified', async () => {
  const large = inMemoryDataset({
    images: new Uint8Array(2 * 12 * 10 * 3).fill(90),
    labels: [0, 0],
    height: 10,
    width: 12,
    channels: 3,
    classNames: ['any'],
  });
  const small = datasetOf([new Uint8Array(192).fill(90)]);
  const [a, b] = [await int8Of(tinyNet(), { calibration: large }), await int8Of(tinyNet(), { calibration: small })];
  expect(await a.classifyBatch(pictures)).toEqual(await b.classifyBatch(pictures));
});

test('calibration sees pictures of all classes, though they be in the order of these', async () => {
  const dataset = datasetOf(Array.from({ length: 1024 }, (_, i) => new Uint8Array(192).fill(i < 512 ? 0 : 1)));
  let seen = 0;
  const observer = {
    async observe(pixels: Uint8Array | Float32Array, images: number) {
      for (let i = 0; i < images; i++) seen += pixels[i * 192]!;
      return new Float32Array(images);
    },
  };
  const read = async ({ data }: { data: unknown }) => ({ data: data as Uint8Array, images: 1 });
  await calibrate(observer, dataset, read);
  expect(Math.abs(seen - 256)).toBeLessThan(60);
});

test('calibration takes what 99 % of the pictures stay below in each stage, of at most 512', async () => {
  const dataset = datasetOf(Array.from({ length: 600 }, () => new Uint8Array(192).fill(3)));
  let seen = 0;
  const observer = {
    async observe(pixels: Uint8Array | Float32Array, images: number) {
      expect(pixels).toEqual(new Uint8Array(images * 192).fill(3));
      const highest = Float32Array.from({ length: 2 * images }, (_, i) => (i % 2 ? 10 : seen + (i >> 1)));
      seen += images;
      return highest;
    },
  };
  const read = async ({ data }: { data: unknown }) => ({ data: data as Uint8Array, images: 1 });
  expect(await calibrate(observer, dataset, read)).toEqual([Math.ceil(0.99 * 512) - 1, 10]);
  expect(seen).toBe(512);
});
