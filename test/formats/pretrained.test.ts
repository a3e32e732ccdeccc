import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createClassifier } from '../../src/classify/createClassifier';
import { softmax } from '../../src/engine/softmax';
import type { LoadPretrainedOptions } from '../../src/formats/loadPretrained';
import { imagenetClasses } from '../../src/formats/pretrained/imagenetClasses';
import { getModelMetadata } from '../../src/model/metadata';
import type { LoadProgress } from '../../src/platform/cachedDownload';
import {
  KERAS,
  KERAS_FILE,
  LARGE_TIMM,
  PretrainedHarness,
  TFJS,
  TFJS_FOLDER,
  TIMM,
  weightsOf,
} from './pretrainedHarness';

const NO_TOP = '/tensorflow/keras-applications/mobilenet/mobilenet_2_5_128_tf_no_top.h5';

const harness = new PretrainedHarness();

describe('each source gives its weights bit by bit, and says how its pictures are prepared', () => {
  test.each([
    [KERAS, { cropFraction: 0.875, cropAfterResize: false, interpolation: 'bilinear' }],
    [TIMM, { cropFraction: 33 / 37, cropAfterResize: true, interpolation: 'bicubic' }],
    [LARGE_TIMM, { cropFraction: 32 / 35, cropAfterResize: true, interpolation: 'bicubic' }],
    [TFJS, { cropFraction: 0.875, cropAfterResize: false, interpolation: 'bilinear' }],
  ] as const)('%o', async (network, preprocessing) => {
    const weights = await harness.publish(network);
    const model = await harness.load(network);
    expect(weightsOf(model)).toEqual(weights);
    expect(model.outputs[0]!.shape).toEqual([null, 1000]);
    const { resolution } = network;
    expect(getModelMetadata(model)).toEqual({
      inputShape: [resolution, resolution, 3],
      inputRange: [-1, 1],
      classNames: imagenetClasses,
      ...preprocessing,
    });
  });
});

describe('another head', () => {
  test('classes: 5 has a fresh one, the same for the same seed, above the weights without a top', async () => {
    const weights = await harness.publish(KERAS, false);
    const [first, again, other] = await Promise.all(
      [1, 1, 2].map((seed) => harness.load({ ...KERAS, classes: 5, seed, classifierActivation: 'linear' })),
    );
    expect(first!.outputs[0]!.shape).toEqual([null, 5]);
    expect(weightsOf(first!).slice(0, weights.length)).toEqual(weights);
    expect(weightsOf(again!)).toEqual(weightsOf(first!));
    expect(weightsOf(other!)).not.toEqual(weightsOf(first!));
    expect(getModelMetadata(first!)).not.toHaveProperty('classNames');
    expect(getModelMetadata(first!).inputRange).toEqual([-1, 1]);
    expect(new Set(harness.server.requests)).toEqual(new Set([NO_TOP]));
  });

  test.each([
    [undefined, [null, 4, 4, 256]],
    ['avg', [null, 256]],
  ] as const)('includeTop: false gives features, pooled (%s)', async (pooling, shape) => {
    const weights = await harness.publish(KERAS, false);
    const model = await harness.load({ ...KERAS, includeTop: false, ...(pooling && { pooling }) });
    expect(model.outputs[0]!.shape).toEqual(shape);
    expect(weightsOf(model)).toEqual(weights);
  });

  test('a source with one file for both leaves its head out', async () => {
    const weights = await harness.publish(TFJS);
    expect(weightsOf(await harness.load({ ...TFJS, includeTop: false }))).toEqual(weights.slice(0, -2));
    const few = await harness.load({ ...TFJS, classes: 3 });
    expect(weightsOf(few).slice(0, -2)).toEqual(weights.slice(0, -2));
    expect(harness.server.requests.filter((path) => path.endsWith('model.json'))).toHaveLength(1);
  });
});

