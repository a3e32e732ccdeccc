import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Classifier } from '../../src/classify/classifier';
import { createClassifier } from '../../src/classify/createClassifier';
import { picture, predict, tensors, tinyNet } from './models';

const pictures = Array.from({ length: 20 }, (_, i) => picture(i));
let classifier: Classifier;

beforeAll(async () => {
  await tf.setBackend('cpu');
  predict(tinyNet(), pictures);
});

afterEach(() => classifier.dispose());

/** Rejections are looked at later. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** A file whose bytes never come. */
const endless = () => ({ [Symbol.toStringTag]: 'Blob', arrayBuffer: () => new Promise(() => {}) }) as unknown as Blob;

/** So many pictures that some are classified before one is read that never ends. */
const unfinished = () => [...pictures, ...pictures, endless()];

describe.each(['tfjs', 'fused'] as const)('%s', (engine) => {
  test('twenty calls of all kinds at once give what they give one by one, in their order', async () => {
    classifier = await createClassifier(tinyNet(), { engine });
    const count = tensors();
    const calls = pictures.map((image, i) => () => {
      if (i % 3 === 0) return classifier.classifyBatch(pictures.slice(i));
      return i % 3 === 1 ? classifier.classify(image) : classifier.embed(image, { layer: i % 2 ? 'conv1' : undefined });
    });
    const order: number[] = [];
    const together = await Promise.all(calls.map((call, i) => call().finally(() => order.push(i))));
    expect(order).toEqual(pictures.map((_, i) => i));
    for (const [i, call] of calls.entries()) expect(await call()).toEqual(together[i]);
    expect(new Set(together.map((result) => JSON.stringify(result))).size).toBe(20);
    expect(tensors()).toBe(count);
  });

  test('a picture that cannot be read fails its own call only', async () => {
    classifier = await createClassifier(tinyNet(), { engine });
    const nan = { data: new Float32Array(192).fill(Number.NaN), width: 8, height: 8 };
    const noFile = Uint8Array.of(1, 2, 3);
    const bad = [nan, noFile, { ...pictures[0]!, width: 0 }, undefined as never].map((image) =>
      quiet(classifier.classify(image)),
    );
    const badBatch = quiet(classifier.classifyBatch([...pictures, nan]));
    const good = classifier.classify(pictures[0]!);
    for (const call of [...bad, badBatch]) await expect(call).rejects.toMatchObject({ name: 'MobilenetError' });
    expect(await good).toHaveLength(5);
  });

  test('aborted calls reject with the reason, wherever they are, and the next ones go on', async () => {
    classifier = await createClassifier(tinyNet(), { engine });
    const expected = await classifier.classify(pictures[1]!);
    const count = tensors();
    const stop = new AbortController();
    const { signal } = stop;
    const batch = tf.zeros<tf.Rank.R4>([40, 8, 8, 3]);
    const aborted = [
      classifier.classifyBatch(unfinished(), { signal }),
      classifier.classifyBatch(batch, { signal }),
      classifier.classify(endless(), { signal }),
      classifier.embed(pictures[0]!, { signal }),
    ].map((call) => quiet<unknown>(call));
    const next = classifier.classify(pictures[1]!);
    await new Promise((resolve) => setTimeout(resolve));
    const reason = new Error('changed my mind');
    stop.abort(reason);
    for (const call of aborted) await expect(call).rejects.toBe(reason);
    await expect(classifier.classify(pictures[0]!, { signal })).rejects.toBe(reason);
    expect(await next).toEqual(expected);
    batch.dispose();
    expect(tensors()).toBe(count);
  });

  test('dispose rejects pending and later calls, may be called again, and leaves no tensor', async () => {
    const model = tinyNet();
    const count = tensors();
    classifier = await createClassifier(model, { engine });
    const done = await classifier.classify(pictures[0]!);
    await classifier.embed(pictures[0]!);
    const pending = [
      classifier.classifyBatch(unfinished()),
      classifier.classify(endless()),
      classifier.embed(pictures[0]!, { layer: 'conv1' }),
    ].map((call) => quiet<unknown>(call));
    await new Promise((resolve) => setTimeout(resolve));
    const [first, second] = [classifier.dispose(), classifier.dispose()];
    for (const call of pending) await expect(call).rejects.toMatchObject({ code: 'disposed' });
    await Promise.all([first, second]);
    await classifier.dispose();
    const batch = tf.zeros<tf.Rank.R4>([2, 8, 8, 3]);
    for (const call of [
      classifier.classify(pictures[0]!),
      classifier.classifyBatch(batch),
      classifier.embed(endless()),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'disposed' });
    }
    batch.dispose();
    expect(tensors()).toBe(count);
    expect(done).toHaveLength(5);
  });

  /** More pictures than two chunks have; `closed` hears of it when no more are wanted. */
  function* generate(closed: () => void) {
    try {
      for (let i = 0; i < 100; i++) yield pictures[0]!;
    } finally {
      closed();
    }
  }

  test('a generator is closed where the model fails', async () => {
    const model = tinyNet();
    const preds = model.getLayer('preds');
    tf.tidy(() => preds.setWeights(preds.getWeights().map((weight) => tf.fill(weight.shape, Number.NaN))));
    classifier = await createClassifier(model, { engine });
    const closed = vi.fn();
    await expect(classifier.classifyBatch(generate(closed))).rejects.toMatchObject({ code: 'non-finite' });
    expect(closed).toHaveBeenCalledTimes(1);
  });

  test('a generator is closed where the call is given up before its turn', async () => {
    classifier = await createClassifier(tinyNet(), { engine });
    const stop = new AbortController();
    const [aborted, disposed] = [vi.fn(), vi.fn()];
    const calls = [
      classifier.classify(endless()),
      classifier.classifyBatch(generate(aborted), { signal: stop.signal }),
      classifier.classifyBatch(generate(disposed)),
    ].map((call) => quiet<unknown>(call));
    // Until their first chunks are read.
    await new Promise((resolve) => setTimeout(resolve, 50));
    stop.abort();
    expect(aborted).toHaveBeenCalledTimes(1);
    expect(disposed).not.toHaveBeenCalled();
    await classifier.dispose();
    expect(disposed).toHaveBeenCalledTimes(1);
    for (const call of calls) await expect(call).rejects.toThrow();
  });

  test('the main thread goes on while a batch is classified', async () => {
    classifier = await createClassifier(tinyNet(), { engine });
    let turns = 0;
    const timer = setInterval(() => turns++);
    await classifier.classifyBatch(Array.from({ length: 1000 }, (_, i) => pictures[i % 20]!));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });
});
