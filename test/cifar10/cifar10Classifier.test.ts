import '@tensorflow/tfjs-backend-cpu';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { memory, setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Cifar10Alpha, cifar10Classifier, loadCifar10Model } from '../../src/cifar10';
import { syntheticCifar10 } from '../../src/data/syntheticCifar10';
import { MobilenetError } from '../../src/errors';

const folder = fileURLToPath(new URL('../../models/cifar10', import.meta.url));
const { images } = syntheticCifar10({ train: 1, test: 1, seed: 3 }).test;
const picture = { data: images, width: 32, height: 32 };

const codeOf = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(MobilenetError);
  return (error as MobilenetError).code;
};

beforeAll(() => setBackend('cpu').then(() => {}));

describe('cifar10Classifier', () => {
  test.each([1, 0.25] as const)('alpha %d: engine and tfjs agree to 1e-5', async (alpha) => {
    const [fused, tfjs] = await Promise.all(
      (['fused', 'tfjs'] as const).map(async (engine) => {
        const classifier = await cifar10Classifier({ alpha, url: folder, engine });
        const found = await classifier.classify(picture, { topK: 10 });
        await classifier.dispose();
        return found.sort((a, b) => a.classIndex - b.classIndex);
      }),
    );
    expect(fused!.map(({ className }) => className)).toEqual(tfjs!.map(({ className }) => className));
    fused!.forEach(({ probability }, k) => {
      expect(Math.abs(probability - tfjs![k]!.probability)).toBeLessThan(1e-5);
    });
  });

  test('takes the narrow model by default, and every option of createClassifier', async () => {
    const names = Array.from('abcdefghij');
    const classifier = await cifar10Classifier({ url: folder, precision: 'int8', threads: 1, classNames: names });
    expect(classifier.info).toMatchObject({ engine: 'fused', threads: 1 });
    expect(classifier.classNames).toEqual(names);
    const narrow = await loadCifar10Model({ url: pathToFileURL(folder) });
    expect(narrow.countParams()).toBeLessThan(250_000);
    narrow.dispose();
    await classifier.dispose();
  });

  test('its model goes with it', async () => {
    const before = memory().numTensors;
    const classifier = await cifar10Classifier({ url: folder });
    expect(memory().numTensors).toBeGreaterThan(before);
    await classifier.dispose();
    expect(memory().numTensors).toBe(before);
  });
});

describe('refusals', () => {
  test('another width', async () => {
    const alpha = 0.75 as Cifar10Alpha;
    expect(await codeOf(loadCifar10Model({ alpha }))).toBe('invalid-argument');
    expect(await codeOf(cifar10Classifier({ alpha }))).toBe('invalid-argument');
  });

  test('a folder without the models', async () => {
    expect(await codeOf(loadCifar10Model({ url: `${folder}/missing` }))).toBe('file-system');
  });

  test('a signal that was aborted', async () => {
    const signal = AbortSignal.abort('enough');
    await expect(loadCifar10Model({ url: folder, signal })).rejects.toBe('enough');
    await expect(cifar10Classifier({ url: folder, signal })).rejects.toBe('enough');
  });
});

test('onProgress gets the fraction of what is read', async () => {
  const fractions: number[] = [];
  (await loadCifar10Model({ url: folder, onProgress: (fraction) => fractions.push(fraction) })).dispose();
  expect(fractions).toEqual([1]);
});
