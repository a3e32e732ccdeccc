import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  model as createModel,
  input,
  type LayersModel,
  layers,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { inMemoryDataset, type LabelledImages } from '../../src/data/imageDataset';
import { splitFrozen } from '../../src/graph/splitFrozen';
import { freeze } from '../../src/model/freeze';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import { createRandom } from '../../src/random';
import { cacheFeatures, featuresFit } from '../../src/train/cacheFeatures';
import { enterTrainingMode } from '../../src/train/trainingMode';
import { chain, graphOf, outline, randomizeWeights } from '../graph/chains';

const SEED = 61;
const small: MobilenetV1Options = { inputShape: [32, 32, 3], alpha: 0.05, classes: 4, seed: SEED };

beforeAll(() => tf.setBackend('cpu'));

const names = (model: LayersModel) => model.layers.map(({ name }) => name);
const predict = (model: LayersModel, pictures: tf.Tensor) => model.predict(pictures) as tf.Tensor;
const frozen = <T extends layers.Layer>(layer: T): T => Object.assign(layer, { trainable: false });
const conv = (strides = 1) => layers.conv2d({ filters: 4, kernelSize: 3, strides, name: 'conv' });
const dense = () => layers.dense({ units: 3, name: 'dense' });

/** Turns pictures round in training; it has no weights. */
class Flip extends layers.Layer {
  static className = 'Flip';
  override call(inputs: tf.Tensor | tf.Tensor[], { training }: { training?: boolean }) {
    const [pictures] = [inputs].flat() as tf.Tensor[];
    return training ? tf.reverse(pictures!, 2) : pictures!;
  }
}

function split(model: LayersModel) {
  const parts = splitFrozen(model);
  if (!parts) throw new Error('the model was not split');
  return parts;
}

