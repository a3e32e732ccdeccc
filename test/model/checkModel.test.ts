import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import {
  createClassifier,
  evaluateClassifier,
  exportSafetensors,
  freeze,
  getModelMetadata,
  inMemoryDataset,
  MobilenetError,
  replaceHead,
  saveModel,
  setModelMetadata,
  trainClassifier,
  unfreeze,
} from '../../src/index';

beforeAll(() => setBackend('cpu'));

const dataset = inMemoryDataset({
  images: new Uint8Array(12),
  labels: [0],
  height: 2,
  width: 2,
  channels: 3,
  classNames: ['a', 'b'],
});

const calls: Record<string, (model: LayersModel) => unknown> = {
  createClassifier,
  evaluateClassifier: (model) => evaluateClassifier(model, dataset),
  exportSafetensors,
  freeze,
  getModelMetadata,
  replaceHead: (model) => replaceHead(model, { classes: 2 }),
  saveModel: (model) => saveModel(model, 'never'),
  setModelMetadata: (model) => setModelMetadata(model, {}),
  trainClassifier: (model) => trainClassifier(model, dataset),
  unfreeze,
};

test.each(Object.entries(calls))('%s refuses a model that was disposed of', async (_, call) => {
  const model = sequential({
    layers: [layers.flatten({ inputShape: [2, 2, 3] }), layers.dense({ units: 2, activation: 'softmax' })],
  });
  model.dispose();
  const error = await Promise.resolve(model)
    .then(call)
    .catch((reason) => reason);
  expect(error).toBeInstanceOf(MobilenetError);
  expect((error as Error).message).toMatch(/a tf\.LayersModel, received one that was disposed of/);
});

test.each(Object.entries(calls))('%s refuses a promise of a model, and says so', async (_, call) => {
  const error = await (async () => call(Promise.resolve() as never))().catch((reason) => reason);
  expect(error).toBeInstanceOf(MobilenetError);
  expect((error as Error).message).toMatch(/a promise, which is to be awaited/);
});
