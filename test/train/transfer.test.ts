import '@tensorflow/tfjs-backend-cpu';
import { argMax, setBackend, slice, type Tensor2D, tensor, tidy } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  convBlock,
  depthwiseConvBlock,
  evaluateClassifier,
  freeze,
  type ImageDataset,
  type InMemoryImageDataset,
  inMemoryDataset,
  replaceHead,
  setModelMetadata,
  subsetDataset,
  type TrainClassifierOptions,
  takeDataset,
  trainClassifier,
} from '../../src/index';
import { temporaryFolder } from '../engine/teamBundles';
import { largestDifference, tensors, train, validation, weightsOf } from './models';

beforeEach(async () => {
  await setBackend('cpu');
});

/** Features, global pooling and a head of three classes. */
function smallNet() {
  const image = tf.input({ shape: [6, 6, 2] });
  let features = convBlock(image, { filters: 8, batchNormMomentum: 0.9, seed: 1, name: 'conv1' });
  features = depthwiseConvBlock(features, { filters: 8, strides: 2, batchNormMomentum: 0.9, seed: 2, name: '1' });
  const pooled = tf.layers.globalAveragePooling2d({ name: 'pool' }).apply(features) as tf.SymbolicTensor;
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
  const head = tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer, name: 'preds' });
  return tf.model({ inputs: image, outputs: head.apply(pooled) as tf.SymbolicTensor });
}

/** The likeliest of the first classes, for each picture. */
function predictionsOf(model: tf.LayersModel, { images, size }: InMemoryImageDataset, classes: number): number[] {
  return tidy(() => {
    const range = [2 / 255, 3.5 / 255];
    const pictures = Float32Array.from(images, (byte, i) => byte * range[i % 2]! - 1 - (i % 2));
    const outputs = model.predict(tensor(pictures, [size, 6, 6, 2])) as Tensor2D;
    return Array.from(argMax(slice(outputs, [0, 0], [-1, classes]), 1).dataSync());
  });
}

/** A dataset that counts how often each of its pictures is read. */
function countReads(of: InMemoryImageDataset) {
  const reads: number[] = Array(of.size).fill(0);
  const { size, height, width, channels, classNames, labels } = of;
  const read = (indices: ArrayLike<number>) => {
    for (const index of Array.from(indices)) reads[index]!++;
    return of.read(indices);
  };
  return { reads, dataset: { size, height, width, channels, classNames, labels, read } };
}

/** One for each channel of the pictures, of which there are fewer than features. */
const inputRange = [
  [-1, 1],
  [-2, 1.5],
] as const;

const options: TrainClassifierOptions = {
  epochs: 3,
  batchSize: 16,
  optimizer: 'momentum',
  seed: 4,
  validation,
  inputRange,
};

