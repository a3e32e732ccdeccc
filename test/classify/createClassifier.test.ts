import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Classifier } from '../../src/classify/classifier';
import type { CreateClassifierOptions } from '../../src/classify/classifierOptions';
import { createClassifier } from '../../src/classify/createClassifier';
import { inMemoryDataset } from '../../src/data/imageDataset';
import { resizePicture } from '../../src/data/resizePicture';
import { configureEngine } from '../../src/engine/configureEngine';
import { meanStdRange } from '../../src/inputRange';
import { saveModel } from '../../src/io/saveModel';
import { getModelMetadata, setModelMetadata } from '../../src/model/metadata';
import { chain } from '../graph/chains';
import { weightsOf } from '../train/models';
import { branching, CLASSES, picture, predict, tensors, tinyNet } from './models';

const pictures = Array.from({ length: 70 }, (_, i) => picture(i));
const made: Classifier[] = [];

/** A classifier that is disposed of after the test. */
async function classifierOf(...args: Parameters<typeof createClassifier>): Promise<Classifier> {
  const classifier = await createClassifier(...args);
  made.push(classifier);
  return classifier;
}

beforeAll(async () => {
  // The backend makes its own tensors at its first use.
  await tf.setBackend('cpu');
  predict(tinyNet(), pictures.slice(0, 1));
});

beforeEach(async () => {
  await tf.setBackend('cpu');
});

afterEach(async () => {
  await Promise.all(made.splice(0).map((classifier) => classifier.dispose()));
  configureEngine({});
  vi.restoreAllMocks();
});

/** The probabilities of all classes, by class index. */
async function scores(classifier: Classifier, images = pictures.slice(0, 8)): Promise<number[][]> {
  const results = await classifier.classifyBatch(images, { topK: CLASSES.length });
  return results.map((result) =>
    [...result].sort((a, b) => a.classIndex - b.classIndex).map(({ probability }) => probability),
  );
}

function largestDifference(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  expect(a.map(({ length }) => length)).toEqual(b.map(({ length }) => length));
  return Math.max(...a.flatMap((row, n) => Array.from(row, (value, k) => Math.abs(value - b[n]![k]!))));
}

