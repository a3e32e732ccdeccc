import { expect, test } from 'vitest';
import { goldenFile, readFile } from './kerasFiles';
import { fuzz } from './mutate';

const FILES = [
  'keras2.h5',
  'keras2_published.h5',
  'keras2.keras',
  'keras2.weights.h5',
  'keras2_transfer.h5',
  'keras3.h5',
  'keras3.keras',
  'keras3.weights.h5',
  'keras3_transfer.h5',
  'keras3_transfer.keras',
];

test.each(FILES)('200 damaged copies of %s: a typed error or a result', async (name) => {
  const refused = await fuzz(goldenFile(name), (bytes) => readFile(name, bytes), { count: 200, seed: 1 });
  expect(refused).toBeGreaterThan(40);
});