describe('splitFrozen', () => {
  test('not where nested models have layers of one name, which tfjs refuses side by side', () => {
    const part = () =>
      sequential({ layers: [layers.conv2d({ inputShape: [6, 6, 3], filters: 3, kernelSize: 1, name: 'conv' })] });
    const model = sequential({ layers: [frozen(part()), part(), layers.flatten(), dense()] });
    const { numTensors } = tf.memory();
    expect(splitFrozen(model)).toBeUndefined();
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  test('a frozen MobileNet behind its pooling, before dropout', () => {
    const model = mobilenetV1(small);
    freeze(model);
    const { features, head, boundary } = split(model);
    expect(boundary).toBe('reshape_1');
    expect(features.outputs[0]!.shape).toEqual([null, 1, 1, 51]);
    expect(features.trainableWeights).toEqual([]);
    expect(names(head).slice(1)).toEqual(['dropout', 'conv_preds', 'act_softmax', 'reshape_2']);
    expect(head.weights.every((weight, i) => weight === model.getLayer('conv_preds').weights[i])).toBe(true);
    expect(outline(graphOf(head))).toEqual(['dropout', 'conv bias']);
    expect(graphOf(head)).toMatchObject({ input: { height: 1, width: 1, channels: 51 }, outputKind: 'probabilities' });
  });

  test('a MobileNet that is frozen half way, between two blocks', () => {
    const model = mobilenetV1({ ...small, inputShape: [64, 64, 3] });
    freeze(model, { until: 'conv_dw_12_relu' });
    const { features, head, boundary } = split(model);
    expect(boundary).toBe('conv_dw_12_relu');
    expect(features.outputs[0]!.shape).toEqual([null, 2, 2, 25]);
    expect(graphOf(head).stages).toHaveLength(6);
  });

  const cases: [title: string, build: () => LayersModel, boundary: string, shape: number[], head: string[]][] = [
    [
      'flattened features as a map of one pixel',
      () => chain([5, 5, 2], frozen(conv()), layers.flatten({ name: 'flat' }), dense()),
      'flat',
      [1, 1, 36],
      ['Reshape', 'Dense'],
    ],
    [
      'pooled features likewise',
      () => chain([5, 5, 2], frozen(conv()), layers.globalMaxPooling2d({ name: 'pool' }), dense()),
      'pool',
      [1, 1, 4],
      ['Reshape', 'Dense'],
    ],
    [
      'before a dropout, frozen or not',
      () => chain([5, 5, 2], frozen(conv()), frozen(layers.dropout({ rate: 0.5 })), layers.flatten(), dense()),
      'conv',
      [3, 3, 4],
      ['Dropout', 'Flatten', 'Dense'],
    ],
    [
      'behind a dropout that drops nothing',
      () =>
        chain([5, 5, 2], frozen(conv()), layers.dropout({ rate: 0, name: 'drop' }), conv2(), layers.flatten(), dense()),
      'drop',
      [3, 3, 4],
      ['Conv2D', 'Flatten', 'Dense'],
    ],
    [
      'before noise',
      () => chain([5, 5, 2], frozen(conv()), layers.gaussianNoise({ stddev: 0.1 }), layers.flatten(), dense()),
      'conv',
      [3, 3, 4],
      ['GaussianNoise', 'Flatten', 'Dense'],
    ],
    [
      'before a batch norm that learns averages only',
      () =>
        chain(
          [5, 5, 2],
          frozen(conv()),
          layers.batchNormalization({ scale: false, center: false }),
          layers.flatten(),
          dense(),
        ),
      'conv',
      [3, 3, 4],
      ['BatchNormalization', 'Flatten', 'Dense'],
    ],
    [
      'before padding, which would only make the features larger',
      () => chain([5, 5, 2], frozen(conv()), layers.zeroPadding2d({}), conv2(), layers.flatten(), dense()),
      'conv',
      [3, 3, 4],
      ['ZeroPadding2D', 'Conv2D', 'Flatten', 'Dense'],
    ],
    [
      'inside a nested model that is frozen as a whole',
      () =>
        chain(
          [5, 5, 2],
          frozen(chain([5, 5, 2], conv(), layers.reLU({ name: 'relu' }))),
          layers.flatten({ name: 'flat' }),
          dense(),
        ),
      'flat',
      [1, 1, 36],
      ['Reshape', 'Dense'],
    ],
  ];
  const conv2 = () => layers.conv2d({ filters: 2, kernelSize: 3, name: 'conv2' });

  test.each(cases)(`%s (seed ${SEED})`, (_title, build, expected, shape, kinds) => {
    const model = build();
    randomizeWeights(model, createRandom(SEED));
    const { features, head, boundary } = split(model);
    expect(boundary).toBe(expected);
    expect(features.outputs[0]!.shape.slice(1)).toEqual(shape);
    expect(head.layers.slice(1).map((layer) => layer.getClassName())).toEqual(kinds);
    tf.tidy(() => {
      const pictures = tf.randomNormal([2, 5, 5, 2], 0, 1, 'float32', SEED);
      const joined = predict(head, predict(features, pictures));
      expect(joined.arraySync()).toEqual(predict(model, pictures).arraySync());
    });
  });

  test.each<[title: string, build: () => LayersModel]>([
    ['nothing is frozen', () => chain([5, 5, 2], conv(), layers.flatten(), dense())],
    ['what is frozen stands behind what is not', () => chain([5, 5, 2], conv(), layers.flatten(), frozen(dense()))],
    ['all is frozen', () => chain([5, 5, 2], frozen(conv()), layers.flatten(), frozen(dense()))],
    ['only layers without weights come first', () => chain([5, 5, 2], layers.flatten(), dense())],
    [
      'the size of the features is open',
      () => chain([null, null, 2], frozen(conv()), layers.conv2d({ filters: 1, kernelSize: 1 })),
    ],
    [
      'a nested model that is frozen as a whole has a dropout before a batch norm',
      () => {
        const norm = layers.batchNormalization({});
        const nested = chain([5, 5, 2], conv(), layers.dropout({ rate: 0.5 }), norm);
        return chain([5, 5, 2], frozen(nested), layers.flatten(), dense());
      },
    ],
    [
      'the model is no chain',
      () => {
        const picture = input({ shape: [5, 5, 2] });
        const map = frozen(conv()).apply(picture) as SymbolicTensor;
        const sum = layers.add().apply([map, map]) as SymbolicTensor;
        return createModel({ inputs: picture, outputs: dense().apply(sum) as SymbolicTensor });
      },
    ],
    [
      'a layer of the user, who knows what it does, comes first',
      () => chain([5, 5, 2], new Flip({}), frozen(conv()), layers.flatten(), dense()),
    ],
    [
      "the first layer has a 'call' of its own",
      () => {
        const first = Object.assign(frozen(conv()), { call: (inputs: tf.Tensor) => tf.relu(inputs) });
        return chain([5, 5, 2], first, layers.flatten(), dense());
      },
    ],
  ])('undefined where %s', (_title, build) => {
    expect(splitFrozen(build())).toBeUndefined();
  });

  test('dispose leaves the model as it was, and its weights to it', () => {
    const before = tf.memory().numTensors;
    const model = mobilenetV1(small);
    freeze(model);
    const { numTensors } = tf.memory();
    const parts = split(model);
    expect(tf.memory().numTensors).toBe(numTensors);
    parts.dispose();
    for (const layer of model.layers) {
      expect(layer.inboundNodes).toHaveLength(1);
      expect(layer.outboundNodes).toHaveLength(layer === model.layers.at(-1) ? 0 : 1);
    }
    expect(tf.memory().numTensors).toBe(numTensors);
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** `size` pictures of random bytes. */
function randomDataset(size: number) {
  const random = createRandom(SEED);
  const images = Uint8Array.from({ length: size * 32 * 32 * 3 }, () => random.integer(256));
  const labels = Array.from({ length: size }, () => random.integer(4));
  return inMemoryDataset({ images, labels, height: 32, width: 32, channels: 3, classNames: ['a', 'b', 'c', 'd'] });
}

/** Cached features of a MobileNet with random weights, and what they are by definition. */
function frozenMobilenet() {
  const model = mobilenetV1(small);
  randomizeWeights(model, createRandom(SEED));
  freeze(model);
  const parts = split(model);
  const dataset = randomDataset(7);
  const pictures = tf.tensor4d(
    Float32Array.from(dataset.images, (byte) => -1 + (byte / 255) * 2),
    [7, 32, 32, 3],
  );
  return { ...parts, model, dataset, pictures, expected: predict(parts.features, pictures).dataSync() };
}

const options = { inputRange: [-1, 1], engine: 'tfjs' } as const;

describe('cacheFeatures', () => {
  test.each([
    ['tfjs', 1e-6],
    ['fused', 1e-4],
  ] as const)(
    `through %s keeps what the layers give, within %d of the largest (seed ${SEED})`,
    async (engine, bound) => {
      const { features, dataset, expected } = frozenMobilenet();
      const cached = await cacheFeatures(features, dataset, { ...options, engine, threads: 1, batchSize: 3 });
      expect(cached).toMatchObject({ size: 7, height: 1, width: 1, channels: 51, classNames: dataset.classNames });
      expect(cached.labels).toEqual(dataset.labels);
      const { images, labels } = (await cached.read([6, 0, 3, 3])) as LabelledImages<Float32Array>;
      expect([...labels]).toEqual([6, 0, 3, 3].map((index) => dataset.labels[index]));
      const largest = Math.max(...expected.map(Math.abs));
      [6, 0, 3, 3].forEach((index, i) => {
        for (let c = 0; c < 51; c++) {
          const difference = Math.abs(images[i * 51 + c]! - expected[index * 51 + c]!);
          expect(difference).toBeLessThanOrEqual(bound * largest);
        }
      });
      expect(() => cached.read([7])).toThrow('indices from 0 to 6');
    },
  );

  test('the gradients of the head on kept features are those of the whole model on pictures', async () => {
    const { model, features, head, dataset, pictures } = frozenMobilenet();
    const cached = await cacheFeatures(features, dataset, options);
    const { images } = (await cached.read([0, 1, 2, 3, 4, 5, 6])) as LabelledImages<Float32Array>;
    const mode = enterTrainingMode(model);
    const gradients = (trained: LayersModel, inputs: tf.Tensor) => {
      mode.seedDropout(() => SEED);
      const variables = head.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const { grads } = tf.variableGrads(() => {
        const output = trained.apply(inputs, { training: true }) as tf.Tensor;
        return tf.neg(tf.mean(tf.log(output))) as tf.Scalar;
      }, variables);
      return variables.map(({ name }) => [...grads[name]!.dataSync()]);
    };
    expect(gradients(head, tf.tensor4d(images, [7, 1, 1, 51]))).toEqual(gradients(model, pictures));
    mode.restore();
  });

  test('fits where its size is known, and no larger than allowed', () => {
    const { features, dataset } = frozenMobilenet();
    const megabytes = (7 * 51 * 4) / 2 ** 20;
    expect(featuresFit(features, dataset, megabytes * 0.999)).toBe(false);
    expect(featuresFit(features, dataset, megabytes)).toBe(true);

    const outputs = [input({ shape: [null, 4, 3] })];
    expect(featuresFit({ outputs } as LayersModel, dataset)).toBe(false);
  });

  test.each(['tfjs', 'fused'] as const)('through %s stops at a signal', async (engine) => {
    const { features, dataset } = frozenMobilenet();
    const control = new AbortController();
    const read = vi.fn(dataset.read);
    const { signal } = control;
    const running = cacheFeatures(features, { ...dataset, read }, { ...options, engine, batchSize: 1, signal });
    // What waits for its turn has it between two pictures.
    setTimeout(() => control.abort(new Error('enough')));
    await expect(running).rejects.toThrow('enough');
    expect(read.mock.calls.length).toBeLessThan(7);
  });

  test.each([
    ['floats', (images: Uint8Array, labels: Int32Array) => ({ images: Float32Array.from(images), labels }), 'of bytes'],
    ['a label', (images: Uint8Array, labels: Int32Array) => ({ images, labels: labels.map(() => 9) }), 'from 0 to 3'],
  ])('refuses %s as a training on pictures does', async (_, change, message) => {
    const { features, dataset } = frozenMobilenet();
    const read = async (indices: ArrayLike<number>) => {
      const { images, labels } = await dataset.read(indices);
      return change(images, Int32Array.from(labels)) as LabelledImages;
    };
    await expect(cacheFeatures(features, { ...dataset, read }, options)).rejects.toThrow(message);
  });
});