describe.each(['tfjs', 'fused'] as const)('with the engine %s', (engine) => {
  test('probabilities are those of model.predict within 1e-5, and no tensor stays behind', async () => {
    const model = tinyNet();
    const expected = predict(model, pictures);
    const count = tensors();
    const classifier = await createClassifier(model, { engine });
    expect(classifier.info).toMatchObject({ engine, precision: 'float32', fallbackReason: undefined });
    expect(largestDifference(await scores(classifier, pictures), expected)).toBeLessThan(1e-5);
    for (const i of [0, 1]) {
      const [best, second] = await classifier.classify(pictures[i]!, { topK: 2 });
      expect(best!.probability).toBeCloseTo(Math.max(...expected[i]!), 5);
      expect(best!.probability).toBeGreaterThanOrEqual(second!.probability);
      expect(best!.className).toBe(CLASSES[best!.classIndex]);
    }
    await classifier.dispose();
    expect(tensors()).toBe(count);
    // The model is the user's still.
    expect(predict(model, pictures)).toEqual(expected);
  });

  test('a picture alone, in a list and in a tensor of them gives the same', async () => {
    const classifier = await classifierOf(tinyNet(), { engine });
    const count = tensors();
    const images = pictures.slice(0, 40);
    const alone = await Promise.all(images.map((image) => classifier.classify(image)));
    const generated = (function* () {
      yield* images;
    })();
    expect(await classifier.classifyBatch(generated)).toEqual(alone);
    const batch = tf.tensor4d(Int32Array.from(images.flatMap(({ data }) => [...data])), [40, 8, 8, 3], 'int32');
    expect(await classifier.classifyBatch(batch)).toEqual(alone);
    batch.dispose();
    expect(await classifier.classifyBatch([])).toEqual([]);
    expect(tensors()).toBe(count);
  });

  test('floats are classified as bytes are, within 1e-6', async () => {
    const classifier = await classifierOf(tinyNet(), { engine });
    const floats = pictures.slice(0, 8).map((image) => ({ ...image, data: Float32Array.from(image.data) }));
    const [asBytes, asFloats] = [await scores(classifier), await scores(classifier, floats as never)];
    expect(largestDifference(asBytes, asFloats)).toBeLessThan(1e-6);
    // One of them makes the whole batch floats.
    const mixed = [...pictures.slice(0, 4), ...floats.slice(4)];
    expect(largestDifference(asBytes, await scores(classifier, mixed as never))).toBeLessThan(1e-6);
  });

  test('logits are reported as their softmax', async () => {
    const classifier = await classifierOf(tinyNet({ activation: 'linear' }), { engine });
    expect(largestDifference(await scores(classifier), predict(tinyNet(), pictures.slice(0, 8)))).toBeLessThan(1e-5);
  });

  test('embeds with the global average, and with any layer, within 1e-4', async () => {
    const model = tinyNet();
    const classifier = await classifierOf(model, { engine });
    const count = tensors();
    const until = (name: string) =>
      predict(tfl.model({ inputs: model.inputs, outputs: model.getLayer(name).output as never }), [pictures[3]!]);
    const embedding = await classifier.embed(pictures[3]!);
    expect(embedding).toBeInstanceOf(Float32Array);
    expect(largestDifference([embedding], until('global_average'))).toBeLessThan(1e-4);
    for (const layer of ['conv1', 'conv_dw_1_bn', 'conv_pw_1_relu', 'global_average', 'dropout', 'preds']) {
      const values = await classifier.embed(pictures[3]!, { layer });
      expect(largestDifference([values], until(layer)), layer).toBeLessThan(1e-4);
    }
    expect(tensors()).toBe(count);
  });

  test('an unknown layer is refused with names of the model', async () => {
    const classifier = await classifierOf(tinyNet(), { engine });
    const outcome = classifier.embed(pictures[0]!, { layer: 'conv_pw_13_relu' });
    await expect(outcome).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(outcome).rejects.toThrow(/received conv_pw_13_relu\..*'preds', 'dropout', 'global_average'.*\.\.\./);
  });

  test('a model without a global average needs a layer', async () => {
    const { conv2d, flatten, dense } = tfl.layers;
    const model = chain(
      [8, 8, 3],
      conv2d({ filters: 2, kernelSize: 8, name: 'all' }),
      flatten({}),
      dense({ units: 6 }),
    );
    const classifier = await classifierOf(model, { engine });
    await expect(classifier.embed(pictures[0]!)).rejects.toThrow(/without a GlobalAveragePooling2D.*'all'/);
    expect(await classifier.embed(pictures[0]!, { layer: 'all' })).toHaveLength(2);
  });

  test('weights that are NaN are told', async () => {
    const model = tinyNet();
    const bias = model.getLayer('preds').weights.find((weight) => weight.originalName.endsWith('bias'))!;
    const nan = tf.fill([CLASSES.length], Number.NaN);
    bias.write(nan);
    nan.dispose();
    const classifier = await classifierOf(model, { engine });
    await expect(classifier.classify(pictures[0]!)).rejects.toMatchObject({ code: 'non-finite' });
    await expect(classifier.embed(pictures[0]!, { layer: 'preds' })).rejects.toMatchObject({ code: 'non-finite' });
    expect(await classifier.embed(pictures[0]!)).toBeInstanceOf(Float32Array);
  });

  test('pictures are cropped and resized, and mapped to the range, as asked', async () => {
    const model = tinyNet();
    const large = { data: Uint8Array.from({ length: 16 * 8 * 3 }, (_, i) => (i * 37) % 256), width: 16, height: 8 };
    const middle = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => {
      const [row, rest] = [Math.floor(i / 24), i % 24];
      return large.data[row * 48 + 12 + rest]!;
    });
    const cropped = await classifierOf(model, { engine });
    expect(largestDifference(await scores(cropped, [large]), predict(model, [{ data: middle }]))).toBeLessThan(1e-5);
    const stretched = await classifierOf(model, { engine, preprocessing: { fit: 'stretch', inputRange: [0, 1] } });
    const otherwise = await scores(stretched, [large]);
    expect(largestDifference(otherwise, predict(model, [{ data: middle }]))).toBeGreaterThan(1e-3);
    const same = await scores(stretched);
    expect(largestDifference(same, predict(model, pictures.slice(0, 8), [0, 1]))).toBeLessThan(1e-5);
  });
});

