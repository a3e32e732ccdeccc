import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { evaluateClassifier, setModelMetadata, takeDataset, toTensors } from '../../src/index';
import { tensors, tinyDataset, tinyModel } from './models';

const dataset = tinyDataset(23);

/** The definition, one picture at a time in float64. */
function expectedEvaluation(model: tfl.LayersModel, isLogits: boolean, inputRange: [number, number]) {
  const confusionMatrix = Array.from({ length: 3 }, () => [0, 0, 0]);
  let loss = 0;
  for (let i = 0; i < dataset.size; i++) {
    const batch = { ...dataset.read([i]), height: 6, width: 6, channels: 2, classes: 3 };
    const output = tf.tidy(() => {
      const { images } = toTensors(batch, { inputRange });
      return Array.from((model.predict(images) as tf.Tensor).dataSync());
    });
    const total = output.reduce((sum, value) => sum + (isLogits ? Math.exp(value) : value), 0);
    const probabilities = output.map((value) => (isLogits ? Math.exp(value) : value) / total);
    const label = dataset.labels[i]!;
    loss -= Math.log(probabilities[label]!) / dataset.size;
    confusionMatrix[label]![probabilities.indexOf(Math.max(...probabilities))]! += 1;
  }
  return { loss, confusionMatrix };
}

for (const activation of ['softmax', 'linear'] as const) {
  test(`${activation}: loss within 1e-6, accuracies and confusion matrix exact, batch size without effect`, async () => {
    await tf.setBackend('cpu');
    const model = tinyModel({ activation });
    const expected = expectedEvaluation(model, activation === 'linear', [-1, 1]);
    setModelMetadata(model, { inputRange: [-1, 1] });
    const count = tensors();
    for (const batchSize of [4, 128]) {
      const seen: number[] = [];
      const result = await evaluateClassifier(model, dataset, {
        batchSize,
        onBatch: ({ images }) => void seen.push(images),
      });
      expect(seen.at(-1)).toBe(23);
      expect(result.loss).toBeCloseTo(expected.loss, 6);
      expect(result.confusionMatrix).toEqual(expected.confusionMatrix);
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
}

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
    await expect(evaluateClassifier(model, dataset)).rejects.toThrow('from the layer');
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
    await expect(evaluateClassifier(tinyModel(), dataset, { batchSize: 0 })).rejects.toThrow(/batchSize/);
    await expect(evaluateClassifier(tinyModel(), { ...dataset, size: 0 })).rejects.toThrow(/at least one picture/);
  });
});
