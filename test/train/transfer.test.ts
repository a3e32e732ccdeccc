import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  convBlock,
  depthwiseConvBlock,
  freeze,
  inMemoryDataset,
  replaceHead,
  setModelMetadata,
  type TrainClassifierOptions,
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

  test('a class is added, and the others are told apart as before', async () => {
    const model = smallNet();
    await trainClassifier(model, train, { ...options, epochs: 30 });
    setModelMetadata(model, { classNames: ['left', 'right', 'top'] });
    const more = replaceHead(model, { classNames: ['left', 'right', 'top', 'new'], keep: true, seed: 5 });
    const dataset = { ...train, classNames: ['left', 'right', 'top', 'new'] };
    const { evaluateClassifier } = await import('../../src/index');
    const { accuracy } = await evaluateClassifier(model, train);
    const after = await evaluateClassifier(more, dataset);
    expect(accuracy).toBeGreaterThan(0.8);
    expect(after.accuracy).toBeGreaterThan(0.6);
    more.dispose();
    model.dispose();
  });
});