describe('a frozen beginning runs once, and the head learns as it would', () => {
  for (const engine of ['fused', 'tfjs'] as const) {
    for (const until of [undefined, 'conv1_relu']) {
      test(`${engine}, frozen until ${until ?? 'the head'}: weights and losses within 1e-5`, async () => {
        const [cached, plain] = [smallNet(), smallNet()];
        for (const model of [cached, plain]) freeze(model, { until });
        const before = tensors();
        const a = await trainClassifier(cached, train, { ...options, engine });
        const b = await trainClassifier(plain, train, { ...options, engine, cacheFeatures: false });
        expect(tensors()).toBe(before);
        expect(a.cachedUpTo).toBe(until ?? 'pool');
        expect(b.cachedUpTo).toBeUndefined();
        expect(largestDifference(weightsOf(cached), weightsOf(plain))).toBeLessThan(1e-5);
        const losses = ({ history }: typeof a) => history.map(({ loss, valLoss }) => [loss, valLoss!]);
        expect(largestDifference(losses(a), losses(b))).toBeLessThan(1e-5);
        cached.dispose();
        plain.dispose();
      });
    }
  }

  test.each(['fused', 'tfjs'] as const)(
    '%s: an epoch costs only the head: each picture is read once',
    async (engine) => {
      for (const [cacheFeatures, times] of [
        [true, 1],
        [false, 3],
      ] as const) {
        const model = smallNet();
        freeze(model);
        const [pictures, held] = [countReads(train), countReads(validation)];
        await trainClassifier(model, pictures.dataset, { ...options, engine, cacheFeatures, validation: held.dataset });
        expect(pictures.reads).toEqual(Array(train.size).fill(times));
        expect(held.reads).toEqual(Array(validation.size).fill(times));
        model.dispose();
      }
    },
  );

  test.each<TrainClassifierOptions>([
    { augment: { flip: 'random' } },
    { mixup: 0.2 },
    { cutmix: 1 },
    { pictureScales: [{ until: 0.5, scale: 4 / 6 }] },
  ])('pictures that change from epoch to epoch are not cached: %o', async (changes) => {
    const model = smallNet();
    freeze(model);
    const { cachedUpTo } = await trainClassifier(model, train, { ...options, epochs: 1, ...changes });
    expect(cachedUpTo).toBeUndefined();
    model.dispose();
  });

  test('an empty augmentation changes nothing', async () => {
    const [unchanged, plain] = [smallNet(), smallNet()];
    freeze(unchanged);
    freeze(plain);
    const { cachedUpTo: boundary } = await trainClassifier(unchanged, train, { ...options, augment: {} });
    await trainClassifier(plain, train, options);
    expect(boundary).toBe('pool');
    expect(weightsOf(unchanged)).toEqual(weightsOf(plain));
  });

  for (const engine of ['fused', 'tfjs'] as const) {
    test(`${engine}: it resumes from a checkpoint, which holds the frozen weights too`, async () => {
      const folder = temporaryFolder();
      const [whole, halves, fresh] = [smallNet(), smallNet(), smallNet()];
      await trainClassifier(whole, train, { ...options, engine: 'tfjs', epochs: 1 });
      for (const [i, weight] of halves.weights.entries()) weight.write(whole.weights[i]!.read());
      for (const model of [whole, halves, fresh]) freeze(model);
      await trainClassifier(whole, train, { ...options, engine });
      const checkpoint = { dir: folder.path };
      const learningRate = 0.01;
      await trainClassifier(halves, train, { ...options, learningRate, engine, epochs: 1, checkpoint });
      const { resumedFrom } = await trainClassifier(fresh, train, { ...options, engine, resume: folder.path });
      expect(resumedFrom!.step).toBe(4);
      expect(weightsOf(fresh)).toEqual(weightsOf(whole));
      for (const model of [whole, halves, fresh]) model.dispose();
      folder.remove();
    });
  }
});

describe('another head', () => {
  test('new classes are learned on old features', async () => {
    const model = smallNet();
    await trainClassifier(model, train, { ...options, epochs: 30 });
    const two = replaceHead(model, { classNames: ['bright', 'other'], seed: 5 });
    freeze(two);
    const dataset = inMemoryDataset({
      images: train.images,
      labels: train.labels.map((label) => (label === 0 ? 0 : 1)),
      height: 6,
      width: 6,
      channels: 2,
      classNames: ['bright', 'other'],
    });
    const { history, cachedUpTo } = await trainClassifier(two, dataset, { epochs: 40, learningRate: 0.05, seed: 1 });
    expect(cachedUpTo).toBeDefined();
    expect(history.at(-1)!.accuracy).toBeGreaterThan(0.9);
    two.dispose();
    model.dispose();
  });

  test.each(['fused', 'tfjs'] as const)(
    '%s: a class is added and learned, and the others are told apart as before',
    async (engine) => {
      const model = smallNet();
      await trainClassifier(model, train, { ...options, engine, epochs: 30 });
      const old = [...train.classNames];
      setModelMetadata(model, { classNames: old });
      const classNames = [...old, 'dark'];
      const more = replaceHead(model, { classNames, keep: true, seed: 5 });
      const dark = Array.from({ length: 20 * 72 }, (_, i) => (i * 37) % 30);
      const dataset = inMemoryDataset({
        ...{ height: 6, width: 6, channels: 2, classNames },
        images: Uint8Array.from([...train.images, ...dark]),
        labels: [...train.labels, ...Array<number>(20).fill(3)],
      });
      const accuracyOf = async (net: tf.LayersModel, pictures: ImageDataset) =>
        (await evaluateClassifier(net, pictures, { engine })).accuracy;
      const before = await accuracyOf(model, train);
      expect(before).toBeGreaterThan(0.9);
      // What the new class does not take, is told apart as ever.
      const [was, is] = [model, more].map((net) => predictionsOf(net, train, old.length));
      expect(is).toEqual(was);

      freeze(more);
      await trainClassifier(more, dataset, { epochs: 60, learningRate: 0.02, seed: 1, engine });
      const newOnes = subsetDataset(
        dataset,
        Array.from({ length: 20 }, (_, i) => train.size + i),
      );
      expect(await accuracyOf(more, newOnes)).toBeGreaterThan(0.9);
      expect(await accuracyOf(more, takeDataset(dataset, train.size))).toBeGreaterThan(before - 0.05);
      more.dispose();
      model.dispose();
    },
  );
});