test('both engines agree over the wasm backend, too, within 1e-4', async () => {
  await tf.setBackend('wasm');
  const model = tinyNet();
  const [fused, tfjs] = [await classifierOf(model), await classifierOf(model, { engine: 'tfjs' })];
  expect([fused.info.engine, tfjs.info.engine]).toEqual(['fused', 'tfjs']);
  expect(largestDifference(await scores(fused), await scores(tfjs))).toBeLessThan(1e-4);
});

describe('a model that was saved with a mean and a std for each channel', () => {
  const inputRange = meanStdRange({ mean: [0.1, 0.5, 0.9], std: [0.05, 0.2, 0.3] });
  const images = pictures.slice(0, 8);
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'mobilenet-classify-'));
    const model = tinyNet({ metadata: false });
    setModelMetadata(model, { inputRange });
    await saveModel(model, dir);
  });

  afterAll(() => rm(dir, { recursive: true }));

  test.each([
    ['tfjs', 'float32', 1e-5],
    ['fused', 'float32', 1e-5],
    ['fused', 'int8', 0.005],
  ] as const)('is loaded with them: engine %s, %s within %d of tfjs', async (engine, precision, bound) => {
    const expected = predict(tinyNet(), images, inputRange);
    const classifier = await classifierOf(dir, { engine, precision });
    expect(largestDifference(await scores(classifier), expected)).toBeLessThan(bound);
    const floats = images.map((image) => ({ ...image, data: Float32Array.from(image.data) }));
    expect(largestDifference(await scores(classifier, floats as never), expected)).toBeLessThan(bound);
    // Neither one range for all channels nor the ranges of other channels would do.
    for (const other of [[-1, 1] as const, [...inputRange].reverse()]) {
      expect(largestDifference(predict(tinyNet(), images, other), expected)).toBeGreaterThan(2 * bound);
    }
  });

  test('as int8 with a calibration, within 0.005 of tfjs', async () => {
    const calibration = inMemoryDataset({
      images: Uint8Array.from(images.flatMap(({ data }) => [...data])),
      labels: images.map(() => 0),
      height: 8,
      width: 8,
      channels: 3,
      classNames: ['any'],
    });
    const classifier = await classifierOf(dir, { precision: 'int8', calibration });
    expect(largestDifference(await scores(classifier), predict(tinyNet(), images, inputRange))).toBeLessThan(0.005);
  });

  test('an option overrides them, and is to fit the channels', async () => {
    const classifier = await classifierOf(dir, { engine: 'fused', preprocessing: { inputRange: [-1, 1] } });
    expect(largestDifference(await scores(classifier), predict(tinyNet(), images))).toBeLessThan(1e-5);
    const outcome = createClassifier(dir, { preprocessing: { inputRange: inputRange.slice(1) } });
    await expect(outcome).rejects.toThrow(/^createClassifier: .*each of 3 channels, received 2/);
  });
});

