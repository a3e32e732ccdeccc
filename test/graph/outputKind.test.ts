import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { outputKindOf } from '../../src/graph/outputKind';
import { chain, graphOf } from './chains';

beforeAll(() => setBackend('cpu'));

const dense = (activation?: 'softmax' | 'relu') => layers.dense({ units: 3, activation });
const ending = (...last: layers.Layer[]) => chain([2, 2, 3], layers.flatten(), ...last);

const known: [title: string, kind: string, build: () => LayersModel][] = [
  ['a dense layer', 'logits', () => ending(dense())],
  ['a softmax', 'probabilities', () => ending(dense('softmax'))],
  ['a softmax layer', 'probabilities', () => ending(dense(), layers.softmax({}))],
  ['a reshaped softmax', 'probabilities', () => ending(dense('softmax'), layers.reshape({ targetShape: [3] }))],
  ['a linear activation', 'logits', () => ending(dense(), layers.activation({ activation: 'linear' }))],
  [
    'a linear activation behind a softmax',
    'probabilities',
    () => ending(dense('softmax'), layers.activation({ activation: 'linear' })),
  ],
  ['a dropout that drops nothing', 'probabilities', () => ending(dense('softmax'), layers.dropout({ rate: 0 }))],
];

test.each(known)('%s: %s, as in the engine', (_title, kind, build) => {
  const model = build();
  expect(outputKindOf('here', model)).toBe(kind);
  expect(graphOf(model).outputKind).toBe(kind);
});

test.each<[title: string, build: () => LayersModel]>([
  ['ReLU', () => ending(dense(), layers.reLU({}))],
  ['LeakyReLU', () => ending(dense(), layers.leakyReLU({}))],
  ['PReLU', () => ending(dense(), layers.prelu({}))],
  ['relu', () => ending(dense('relu'))],
])('%s at the end is refused', (title, build) => {
  expect(() => outputKindOf('here', build())).toThrow(`activation '${title}'`);
});
