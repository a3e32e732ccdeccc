import { expect, test } from 'vitest';
import { counted } from '../../src/report/format';

test('one is one, of nouns of any plural', () => {
  const texts = [
    counted(1, 'picture'),
    counted(2, 'picture'),
    counted(1, 'class', 'classes'),
    counted(0, 'class', 'classes'),
  ];
  expect(texts.map((text) => text.replaceAll(/\s/g, ' '))).toEqual(['1 picture', '2 pictures', '1 class', '0 classes']);
});
