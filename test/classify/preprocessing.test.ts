import { expect, test } from 'vitest';
import { checkPreprocessing, type Preprocessing } from '../../src/classify/preprocessing';

test.each<Preprocessing>([
  {},
  { fit: 'crop' },
  { fit: 'stretch', cropFraction: 1, cropAfterResize: true },
  { interpolation: 'bicubic', inputRange: [-1, 1] },
  {
    inputRange: [
      [-1, 1],
      [0, 1],
    ],
  },
])('%o is one', (preprocessing) => {
  expect(() => checkPreprocessing('createClassifier', preprocessing)).not.toThrow();
});

test.each([
  [{ fit: 'cover' }, "preprocessing.fit to be 'crop' or 'stretch', received cover"],
  [{ cropFraction: 0 }, 'above 0 and at most 1, received 0'],
  [{ cropFraction: 1.1 }, 'received 1.1'],
  [{ cropFraction: Number.NaN }, 'received NaN'],
  [{ interpolation: 'nearest' }, "preprocessing.interpolation to be 'bilinear' or 'bicubic', received nearest"],
  [{ inputRange: [1, -1] }, 'low below high'],
])('%o is refused', (preprocessing, words) => {
  expect(() => checkPreprocessing('createClassifier', preprocessing as Preprocessing)).toThrow(words);
});
