import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { platform } from '#platform';
import { inMemoryDataset, takeDataset } from '../../src/data/imageDataset';
import { toTensors } from '../../src/data/tensors';
import { type InputRange, meanStdRange } from '../../src/inputRange';
import { setModelMetadata } from '../../src/model/metadata';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { createRandom } from '../../src/random';
import { evaluateClassifier, evaluatePredictions } from '../../src/train/evaluateClassifier';
import type { TestTimeAugmentation } from '../../src/train/pictureViews';
import { branching } from '../classify/models';
import { randomizeWeights } from '../engine/models';
import { tensors, tinyDataset, tinyModel } from './models';

const dataset = tinyDataset(23);

/** `[mirrored, shift, weight]`: pixel (y, x) comes from (y - shift, x - shift), reflected at the border; then it is mirrored. */
const viewsOf: Record<'none' | TestTimeAugmentation, [boolean, number, number][]> = {
  none: [[false, 0, 1]],
  flip: [
    [false, 0, 0.5],
    [true, 0, 0.5],
  ],
  flipAndShift: [false, true].flatMap((mirrored) =>
    [0, 1, -1].map((shift): [boolean, number, number] => [mirrored, shift, shift === 0 ? 0.25 : 0.125]),
  ),
};

/** The definition, one picture at a time in float64. */
function expectedEvaluation(
  model: tfl.LayersModel,
  { isLogits = false, inputRange = [-1, 1] as InputRange, views = 'none' as keyof typeof viewsOf },
) {
  const confusionMatrix = Array.from({ length: 3 }, () => [0, 0, 0]);
  const mistakes: { index: number; label: number; predicted: number; probability: number }[] = [];
  let loss = 0;
  const probabilitiesOf = (i: number, isMirrored: boolean, shift: number) => {
    const batch = { ...dataset.read([i]), height: 6, width: 6, channels: 2, classes: 3 };
    const output = tf.tidy(() => {
      const { images } = toTensors(batch, { inputRange });
      // A border of one reflected pixel, and then the window that the shift leaves.
      const padded = tf.mirrorPad(
        images,
        [
          [0, 0],
          [1, 1],
          [1, 1],
          [0, 0],
        ],
        'reflect',
      );
      const shifted = tf.slice(padded, [0, 1 - shift, 1 - shift, 0], [1, 6, 6, 2]);
      const pictures = isMirrored ? tf.reverse(shifted, 2) : shifted;
      return Array.from((model.predict(pictures) as tf.Tensor).dataSync());
    });
    const total = output.reduce((sum, value) => sum + (isLogits ? Math.exp(value) : value), 0);
    return output.map((value) => (isLogits ? Math.exp(value) : value) / total);
  };
  for (let i = 0; i < dataset.size; i++) {
    const probabilities = [0, 0, 0];
    for (const [isMirrored, shift, weight] of viewsOf[views]) {
      for (const [k, p] of probabilitiesOf(i, isMirrored, shift).entries()) probabilities[k]! += weight * p;
    }
    const label = dataset.labels[i]!;
    const predicted = probabilities.indexOf(Math.max(...probabilities));
    loss -= Math.log(probabilities[label]!) / dataset.size;
    confusionMatrix[label]![predicted]! += 1;
    if (predicted !== label) mistakes.push({ index: i, label, predicted, probability: probabilities[predicted]! });
  }
  mistakes.sort((a, b) => b.probability - a.probability);
  return { loss, confusionMatrix, mistakes };
}

/** The same mistakes in the same order, their probabilities within 1e-5. */
function expectMistakes(actual: { probability: number }[], expected: { probability: number }[]): void {
  const rounded = expected.map((mistake) => ({ ...mistake, probability: expect.closeTo(mistake.probability, 5) }));
  expect(actual).toEqual(rounded);
}

/** How many workers were started, and how many of them were ended, from now on. */
function countWorkers(): { started: number; ended: number } {
  const counts = { started: 0, ended: 0 };
  const start = platform.startWorker;
  vi.spyOn(platform, 'startWorker').mockImplementation((...args) => {
    const worker = start.apply(platform, args);
    const terminate = worker.terminate;
    let isEnded = false;
    counts.started += 1;
    worker.terminate = async () => {
      await terminate();
      counts.ended += Number(!isEnded);
      isEnded = true;
    };
    return worker;
  });
  return counts;
}