describe('what the classifier takes from the model', () => {
  test('names from the option, else the metadata, else numbers', async () => {
    const named = tinyNet();
    const options = { engine: 'tfjs' } as const;
    expect((await classifierOf(named, options)).classNames).toEqual(CLASSES);
    const classNames = ['a', 'b', 'c', 'd', 'e', 'f'];
    expect((await classifierOf(named, { ...options, classNames })).classNames).toEqual(classNames);
    expect((await classifierOf(tinyNet({ metadata: false }), options)).classNames).toEqual(
      CLASSES.map((_, k) => `class ${k}`),
    );
  });

  test('the range [0, 1] where nothing says otherwise', async () => {
    const model = tinyNet({ metadata: false });
    const classifier = await classifierOf(model, { engine: 'tfjs' });
    expect(largestDifference(await scores(classifier), predict(model, pictures.slice(0, 8), [0, 1]))).toBeLessThan(
      1e-5,
    );
  });

  test('the crop fraction, which an option overrides', async () => {
    const model = tinyNet();
    const whole = await scores(await classifierOf(model, { engine: 'tfjs' }));
    setModelMetadata(model, { cropFraction: 0.5 });
    expect(getModelMetadata(model).cropFraction).toBe(0.5);
    const cropped = await scores(await classifierOf(model, { engine: 'tfjs' }));
    expect(largestDifference(cropped, whole)).toBeGreaterThan(1e-3);
    const overridden = await classifierOf(model, { engine: 'tfjs', preprocessing: { cropFraction: 1 } });
    expect(await scores(overridden)).toEqual(whole);
  });

  test.each([
    ['interpolation', { interpolation: 'bicubic' }, { interpolation: 'bilinear' }],
    ['order of crop and resize', { cropAfterResize: true }, { cropAfterResize: false }],
  ] as const)('the %s, which an option overrides', async (_, metadata, override) => {
    const model = tinyNet();
    setModelMetadata(model, { cropFraction: 0.7 });
    const plain = await scores(await classifierOf(model, { engine: 'tfjs' }));
    setModelMetadata(model, metadata);
    const size = { width: 8, height: 8 };
    const resized = await Promise.all(
      pictures.slice(0, 8).map(async (one) => {
        const { data } = await resizePicture({ ...one, channels: 3 }, size, { cropFraction: 0.7, ...metadata });
        return { ...one, data: data as Uint8Array };
      }),
    );
    const told = await scores(await classifierOf(model, { engine: 'tfjs' }));
    expect(largestDifference(told, predict(model, resized))).toBeLessThan(1e-5);
    expect(largestDifference(told, plain)).toBeGreaterThan(1e-3);
    const overridden = await classifierOf(model, { engine: 'tfjs', preprocessing: override });
    expect(await scores(overridden)).toEqual(plain);
  });

  test('the fit, which an option overrides', async () => {
    const model = tinyNet();
    const wide = pictures.slice(0, 4).map((one) => ({ ...one, width: 16, height: 4 }));
    const cropped = await scores(await classifierOf(model, { engine: 'tfjs' }), wide);
    setModelMetadata(model, { fit: 'stretch' });
    const stretched = await scores(await classifierOf(model, { engine: 'tfjs' }), wide);
    expect(largestDifference(stretched, cropped)).toBeGreaterThan(1e-3);
    const asked = await classifierOf(model, { engine: 'tfjs', preprocessing: { fit: 'crop' } });
    expect(await scores(asked, wide)).toEqual(cropped);
  });

  test('the size from the metadata where the model leaves it open', async () => {
    const model = chain([null, null, 3], tfl.layers.globalAveragePooling2d({}), tfl.layers.dense({ units: 2 }));
    await expect(createClassifier(model, { engine: 'tfjs' })).rejects.toThrow(/\[N,H,W,3\].*setModelMetadata/);
    setModelMetadata(model, { inputShape: [4.5, 6, 3] });
    await expect(createClassifier(model, { engine: 'tfjs' })).rejects.toThrow(/\[N,H,W,3\].*setModelMetadata/);
    setModelMetadata(model, { inputShape: [4, 6, 3] });
    const [tfjs, fused] = await Promise.all(
      (['tfjs', 'fused'] as const).map(async (engine) => {
        const classifier = await classifierOf(model, { engine });
        expect(classifier.info.engine).toBe(engine);
        return (await classifier.classify(pictures[0]!)).map(({ probability }) => probability);
      }),
    );
    expect(fused).toHaveLength(2);
    expect(largestDifference([tfjs!], [fused!])).toBeLessThan(1e-5);
  });
});

