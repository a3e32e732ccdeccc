import { createRequire } from 'node:module';
import { expect, test } from 'vitest';

test('a copy of tfjs-core that was loaded before ours: a clear error in place of failures somewhere inside', async () => {
  // Another build of the same package is another copy: it has classes of its own.
  const first = createRequire(import.meta.url)('@tensorflow/tfjs-core/dist/tf-core.min.js');
  const { mobilenetV1, createClassifier } = await import('../src/index');
  await import('@tensorflow/tfjs-backend-cpu');
  const { engine } = await import('@tensorflow/tfjs-core');
  expect(engine()).toBe(first.engine());

  const expected = { code: 'duplicate-tfjs', message: expect.stringMatching(/one copy.*npm ls.*npm dedupe/) };
  expect(() => mobilenetV1({ classes: 2, inputShape: [32, 32, 3] })).toThrow(expect.objectContaining(expected));
  await expect(createClassifier('anything')).rejects.toMatchObject(expected);
});