afterEach(() => vi.restoreAllMocks());

describe.each(['tfjs', 'fused'] as const)('with the engine %s', (engine) => {
  for (const activation of ['softmax', 'linear'] as const) {
    test(`${activation}: loss within 1e-6, accuracies and confusion matrix exact, batch size without effect`, async () => {
      await tf.setBackend('cpu');
      const model = tinyModel({ activation });
      const expected = expectedEvaluation(model, { isLogits: activation === 'linear' });
      expect(expected.mistakes.length).toBeGreaterThan(3);
      setModelMetadata(model, { inputRange: [-1, 1] });
      const count = tensors();
      for (const batchSize of [4, 128]) {
        const seen: number[] = [];
        const result = await evaluateClassifier(model, dataset, {
          engine,
          batchSize,
          onBatch: ({ images }) => void seen.push(images),
        });
        expect(seen.at(-1)).toBe(23);
        expect(result.loss).toBeCloseTo(expected.loss, 6);
        expect(result.confusionMatrix).toEqual(expected.confusionMatrix);
        expectMistakes(result.mistakes, expected.mistakes);
        const right = expected.confusionMatrix.map((row, k) => row[k]!);
        expect(result.accuracy).toBe((right[0]! + right[1]! + right[2]!) / 23);
        expect(result.perClass).toEqual(
          ['left', 'right', 'top'].map((className, k) => {
            const size = [8, 8, 7][k]!;
            return { className, size, accuracy: right[k]! / size };
          }),
        );
      }
      expect(tensors()).toBe(count);
    });

    test.each([
      ['flip', 'none'],
      ['flipAndShift', 'flip'],
    ] as const)(`${activation}: '%s' takes the mean of its views, loss within 1e-6`, async (views, fewer) => {
      const model = tinyModel({ activation });
      const isLogits = activation === 'linear';
      const expected = expectedEvaluation(model, { isLogits, views });
      expect(Math.abs(expected.loss - expectedEvaluation(model, { isLogits, views: fewer }).loss)).toBeGreaterThan(
        1e-4,
      );
      const options = { engine, batchSize: 9, inputRange: [-1, 1] as const, testTimeAugmentation: views };
      const result = await evaluateClassifier(model, dataset, options);
      expect(result.loss).toBeCloseTo(expected.loss, 6);
      expect(result.confusionMatrix).toEqual(expected.confusionMatrix);
      expectMistakes(result.mistakes, expected.mistakes);
    });
  }

  test('a range for each channel, from the metadata', async () => {
    const model = tinyModel();
    const inputRange = meanStdRange({ mean: [0.3, 0.6], std: [0.2, 0.5] });
    setModelMetadata(model, { inputRange });
    const { loss } = await evaluateClassifier(model, dataset, { engine });
    expect(loss).toBeCloseTo(expectedEvaluation(model, { inputRange }).loss, 5);
    expect(Math.abs(loss - expectedEvaluation(model, {}).loss)).toBeGreaterThan(1e-3);
  });
});

test('both engines agree on a MobileNet: loss and probabilities within 1e-5, all else exactly (seed 7)', async () => {
  const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, seed: 7 });
  randomizeWeights(model, 7);
  const random = createRandom(7);
  const pictures = inMemoryDataset({
    images: Uint8Array.from({ length: 60 * 3072 }, () => random.integer(256)),
    labels: Array.from({ length: 60 }, (_, i) => i % 10),
    height: 32,
    width: 32,
    channels: 3,
    classNames: Array.from({ length: 10 }, (_, k) => `${k}`),
  });
  const inputRange = meanStdRange({ mean: [0.49, 0.48, 0.45], std: [0.25, 0.24, 0.26] });
  for (const testTimeAugmentation of [undefined, 'flip', 'flipAndShift'] as const) {
    const evaluate = (engine: 'fused' | 'tfjs') =>
      evaluateClassifier(model, pictures, { engine, inputRange, testTimeAugmentation, threads: 2 });
    const [fused, tfjs] = [await evaluate('fused'), await evaluate('tfjs')];
    expect(Math.abs(fused.loss - tfjs.loss)).toBeLessThan(1e-5);
    expect(fused.confusionMatrix).toEqual(tfjs.confusionMatrix);
    expectMistakes(fused.mistakes, tfjs.mistakes);
    expect(fused.mistakes).toHaveLength(25);
  }
});

