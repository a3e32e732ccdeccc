import { describe, expect, test } from 'vitest';
import { lossTargets, resolveLossWeights } from '../../src/train/lossTargets';
import { train } from './models';

const batch = (labels: number[], indices: number[]) => ({
  ...{ images: new Uint8Array(labels.length), height: 1, width: 1, channels: 1, classes: 3 },
  ...{ labels: Int32Array.from(labels), indices: Uint32Array.from(indices) },
});

describe('the targets of a batch', () => {
  test('smoothed, the true class has 1 - s + s / K and every other s / K, times the weights', () => {
    const settings = { labelSmoothing: 0.3, classWeights: [1, 2, 4], sampleWeights: [1, 1, 0.5, 1, 3] };
    const targets = lossTargets(batch([2, 0], [2, 4]), settings);
    // Weights 4 * 0.5 and 1 * 3.
    const expected = [0.1 * 2, 0.1 * 2, 0.8 * 2, 0.8 * 3, 0.1 * 3, 0.1 * 3];
    expect([...targets]).toEqual(expected.map((value) => expect.closeTo(value, 6)));
  });

  test('without options they are one-hot', () => {
    const settings = { labelSmoothing: 0, classWeights: undefined, sampleWeights: undefined };
    expect([...lossTargets(batch([1, 2], [7, 8]), settings)]).toEqual([0, 1, 0, 0, 0, 1]);
  });
});

describe('class weights', () => {
  const weightsOf = (classWeights: Parameters<typeof resolveLossWeights>[2]['classWeights'], labels?: Int32Array) =>
    resolveLossWeights('here', train, { classWeights }, labels).classWeights;

  test('go by name, in any order; those that are not named are 1', () => {
    expect(weightsOf({ top: 3, left: 2 })).toEqual([2, 1, 3]);
  });

  test('a class may be called what all objects have', () => {
    const dataset = { ...train, classNames: ['left', 'constructor', 'top'] };
    expect(resolveLossWeights('here', dataset, { classWeights: { left: 2 } }, undefined).classWeights).toEqual([
      2, 1, 1,
    ]);
  });

  test('balanced ones make all classes count the same, and the pictures 1 on average', () => {
    expect(weightsOf('balanced', Int32Array.from([0, 0, 0, 1]))).toEqual([4 / 9, 4 / 3, 1]);
  });
});
