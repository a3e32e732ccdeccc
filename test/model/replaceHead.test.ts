import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MobilenetError } from '../../src/errors';
import { getModelMetadata, setModelMetadata } from '../../src/model/metadata';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import { type ReplaceHeadOptions, replaceHead } from '../../src/model/replaceHead';
import { foldedGraph, randomPixels } from '../engine/inference/cases';
import { createInlineInference } from '../engine/inference/inlineInference';
import { flavours } from '../kernels/engine/arena';

const SEED = 41;
const small: MobilenetV1Options = { inputShape: [32, 32, 3], alpha: 0.05, classes: 4, seed: SEED };

beforeEach(() => tf.setBackend('cpu'));

/** What a model gives for two pictures. */
function predict(model: tfl.LayersModel): number[][] {
  return tf.tidy(() => {
    const shape = model.inputs[0]!.shape.slice(1) as number[];
    return (model.predict(tf.randomUniform([2, ...shape], -1, 1, 'float32', SEED)) as tf.Tensor2D).arraySync();
  });
}

const valuesOf = (layer: tfl.layers.Layer) => layer.getWeights().map((weight) => weight.arraySync());
const names = (model: tfl.LayersModel) => model.layers.map(({ name }) => name);

/** A chain of tfjs layers whose classifier is dense. */
function denseChain(activation: 'softmax' | 'linear' = 'linear'): tfl.LayersModel {
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [6, 6, 2], filters: 5, kernelSize: 3, activation: 'relu' }),
      tfl.layers.flatten(),
      tfl.layers.dropout({ rate: 0.2 }),
      tfl.layers.dense({ units: 4, activation, useBias: true, biasInitializer: 'randomNormal' }),
    ],
  });
}

describe('the new model', () => {
  test("has mobilenetV1's layers and other classes", () => {
    const old = mobilenetV1({ ...small, dropout: 0.3 });
    const model = replaceHead(old, { classes: 7, seed: 1 });
    const fresh = mobilenetV1({ ...small, classes: 7 });
    expect(names(model)).toEqual(names(fresh));
    expect(model.name).toBe(old.name);
    expect(model.outputs[0]!.shape).toEqual([null, 7]);
    expect(model.layers.map((layer) => layer.outputShape)).toEqual(fresh.layers.map((layer) => layer.outputShape));
    expect(model.getLayer('dropout').getConfig()).toMatchObject({ rate: 0.3 });
    expect(model.getLayer('conv_pw_13').weights[0]).toBe(old.getLayer('conv_pw_13').weights[0]);
  });

  test(`its classifier starts Glorot-uniform with zero biases, the same for one seed (seed ${SEED})`, () => {
    const old = mobilenetV1(small);
    const classifier = (seed: number) => replaceHead(old, { classes: 7, seed }).getLayer('conv_preds');
    const [kernel, bias] = classifier(SEED).getWeights();
    const limit = Math.sqrt(6 / (51 + 7));
    expect(tf.max(tf.abs(kernel!)).arraySync()).toBeLessThanOrEqual(limit * (1 + 1e-6));
    expect(tf.mean(tf.abs(kernel!)).arraySync()).toBeGreaterThan(limit * 0.4);
    expect(bias!.arraySync()).toEqual(Array(7).fill(0));
    expect(valuesOf(classifier(SEED))).toEqual(valuesOf(classifier(SEED)));
    expect(valuesOf(classifier(SEED))).not.toEqual(valuesOf(classifier(SEED + 1)));
  });

  test.each<[title: string, options: MobilenetV1Options, head: string[]]>([
    [
      'a feature map',
      { ...small, inputShape: [64, 64, 3], includeTop: false },
      ['global_average_pooling2d_1', 'reshape_1', 'dropout', 'conv_preds', 'act_softmax', 'reshape_2'],
    ],
    [
      'pooled features',
      { ...small, includeTop: false, pooling: 'max' },
      ['global_max_pooling2d_1', 'reshape_1', 'dropout', 'conv_preds', 'act_softmax', 'reshape_2'],
    ],
  ])("behind %s stands mobilenetV1's head", (_title, options, head) => {
    const model = replaceHead(mobilenetV1(options), { classes: 3 });
    expect(names(model).slice(-6)).toEqual(head);
    expect(model.getLayer('dropout').getConfig()).toMatchObject({ rate: 0.5 });
    for (const row of predict(model)) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  });

  test('a dense classifier stays dense, and keeps its settings but for what is asked', () => {
    const old = denseChain('softmax');
    const model = replaceHead(old, { classes: 2, classifierActivation: 'linear', dropout: 0.6 });
    expect(model.layers.map((layer) => layer.getClassName())).toEqual(
      ['InputLayer', 'Conv2D', 'Flatten', 'Dropout', 'Dense'], // biome-ignore format: one line
    );
    expect(model.layers[3]!.getConfig()).toMatchObject({ rate: 0.6 });
    expect(model.layers[4]!.getConfig()).toMatchObject({ units: 2, activation: 'linear' });
    expect(replaceHead(old, { classes: 2 }).layers.at(-1)!.getConfig()).toMatchObject({ activation: 'softmax' });
  });

  test('a dense classifier of one pixel is followed by a change of shape, as before', () => {
    const old = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [4, 4, 3], filters: 5, kernelSize: 4 }),
        tfl.layers.dense({ units: 4 }),
        tfl.layers.flatten(),
      ],
    });
    expect(replaceHead(old, { classes: 2 }).outputs[0]!.shape).toEqual([null, 2]);
  });

  test('nested models are taken apart; one that was frozen as a whole stays frozen', () => {
    const backbone = mobilenetV1({ ...small, includeTop: false, pooling: 'avg' });
    backbone.trainable = false;
    const picture = tfl.input({ shape: [32, 32, 3] });
    const dense = tfl.layers.dense({ units: 4, activation: 'softmax' });
    const old = tfl.model({
      inputs: picture,
      outputs: dense.apply(backbone.apply(picture)) as tfl.SymbolicTensor,
    });
    const model = replaceHead(old, { classes: 5 });
    expect(names(model)).toContain('conv_pw_13');
    expect(model.trainableWeights).toHaveLength(2);
    expect(old.trainableWeights).toHaveLength(2);
    expect(model.outputs[0]!.shape).toEqual([null, 5]);
  });

  test('metadata goes along, the names are the new ones', () => {
    const old = mobilenetV1(small);
    setModelMetadata(old, { inputRange: [-1, 1], classNames: ['a', 'b', 'c', 'd'], mine: 5 } as object);
    setModelMetadata(old, { classNames: undefined, inputShape: undefined } as object);
    const common = { inputRange: [-1, 1], inputShape: [32, 32, 3], mine: 5 };
    expect(getModelMetadata(replaceHead(old, { classNames: ['x', 'y'] }))).toEqual({
      ...common,
      classNames: ['x', 'y'],
    });
    expect(getModelMetadata(replaceHead(old, { classes: 2 }))).toEqual(common);
    expect(getModelMetadata(old).classNames).toEqual(['a', 'b', 'c', 'd']);
  });

  test('is saved and loaded', async () => {
    const model = replaceHead(mobilenetV1(small), { classNames: ['x', 'y', 'z'] });
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
      }),
    );
    const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved!));
    expect(predict(loaded)).toEqual(predict(model));
    expect(getModelMetadata(loaded).classNames).toEqual(['x', 'y', 'z']);
  });
});