describe('which engine', () => {
  const pictures = inMemoryDataset({
    images: new Uint8Array(6 * 192).map((_, i) => i % 251),
    labels: [0, 1, 2, 3, 4, 5],
    height: 8,
    width: 8,
    channels: 3,
    classNames: ['a', 'b', 'c', 'd', 'e', 'f'],
  });

  test("'auto' goes through tfjs where the model is no chain, and warns; 'fused' refuses it", async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const model = branching();
    expect((await evaluateClassifier(model, pictures)).loss).toBeGreaterThan(0);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^evaluateClassifier: .*'meeting'.*through tfjs/));
    const outcome = evaluateClassifier(model, pictures, { engine: 'fused' });
    await expect(outcome).rejects.toMatchObject({ code: 'engine-failed' });
  });

  test('threads are released at the end, after an abort, and after an error', async () => {
    const workers = countWorkers();
    const evaluate = (options = {}) =>
      evaluateClassifier(tinyModel(), dataset, { engine: 'fused', threads: 2, batchSize: 4, ...options });
    await evaluate();
    expect(workers).toEqual({ started: 2, ended: 2 });
    const stop = new AbortController();
    await expect(evaluate({ signal: stop.signal, onBatch: () => stop.abort('enough') })).rejects.toBe('enough');
    expect(workers).toEqual({ started: 4, ended: 4 });
    const onBatch = () => {
      throw new Error('from the hook');
    };
    await expect(evaluate({ onBatch })).rejects.toThrow('from the hook');
    expect(workers).toEqual({ started: 6, ended: 6 });
    await evaluate({ engine: 'tfjs' });
    expect(workers.started).toBe(6);
  });
});

describe('evaluatePredictions', () => {
  test('takes features, which are read as they are and cannot be mirrored', async () => {
    const features = Float32Array.from({ length: 30 * 2 }, (_, i) => Math.sin(i));
    const cached = {
      ...{ size: 30, height: 1, width: 1, channels: 2, classNames: ['a', 'b'] },
      read: (indices: ArrayLike<number>) => ({
        images: Float32Array.from(Array.from(indices).flatMap((i) => [features[2 * i]!, features[2 * i + 1]!])),
        labels: Int32Array.from(indices, (i) => i % 2),
      }),
    };
    const predict = async ({ images }: { images: Float32Array }) => images;
    const options = { where: 'test', onFeatures: true, batchSize: 8, outputKind: 'logits' as const };
    const result = await evaluatePredictions(predict, cached, options);
    const rows = Array.from({ length: 30 }, (_, i) => [features[2 * i]!, features[2 * i + 1]!]);
    const wrong = rows.flatMap(([a, b], i) => {
      const [predicted, label] = [Number(b! > a!), i % 2];
      const probability = 1 / (1 + Math.exp(-Math.abs(a! - b!)));
      return predicted === label ? [] : [{ index: i, label, predicted, probability }];
    });
    expectMistakes(
      result.mistakes,
      wrong.sort((a, b) => b.probability - a.probability),
    );
    expect(result.accuracy).toBe(1 - wrong.length / 30);
    const mirrored = evaluatePredictions(predict, cached, { ...options, testTimeAugmentation: 'flip' });
    await expect(mirrored).rejects.toThrow(/'flip': expected pictures of bytes/);
  });

  test('keeps the 25 most confident mistakes, whatever the batch size; equal ones in the order of the dataset', async () => {
    const size = 90;
    const one = inMemoryDataset({
      images: Uint8Array.from({ length: size }, (_, i) => (i * 37) % 45),
      labels: new Array(size).fill(0),
      height: 1,
      width: 1,
      channels: 1,
      classNames: ['a', 'b'],
    });
    const predict = async ({ images }: { images: Uint8Array }) =>
      Float32Array.from([...images].flatMap((byte) => [0.5 - byte / 100, 0.5 + byte / 100]));
    const expected = Array.from(one.images, (byte, index) => ({ index, byte }))
      .sort((a, b) => b.byte - a.byte || a.index - b.index)
      .slice(0, 25)
      .map(({ index, byte }) => ({ index, label: 0, predicted: 1, probability: Math.fround(0.5 + byte / 100) }));
    for (const batchSize of [7, 90]) {
      const { mistakes } = await evaluatePredictions(predict, one, {
        where: 'test',
        batchSize,
        outputKind: 'probabilities',
      });
      expect(mistakes).toEqual(expected);
    }
  });

  test('labels that are no class are refused', async () => {
    const read = () => ({ images: new Uint8Array(72), labels: Int32Array.of(3) });
    const predict = async () => new Float32Array(3);
    const outcome = evaluatePredictions(
      predict,
      { ...dataset, size: 9, read },
      { where: 'test', batchSize: 1, outputKind: 'logits' },
    );
    await expect(outcome).rejects.toThrow(/labels from 0 to 2, received 3/);
  });
});