describe('a path', () => {
  test('of one file, and of a folder with a model.json; nothing is cached', async () => {
    const folder = join(harness.cacheDir, '..');
    const weights = await harness.publish(KERAS);
    await writeFile(join(folder, 'weights'), harness.server.files.get(KERAS_FILE)!);
    const seen: LoadProgress[] = [];
    const url = join(folder, 'weights');
    const { length } = harness.server.files.get(KERAS_FILE)!;
    expect(weightsOf(await harness.load({ ...KERAS, url, onProgress: (step) => seen.push(step) }))).toEqual(weights);
    expect(seen).toEqual([{ phase: 'read', loaded: length, total: length }]);
    await expect(harness.load({ ...KERAS, url, verify: 'b'.repeat(64) })).rejects.toThrow('expected SHA-256 bbbb');

    const tfjsWeights = await harness.publish(TFJS);
    for (const [path, file] of harness.server.files) {
      if (path.startsWith(TFJS_FOLDER)) await writeFile(join(folder, path.slice(TFJS_FOLDER.length)), file);
    }
    expect(weightsOf(await harness.load({ ...TFJS, url: folder }))).toEqual(tfjsWeights);
    expect(harness.server.requests).toEqual([]);
    expect(await harness.cached()).toEqual([]);
  });
});

test.each<[string, Partial<LoadPretrainedOptions>, RegExp]>([
  [
    'another source',
    { source: 'torch' as never },
    /expected one of keras, .*; timm, .*; tfjs, .*, received source torch/,
  ],
  ['a size that does not exist', { resolution: 96 }, /received keras, alpha 0\.25 at 96/],
  ['no classes', { classes: 0 }, /classes to be an integer of at least 1/],
  ['a digest that is none', { verify: 'abc' }, /verify to be true, false or a SHA-256/],
  ['an address that is none', { url: 3 as never }, /url to be an address or a path/],
  ['an address in the page', { url: 'data:,weights' }, /url to be an http\(s\):\/\/ address or a path/],
  ['pooling with the top', { pooling: 'avg' }, /pooling only together with includeTop: false/],
])('%s is refused before anything is asked for', async (_, options, message) => {
  const loading = harness.load({ ...KERAS, ...options });
  await expect(loading).rejects.toMatchObject({ code: 'invalid-argument', message: expect.stringMatching(message) });
  expect(harness.server.requests).toEqual([]);
});

// Weights by Google, photos and reference logits: none of it is part of the project.
const imagenet = fileURLToPath(new URL('../../../shared/imagenet/', import.meta.url));
const missing = !existsSync(imagenet);
const reason = missing ? ' (skipped: ../shared/imagenet is missing)' : '';

describe.skipIf(missing)(`the real weights of tfjs, alpha 0.25, in 55 shards${reason}`, () => {
  test('give the probabilities of the reference within 1e-4, and its five best, of eight photos', async () => {
    const folder = `${imagenet}mobilenet_v1_0.25_224`;
    for (const name of await readdir(folder)) {
      harness.server.files.set(`${TFJS_FOLDER}${name}`, await readFile(join(folder, name)));
    }
    const golden: Record<string, { top5: { class: number }[]; logits: number[] }> = JSON.parse(
      await readFile(`${imagenet}golden_0.25_224.json`, 'utf8'),
    );
    const model = await harness.load(TFJS);
    expect(harness.server.requests).toHaveLength(56);
    // The photos are of the model's size already.
    const classifier = await createClassifier(model, { preprocessing: { cropFraction: 1 } });
    for (const [name, { top5, logits }] of Object.entries(golden)) {
      const found = await classifier.classify(`${imagenet}photos/${name}.224.png`, { topK: 1000 });
      const expected = softmax(Float32Array.from(logits), 1000);
      for (const { classIndex, className, probability } of found) {
        expect(Math.abs(probability - expected[classIndex]!)).toBeLessThan(1e-4);
        expect(className).toBe(imagenetClasses[classIndex]);
      }
      expect(found.slice(0, 5).map(({ classIndex }) => classIndex)).toEqual(top5.map((entry) => entry.class));
    }
    await classifier.dispose();
  });

  test('tell a cat from elephants in photos of any size', async () => {
    const model = await harness.load({ ...TFJS, url: `${imagenet}mobilenet_v1_0.25_224` });
    const classifier = await createClassifier(model);
    for (const [photo, className] of [
      ['cat.jpg', /cat/],
      ['elephants.jpg', /elephant|tusker/],
    ] as const) {
      const [best] = await classifier.classify(`${imagenet}photos/${photo}`);
      expect(best!.className).toMatch(className);
    }
    await classifier.dispose();
  });
});
