// Options that there are not, or of the wrong type: told by every function that takes some, in JavaScript too.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { cifar10Classifier, loadCifar10Model } from '../src/cifar10';
import * as api from '../src/index';
import { tinyModel, train } from './train/models';

beforeAll(() => tf.setBackend('cpu'));

const untyped = api as unknown as Record<string, (...given: unknown[]) => unknown>;

/** What comes before the options of each function. */
const before: Record<string, () => unknown[]> = {
  augmentBatch: () => [batch(), {}],
  batches: () => [train],
  configureEngine: () => [],
  convBlock: () => [tfl.input({ shape: [8, 8, 3] })],
  createClassifier: () => [tinyModel()],
  createProgress: () => [],
  createReportWriter: () => [],
  createStepSampler: () => [],
  depthwiseConvBlock: () => [tfl.input({ shape: [8, 8, 3] })],
  describeMobilenetV1: () => [],
  evaluateClassifier: () => [tinyModel(), train],
  exportKeras: () => [tinyModel()],
  exportOnnx: () => [tinyModel()],
  exportSafetensors: () => [tinyModel()],
  exportTflite: () => [tinyModel()],
  foldDataset: () => [train],
  freeze: () => [tinyModel()],
  imageStatistics: () => [train],
  loadCifar10: () => [],
  loadImageFolder: () => ['.'],
  loadModel: () => ['nowhere'],
  loadPretrained: () => [],
  loadWeights: () => [tinyModel(), new Uint8Array(8)],
  meanStdRange: () => [],
  mixBatch: () => [batch(), new Float32Array(3)],
  mobilenetV1: () => [],
  replaceHead: () => [tinyModel()],
  sampleSchedule: () => [() => 0.1],
  saveModel: () => [tinyModel(), 'nowhere'],
  splitDataset: () => [train],
  syntheticCifar10: () => [],
  toTensors: () => [batch()],
  toTfDataset: () => [train],
  trainClassifier: () => [tinyModel(), train],
  unfreeze: () => [tinyModel()],
};

const batch = () => ({ ...train.read([0]), height: 6, width: 6, channels: 2, classes: 3 });

/** Whether it throws or rejects. */
async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    expect(error).toMatchObject({ name: 'MobilenetError', code: 'invalid-argument' });
    return (error as Error).message;
  }
  return expect.unreachable('not refused');
}

test.each(Object.keys(before))('%s', async (name) => {
  const call = (options: unknown) => untyped[name]!(...before[name]!(), options);
  expect(await messageOf(() => call({ misspelt: 1 }))).toMatch(new RegExp(`^${name}: .*received 'misspelt'`));
  expect(await messageOf(() => call('text'))).toMatch(new RegExp(`^${name}: expected options to be an object`));
});

test('no other function takes options', () => {
  const others = Object.keys(untyped).filter((name) => typeof untyped[name] === 'function' && !(name in before));
  expect(others.sort()).toEqual([
    'MobilenetError',
    'createTrainingControl',
    'getModelMetadata',
    'historyCsv',
    // A dataset may be spread into it.
    'inMemoryDataset',
    'labelsOf',
    'registerWasmTrainingKernels',
    'reportPictures',
    'resizeBatch',
    // Users may add entries of their own.
    'setModelMetadata',
    'subsetDataset',
    'takeDataset',
    'trainingReportHtml',
  ]);
});

test.each(['constant', 'step', 'piecewise', 'cosine', 'polynomial', 'exponential', 'oneCycle', 'plateau'] as const)(
  'schedules.%s',
  async (name) => {
    const schedule = api.schedules[name] as (options: object) => unknown;
    expect(await messageOf(() => schedule({ rate: 0.1, warmUp: 0.1 }))).toMatch(/received .*'warmUp'/);
  },
);

test('the entry for CIFAR-10', async () => {
  const misspelt = { alhpa: 1 } as object;
  expect(await messageOf(() => loadCifar10Model(misspelt))).toMatch(/^loadCifar10Model: .*received 'alhpa'/);
  expect(await messageOf(() => cifar10Classifier(misspelt))).toMatch(/^cifar10Classifier: .*alpha, .*received 'alhpa'/);
});