test('a softmax is found in whatever layer it stands, logits in any other', async () => {
  const { layers, sequential } = tfl;
  const endings: Record<string, tfl.layers.Layer[]> = {
    'a layer': [layers.softmax()],
    'an activation': [layers.activation({ activation: 'softmax' })],
    'behind a change of shape': [layers.softmax(), layers.reshape({ targetShape: [1, 3] }), layers.flatten()],
    'a nested model': [sequential({ layers: [layers.softmax({ inputShape: [3] })] })],
    logits: [],
  };
  const { loss } = await evaluateClassifier(tinyModel(), dataset);
  for (const [name, ending] of Object.entries(endings)) {
    const model = sequential({ layers: [tinyModel({ activation: 'linear' }), ...ending] });
    expect((await evaluateClassifier(model, dataset)).loss, name).toBeCloseTo(loss, 6);
  }
});

describe('edges', () => {
  test('a class without pictures has the accuracy NaN', async () => {
    const { perClass } = await evaluateClassifier(tinyModel(), takeDataset(dataset, 2));
    expect(perClass.map(({ size }) => size)).toEqual([1, 1, 0]);
    expect(perClass[2]!.accuracy).toBeNaN();
  });

  test('an abort rejects with its reason and leaves no tensor', async () => {
    const model = tinyModel();
    const count = tensors();
    const stop = new AbortController();
    const outcome = evaluateClassifier(model, dataset, {
      batchSize: 4,
      signal: stop.signal,
      onBatch: () => stop.abort(),
    });
    await expect(outcome).rejects.toMatchObject({ name: 'AbortError' });
    expect(tensors()).toBe(count);
  });

  test('a layer that throws leaves no tensor', async () => {
    const model = tinyModel();
    const count = tensors();
    model.layers[3]!.call = () => {
      throw new Error('from the layer');
    };
    await expect(evaluateClassifier(model, dataset, { engine: 'tfjs' })).rejects.toThrow('from the layer');
    expect(tensors()).toBe(count);
  });

  test('a model with a sigmoid, for other pictures or other classes is refused', async () => {
    const evaluate = (model: tfl.LayersModel, set = dataset) => evaluateClassifier(model, set);
    await expect(evaluate(tinyModel({ activation: 'sigmoid' }))).rejects.toThrow(/^evaluateClassifier: .*'sigmoid'/);
    await expect(evaluate(tinyModel(), { ...dataset, height: 7 })).rejects.toThrow(/input is \[7,6,2\]/);
    await expect(evaluate(tinyModel(), { ...dataset, classNames: ['a', 'b'] })).rejects.toThrow(/classes: 2/);
  });

  test('bad options are refused', async () => {
    await expect(evaluateClassifier(tinyModel(), dataset, { inputRange: [1, 1] })).rejects.toThrow(
      /^evaluateClassifier: .*inputRange/,
    );
    const bad: [object, RegExp][] = [
      [{ batchSize: 0 }, /batchSize/],
      [{ threads: 0 }, /threads/],
      [{ engine: 'gpu' }, /engine to be/],
      [{ testTimeAugmentation: 'crop' }, /testTimeAugmentation to be 'flip' or 'flipAndShift'/],
      [{ inputRange: [[0, 1]] }, /each of 2 channels/],
    ];
    for (const [options, message] of bad) {
      await expect(evaluateClassifier(tinyModel(), dataset, options)).rejects.toThrow(message);
    }
    await expect(evaluateClassifier(tinyModel(), { ...dataset, size: 0 })).rejects.toThrow(/at least one picture/);
  });
});