describe('keep', () => {
  test.each(['cpu', 'wasm'])(
    'the logits of old classes stay the same bits on %s, at their new places',
    async (backend) => {
      await tf.setBackend(backend);
      const mobilenet = mobilenetV1({ ...small, alpha: 0.25, classifierActivation: 'linear' });
      for (const old of [mobilenet, denseChain()]) {
        setModelMetadata(old, { classNames: ['a', 'b', 'c', 'd'] });
        const before = predict(old);
        const model = replaceHead(old, { classNames: ['d', 'new', 'a', 'b', 'newer', 'c'], keep: true, seed: SEED });
        const after = predict(model);
        expect(after.map(([d, , a, b, , c]) => [a, b, c, d])).toEqual(before);
        // What is new starts fresh: no class has the logits of another.
        for (const row of after) expect(new Set(row).size).toBe(6);
      }
    },
  );

  test.each(flavours)('nor do they change in the engine (%s)', (_, module) => {
    const options = {
      ...small,
      alpha: 0.25,
      classifierActivation: 'linear',
      depthwiseInitializer: 'identity',
    } as const;
    const old = mobilenetV1(options);
    const pixels = randomPixels(old, 2, SEED, 'bytes');
    const run = (model: tfl.LayersModel) => [
      ...createInlineInference(module, { graph: foldedGraph(model), inputRange: [-1, 1] }).run(pixels, 2),
    ];
    const before = run(old);
    const after = run(replaceHead(old, { classes: 9, keep: true, seed: SEED }));
    expect([...after.slice(0, 4), ...after.slice(9, 13)]).toEqual(before);
    expect(new Set(before).size).toBe(8);
  });

  test('by index where a head has no names; fewer classes drop the last', () => {
    const old = denseChain();
    const before = predict(old);
    expect(predict(replaceHead(old, { classes: 6, keep: true })).map((row) => row.slice(0, 4))).toEqual(before);
    expect(predict(replaceHead(old, { classes: 2, keep: true }))).toEqual(before.map((row) => row.slice(0, 2)));
    setModelMetadata(old, { classNames: ['a', 'b', 'c', 'd'] });
    expect(predict(replaceHead(old, { classes: 4, keep: true }))).toEqual(before);
    // Names that are not those of its classes.
    setModelMetadata(old, { classNames: ['d', 'c', 'b'] });
    expect(predict(replaceHead(old, { classNames: ['a', 'b', 'c', 'd'], keep: true }))).toEqual(before);
  });

  test('without it nothing of the old head is left', () => {
    const old = denseChain();
    expect(predict(replaceHead(old, { classes: 4 }))).not.toEqual(predict(old));
  });
});