describe('options that cannot be are refused', () => {
  const dataset = inMemoryDataset({
    images: pictures[0]!.data,
    labels: [0],
    height: 8,
    width: 8,
    channels: 3,
    classNames: ['a'],
  });
  const cases: [string, CreateClassifierOptions, RegExp][] = [
    ['class names of the wrong number', { classNames: ['a', 'b'] }, /6 classes, received 2 names/],
    ['class names that are numbers', { classNames: [0, 1, 2, 3, 4, 5] as never }, /6 classes, received \[0,1,2/],
    ['another engine', { engine: 'gpu' as never }, /engine to be/],
    ['another precision', { precision: 'int4' as never }, /precision to be/],
    ['int8 through tfjs', { precision: 'int8', engine: 'tfjs' }, /float32/],
    ['a calibration for float32', { calibration: dataset }, /no calibration/],
    ['an empty calibration', { precision: 'int8', calibration: { ...dataset, size: 0 } }, /at least one picture/],
    ['a promise of it', { precision: 'int8', calibration: Promise.resolve(dataset) as never }, /a promise/],
    ['nothing for it', { precision: 'int8', calibration: null as never }, /calibration/],
    ['no threads', { threads: 0 }, /threads/],
    ['a crop of nothing', { preprocessing: { cropFraction: 0 } }, /cropFraction/],
    ['another interpolation', { preprocessing: { interpolation: 'nearest' as never } }, /interpolation/],
    ['an order that is none', { preprocessing: { cropAfterResize: 1 as never } }, /cropAfterResize/],
    ['a range upside down', { preprocessing: { inputRange: [1, 0] } }, /inputRange/],
    ['ranges of too few channels', { preprocessing: { inputRange: [[0, 1]] } }, /each of 3 channels/],
  ];
  test.each(cases)('%s', async (_, options, message) => {
    const count = tensors();
    const outcome = createClassifier(tinyNet(), options);
    const own = tensors() - count;
    await expect(outcome).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(outcome).rejects.toThrow(message);
    expect(tensors()).toBe(count + own);
  });

  test('models that are no classifiers of pictures', async () => {
    const { conv2d, dense, globalAveragePooling2d } = tfl.layers;
    const sigmoid = chain([8, 8, 3], globalAveragePooling2d({}), dense({ units: 2, activation: 'sigmoid' }));
    const flat = chain([12], dense({ units: 2 }));
    const features = chain([8, 8, 3], conv2d({ filters: 2, kernelSize: 1 }));
    for (const model of [sigmoid, flat, features]) {
      await expect(createClassifier(model)).rejects.toMatchObject({ code: 'invalid-argument' });
    }
  });

  test('topK below 1, and lists that are none', async () => {
    const classifier = await classifierOf(tinyNet(), { engine: 'tfjs' });
    for (const topK of [0, 1.5, Number.NaN]) {
      await expect(classifier.classify(pictures[0]!, { topK })).rejects.toThrow(/topK to be an integer/);
    }
    for (const images of ['a.jpg', new Uint8Array(3), undefined, 5, tf.zeros([8, 8, 3])]) {
      await expect(classifier.classifyBatch(images as never)).rejects.toMatchObject({ code: 'invalid-argument' });
    }
  });
});

describe('which engine', () => {
  test("'auto' goes through tfjs where the model is no chain, names the layer, and warns once", async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const model = branching();
    const first = await classifierOf(model);
    await classifierOf(model);
    expect(first.info).toMatchObject({ engine: 'tfjs', threads: undefined, module: undefined, megabytes: undefined });
    expect(first.info.fallbackReason).toMatch(/layer 'meeting' \(Add\), which /);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(await first.classify(pictures[0]!)).toHaveLength(5);
    await expect(createClassifier(model, { engine: 'fused' })).rejects.toMatchObject({ code: 'engine-failed' });
    await expect(createClassifier(model, { precision: 'int8' })).rejects.toThrow(/'meeting'/);
  });

  test('where no worker can start, auto goes through tfjs and fused says why', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    configureEngine({
      createWorker: () => {
        throw new Error('no workers in this test');
      },
    });
    const { info } = await classifierOf(tinyNet());
    expect(info.engine).toBe('tfjs');
    expect(info.fallbackReason).toContain('no workers in this test');
    for (const options of [{ engine: 'fused' }, { precision: 'int8' }] as const) {
      await expect(createClassifier(tinyNet(), options)).rejects.toThrow(/no workers in this test/);
    }
  });
});