test("a classifier's methods", async () => {
  const classifier = await api.createClassifier(tinyModel(), { engine: 'tfjs' });
  const picture = tf.zeros([6, 6, 2]) as tf.Tensor3D;
  for (const method of ['classify', 'embed'] as const) {
    expect(await messageOf(() => classifier[method](picture, { top: 1 } as object))).toMatch(/received 'top'/);
  }
  await classifier.dispose();
});

describe('trainClassifier', () => {
  const message = (options: object) => messageOf(() => api.trainClassifier(tinyModel(), train, options));

  test('names those that there are', async () => {
    expect(await message({ epoch: 5 })).toMatch(/options to be an object with only .*, epochs, .*received 'epoch'/);
  });

  test.each([
    [{ maxMinutes: '5' }, /maxMinutes to be a number, received '5'/],
    [{ validationSplit: '0.1' }, /validationSplit to be a number, received '0.1'/],
    [{ epochs: '2' }, /epochs to be an integer of at least 1, received '2'/],
    [{ reportDir: true }, /reportDir to be a string, received true/],
    [{ resume: true }, /resume to be a string, received true/],
    [{ signal: new AbortController() }, /signal to be an AbortSignal, received an object of class AbortController/],
    [{ onEpoch: 'log' }, /onEpoch to be a function, received 'log'/],
    [{ weightDecayOn: 'kernel' }, /weightDecayOn to be a list, received 'kernel'/],
    [{ pictureScales: {} }, /pictureScales to be a list, received {}/],
    [{ pictureScales: [{ untill: 0.5, scale: 0.5 }] }, /each of pictureScales to be an object with only until, scale/],
    [{ earlyStopping: true }, /earlyStopping to be an object, received true/],
    [
      { earlyStopping: { patients: 3 } },
      /earlyStopping to be an object with only patience, minDelta, received 'patients'/,
    ],
    [{ checkpoint: 'folder' }, /checkpoint to be an object, received 'folder'/],
    [{ checkpoint: { folder: 'x' } }, /checkpoint to be an object with only dir, everySteps, keep, received 'folder'/],
    [{ augment: true }, /augment to be an object, received true/],
    [{ validation: Promise.resolve() }, /validation to be an object, received a promise, which is to be awaited/],
  ])('%j', async (options, expected) => {
    expect(await message(options)).toMatch(expected);
  });

  test('what is undefined counts as left out', async () => {
    await api.trainClassifier(tinyModel(), train, { misspelt: undefined, maxMinutes: undefined } as object);
  });
});

describe('promises, and addresses that are URLs, in place of models and datasets', () => {
  const promise = Promise.resolve();
  test.each([
    ['saveModel', [promise, 'nowhere']],
    ['freeze', [promise]],
    ['unfreeze', [promise]],
    ['replaceHead', [promise, { classes: 2 }]],
    ['exportKeras', [promise]],
    ['exportOnnx', [promise]],
    ['exportTflite', [promise]],
    ['exportSafetensors', [promise]],
    ['loadWeights', [promise, new Uint8Array(8)]],
    ['createClassifier', [promise]],
    ['loadModel', [promise]],
    ['evaluateClassifier', [promise, train]],
    ['splitDataset', [promise, { fraction: 0.1 }]],
    ['foldDataset', [promise, { folds: 2, fold: 0 }]],
    ['imageStatistics', [promise]],
    ['batches', [promise]],
    ['toTfDataset', [promise]],
  ])('%s', async (name, given) => {
    const message = await messageOf(() => untyped[name]!(...given));
    expect(message).toMatch(new RegExp(`^${name}: .*received a promise, which is to be awaited`));
  });

  test('both parts of CIFAR-10 in place of one', async () => {
    const both = { train, test: train };
    expect(await messageOf(() => untyped.splitDataset!(both, { fraction: 0.1 }))).toMatch(
      /dataset, received an object of train, test/,
    );
  });

  test.each(['createClassifier', 'loadModel'])('%s: a URL', async (name) => {
    const message = await messageOf(() => untyped[name]!(new URL('http://localhost/model.json')));
    expect(message).toMatch(/a URL as a string.*received an object of class URL/);
  });
});