describe('disposing', () => {
  test.each(['old', 'new'])('of the %s model first leaves the other as it was, and of both leaves nothing', (first) => {
    const before = tf.memory().numTensors;
    for (const make of [() => mobilenetV1(small), denseChain]) {
      const old = make();
      const model = replaceHead(old, { classes: 3, seed: SEED });
      const [gone, stays] = first === 'old' ? [old, model] : [model, old];
      const expected = predict(stays);
      gone.dispose();
      expect(predict(stays)).toEqual(expected);
      stays.dispose();
      expect(tf.memory().numTensors).toBe(before);
    }
  });

  test('of a model whose nested model was taken apart', () => {
    const before = tf.memory().numTensors;
    const picture = tfl.input({ shape: [32, 32, 3] });
    const backbone = mobilenetV1({ ...small, includeTop: false, pooling: 'avg' });
    const dense = tfl.layers.dense({ units: 4 });
    const outputs = dense.apply(backbone.apply(picture)) as tfl.SymbolicTensor;
    const old = tfl.model({ inputs: picture, outputs });
    const model = replaceHead(old, { classes: 3, seed: SEED });
    const expected = predict(model);
    old.dispose();
    expect(predict(model)).toEqual(expected);
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('refuses', () => {
  let headless: tfl.LayersModel;
  let old: tfl.LayersModel;

  beforeAll(() => {
    headless = mobilenetV1({ ...small, includeTop: false });
    old = denseChain();
    setModelMetadata(old, { classNames: ['a', 'b', 'c', 'd'] });
  });

  /** Models inside of a model, whose layers are called alike. */
  const twoParts = () => {
    const part = () =>
      tfl.sequential({
        layers: [tfl.layers.conv2d({ inputShape: [4, 4, 3], filters: 3, kernelSize: 1, name: 'conv' })],
      });
    return tfl.sequential({ layers: [part(), part(), tfl.layers.flatten(), tfl.layers.dense({ units: 2 })] });
  };

  const withEnd = (...layers: tfl.layers.Layer[]) =>
    tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [2, 2, 1] }), ...layers] });

  test.each<[title: string, model: () => tfl.LayersModel, options: ReplaceHeadOptions, message: string]>([
    ['no classes', () => old, {}, 'classes (or the number of classNames) to be an integer of at least 1'],
    ['no class', () => old, { classes: 0 }, 'to be an integer of at least 1, received 0'],
    ['other numbers', () => old, { classes: 3, classNames: ['a'] }, 'as many classNames as classes, 3, received 1'],
    ['one name twice', () => old, { classNames: ['a', 'a'] }, 'classNames to be texts that differ'],
    ['numbers for names', () => old, { classNames: [0, 1] as never }, 'to be texts that differ, received [0,1]'],
    ['a hole', () => old, { classNames: Object.assign(['a'], { length: 2 }) }, 'to be texts that differ'],
    ['names that two models share', () => twoParts(), { classes: 2 }, 'whose names differ, received ["conv"]'],
    ['a rate of 1', () => old, { classes: 2, dropout: 1 }, 'dropout to be at least 0 and below 1'],
    ['another activation', () => old, { classes: 2, classifierActivation: 'relu' as 'linear' }, "'softmax', 'linear'"],
    ['half a seed', () => old, { classes: 2, seed: 0.5 }, 'seed to be an integer of at least 0'],
    ['a yes', () => old, { classes: 2, keep: 'yes' as never }, 'keep to be true or false'],
    ['keeping without a head', () => headless, { classes: 2, keep: true }, 'a model with a head, for keep: true'],
    ['only strangers', () => old, { classNames: ['x'], keep: true }, 'share one with the old ones (a, b, c, d)'],
    [
      'a head with ReLU',
      () => withEnd(tfl.layers.dense({ units: 3, activation: 'relu', name: 'end' })),
      { classes: 2 },
      "layer 'end' (Dense, activation relu) at the end, with the output [,3]",
    ],
    ['no layer', () => withEnd(), { classes: 2 }, 'received no layer at the end'],
    [
      'what is no chain',
      () => {
        const picture = tfl.input({ shape: [3] });
        const sum = tfl.layers.add({ name: 'sum' }).apply([picture, picture]) as tfl.SymbolicTensor;
        return tfl.model({ inputs: picture, outputs: sum });
      },
      { classes: 2 },
      "a model that is a chain of layers, received layer 'sum' with 2 inputs",
    ],
  ])('%s', (_title, model, options, message) => {
    const chain = model();
    const { numTensors } = tf.memory();
    expect(() => replaceHead(chain, options)).toThrow(MobilenetError);
    expect(() => replaceHead(chain, options)).toThrow(message);
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});