describe('what becomes of the model', () => {
  test('further training changes a classifier through tfjs, but not one of the engine', async () => {
    const model = tinyNet();
    const [fused, tfjs] = [
      await classifierOf(model, { engine: 'fused' }),
      await classifierOf(model, { engine: 'tfjs' }),
    ];
    const [before, embedding] = [await scores(fused), await fused.embed(pictures[0]!)];
    const other = tinyNet({ seed: 2 });
    model.setWeights(other.getWeights());
    expect(await scores(fused)).toEqual(before);
    expect(await fused.embed(pictures[0]!)).toEqual(embedding);
    // Set up only now, with the weights of then.
    expect(await fused.embed(pictures[0]!, { layer: 'dropout' })).toEqual(embedding);
    const [after, expected] = [await scores(tfjs), predict(other, pictures.slice(0, 8))];
    expect(largestDifference(after, expected)).toBeLessThan(1e-5);
  });

  test('a model of the user stays as it was', async () => {
    const model = tinyNet();
    const before = [weightsOf(model), getModelMetadata(model), model.layers.map(({ trainable }) => trainable)];
    const classifier = await createClassifier(model, { classNames: ['a', 'b', 'c', 'd', 'e', 'f'] });
    await classifier.embed(pictures[0]!);
    await classifier.dispose();
    expect([weightsOf(model), getModelMetadata(model), model.layers.map(({ trainable }) => trainable)]).toEqual(before);
  });

  test.each(['tfjs', 'fused'] as const)('%s: a model that was loaded goes with the classifier', async (engine) => {
    const model = tinyNet();
    const handler = { load: async () => artifacts };
    let artifacts = {} as tf.io.ModelArtifacts;
    await model.save({
      save: async (saved) => {
        artifacts = saved;
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      },
    });
    const count = tensors();
    const classifier = await createClassifier(handler, { engine });
    expect(largestDifference(await scores(classifier), predict(model, pictures.slice(0, 8)))).toBeLessThan(1e-5);
    await classifier.embed(pictures[0]!);
    await classifier.dispose();
    expect(tensors()).toBe(count);
    await expect(createClassifier(handler, { engine, classNames: [] })).rejects.toThrow(/classNames/);
    expect(tensors()).toBe(count);
  });

  test('an abort of the loading leaves nothing behind', async () => {
    const stop = new AbortController();
    const handler = {
      load: async () => {
        stop.abort('enough');
        return saved;
      },
    };
    let saved = {} as tf.io.ModelArtifacts;
    await tinyNet().save({
      save: async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      },
    });
    const model = tinyNet();
    const count = tensors();
    await expect(createClassifier(handler, { signal: stop.signal })).rejects.toBe('enough');
    await expect(createClassifier(model, { signal: AbortSignal.abort('early') })).rejects.toBe('early');
    expect(tensors()).toBe(count);
  });
});
