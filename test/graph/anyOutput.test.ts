import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { constraints, type LayersModel, layers, regularizers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { readStages } from '../../src/graph/readStages';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { chain, graphOf, outline, unsupportedOf } from './chains';

beforeAll(() => setBackend('cpu'));

const conv = (activation?: 'relu' | 'relu6') => layers.conv2d({ filters: 4, kernelSize: 3, activation });

/** Models that are no classifiers: why readStages refuses them, and how it reads them with `anyOutput`. */
const models: [title: string, build: () => LayersModel, refusal: string, stages: string[], classes: number][] = [
  ['a map', () => chain([5, 5, 3], conv()), 'ends the model in', ['conv bias'], 4],
  ['a clamped map', () => chain([5, 5, 3], conv('relu6')), 'ends the model in', ['conv bias 0,6'], 4],
  ['a flattened map', () => chain([5, 5, 3], conv(), layers.flatten()), 'ends the model in', ['conv bias'], 4],
  [
    'an embedding that ends in ReLU',
    () => chain([3, 3, 2], layers.flatten(), layers.dense({ units: 7, activation: 'relu' })),
    'ends the model in an activation',
    ['conv bias 0,Infinity'],
    7,
  ],
  [
    'a pooled map that ends in ReLU',
    () => chain([4, 4, 2], conv(), layers.globalAveragePooling2d({}), layers.reLU({})),
    'ends the model in an activation',
    ['conv bias', 'pool 0,Infinity'],
    4,
  ],
  [
    'a MobileNet without its top',
    () => mobilenetV1({ alpha: 0.05, inputShape: [32, 32, 3], includeTop: false }),
    'ends the model in',
    ['conv norm 0,6', ...Array.from({ length: 13 }, () => ['depthwise norm 0,6', 'conv norm 0,6']).flat()],
    51,
  ],
];

describe('readStages with anyOutput', () => {
  test.each(models)('reads %s', (_title, build, refusal, stages, classes) => {
    const model = build();
    expect(unsupportedOf(model).reason).toContain(refusal);
    const read = readStages(model, { anyOutput: true });
    if ('unsupported' in read) throw new Error(read.unsupported.reason);
    expect(outline(read.graph)).toEqual(stages);
    expect(read.graph).toMatchObject({ classes, outputKind: 'logits' });
  });

  test('does not mind what only a training heeds', () => {
    const sets = { kernelRegularizer: regularizers.l2(), biasConstraint: constraints.nonNeg() };
    const model = chain([5, 5, 3], layers.conv2d({ filters: 4, kernelSize: 5, ...sets }), layers.flatten());
    expect(unsupportedOf(model).reason).toContain('sets');
    expect(readStages(model, { anyOutput: true })).toMatchObject({ graph: { classes: 4 } });
  });

  test('reads a classifier as without it', () => {
    const model = mobilenetV1({ alpha: 0.05, inputShape: [32, 32, 3], classes: 3 });
    expect(readStages(model, { anyOutput: true })).toEqual({ graph: graphOf(model) });
  });

  test.each<[title: string, build: () => LayersModel, reason: string]>([
    ['pads the last picture', () => chain([3, 3, 2], conv(), layers.zeroPadding2d({})), 'pads the last picture'],
    ['computes nothing', () => chain([3, 3, 2], layers.flatten()), 'stands without any layer that computes'],
    [
      'has a softmax of each pixel',
      () => chain([5, 5, 3], conv(), layers.softmax({ axis: -1 })),
      'is a softmax of each pixel',
    ],
  ])('still refuses a model that %s', (_title, build, reason) => {
    const read = readStages(build(), { anyOutput: true });
    expect('unsupported' in read && read.unsupported.reason).toContain(reason);
  });
});
