import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeMobilenetV1 } from '../../src/model/describeMobilenetV1';
import { freeze, unfreeze } from '../../src/model/freeze';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';

beforeAll(() => setBackend('cpu'));

const small: MobilenetV1Options = { inputShape: [32, 32, 3], alpha: 0.05, classes: 4 };

/** Layers with weights that training may change. */
const trained = (model: tfl.LayersModel): string[] => {
  const layers = model.layers.flatMap((layer) => ('layers' in layer ? (layer.layers as tfl.layers.Layer[]) : [layer]));
  const weights = new Set(model.trainableWeights);
  return layers.filter((layer) => layer.weights.some((weight) => weights.has(weight))).map(({ name }) => name);
};

/** What is counted without looking at the model. */
const parameters = (options: MobilenetV1Options, ...names: string[]) =>
  describeMobilenetV1(options)
    .layers.filter(({ name }) => names.includes(name))
    .reduce((total, layer) => total + (layer.kind === 'BatchNormalization' ? 0.5 : 1) * layer.parameters, 0);

/** A dense layer behind a whole model. */
function nested() {
  const backbone = mobilenetV1({ ...small, includeTop: false, pooling: 'avg', name: 'backbone' });
  const picture = tfl.input({ shape: [32, 32, 3] });
  const dense = tfl.layers.dense({ units: 4, name: 'classifier' });
  const outputs = dense.apply(backbone.apply(picture)) as tfl.SymbolicTensor;
  return { backbone, model: tfl.model({ inputs: picture, outputs }) };
}

const lastBlock = ['conv_dw_13', 'conv_dw_13_bn', 'conv_pw_13', 'conv_pw_13_bn'];

describe('freeze', () => {
  test('leaves the head by default', () => {
    const model = mobilenetV1(small);
    expect(freeze(model)).toBe(parameters(small, 'conv_preds'));
    expect(trained(model)).toEqual(['conv_preds']);
  });

  test('freezes a model without a head as a whole', () => {
    const model = mobilenetV1({ ...small, includeTop: false });
    expect(freeze(model)).toBe(0);
  });

  test('until a layer, which is frozen too', () => {
    const model = mobilenetV1(small);
    const left = freeze(model, { until: 'conv_pw_12_relu' });
    expect(trained(model)).toEqual([...lastBlock, 'conv_preds']);
    expect(left).toBe(parameters(small, ...lastBlock, 'conv_preds'));
    freeze(model, { until: 'conv_dw_13' });
    expect(trained(model)).toEqual([...lastBlock.slice(1), 'conv_preds']);
  });

  test('from a layer', () => {
    const model = mobilenetV1(small);
    const all = trained(model);
    freeze(model, { from: 'conv_dw_2', until: 'conv_dw_13' });
    expect(trained(model)).toEqual([...all.slice(0, all.indexOf('conv_dw_2')), ...lastBlock.slice(1), 'conv_preds']);
  });

  test('batchNorm: true takes every batch norm, false none', () => {
    const model = mobilenetV1(small);
    freeze(model, { until: 'conv_pw_12', batchNorm: true });
    expect(trained(model)).toEqual(['conv_dw_13', 'conv_pw_13', 'conv_preds']);
    const free = mobilenetV1(small);
    freeze(free, { batchNorm: false });
    expect(trained(free)).toEqual(trained(mobilenetV1(small)).filter((name) => /_bn$|preds/.test(name)));
  });

  test('reaches into nested models, and takes them as a whole by their name', () => {
    const { model } = nested();
    freeze(model, { until: 'conv_pw_12_bn' });
    expect(trained(model)).toEqual([...lastBlock, 'classifier']);
    const other = nested().model;
    expect(freeze(other, { until: 'backbone' })).toBe(51 * 4 + 4);
    expect(trained(other)).toEqual(['classifier']);
  });
});

describe('unfreeze', () => {
  test('all, or from a layer on', () => {
    const model = mobilenetV1(small);
    const before = trained(model);
    freeze(model, { until: 'reshape_2' });
    expect(unfreeze(model, { from: 'conv_dw_13' })).toBe(parameters(small, ...lastBlock, 'conv_preds'));
    expect(trained(model)).toEqual([...lastBlock, 'conv_preds']);
    expect(unfreeze(model)).toBe(describeMobilenetV1(small).trainableParameters);
    expect(trained(model)).toEqual(before);
  });

  test('a part of what was frozen as a whole', () => {
    const { model, backbone } = nested();
    backbone.trainable = false;
    unfreeze(model, { from: 'conv_dw_13' });
    expect(trained(model)).toEqual([...lastBlock, 'classifier']);
    model.trainable = false;
    unfreeze(model, { from: 'classifier' });
    expect(trained(model)).toEqual(['classifier']);
    unfreeze(model);
    expect(trained(model)).toEqual(trained(nested().model));
  });
});

test('a model that is written and read again is frozen as it was', async () => {
  const model = mobilenetV1(small);
  const left = freeze(model, { until: 'conv_pw_12_relu' });
  const copy = await tfl.models.modelFromJSON(model.toJSON(undefined, false) as never);
  expect(trained(copy)).toEqual(trained(model));
  expect(freeze(copy, { until: 'conv1' })).toBe(left);
});

test('unknown names are answered with the nearest, also of nested models', () => {
  expect(() => freeze(mobilenetV1(small), { until: 'conv_prds' })).toThrow(
    "freeze: expected the name of a layer of the model, received 'conv_prds'. The nearest are 'conv_preds',",
  );
  expect(() => unfreeze(nested().model, { from: 'backbones' })).toThrow("The nearest are 'backbone',");
});

test('from behind until is refused', () => {
  const model = mobilenetV1(small);
  expect(() => freeze(model, { from: 'conv_dw_5', until: 'conv_dw_4' })).toThrow("behind until, 'conv_dw_4'");
  expect(() => freeze(model, { from: 'conv_preds' })).toThrow('from not to stand behind the features');
});
