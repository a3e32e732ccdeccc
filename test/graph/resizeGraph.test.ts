import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { readStages } from '../../src/graph/readStages';
import { resizeGraph } from '../../src/graph/resizeGraph';
import type { StageGraph } from '../../src/graph/stage';
import { mobilenetV1 } from '../../src/model/mobilenetV1';

beforeAll(() => setBackend('cpu'));

function graphOf(model: tfl.LayersModel): StageGraph {
  const read = readStages(model);
  if ('unsupported' in read) throw new Error(read.unsupported.reason);
  return read.graph;
}

/** The graph at another size, without the weights' shapes. */
function resized(graph: StageGraph, height: number, width = height) {
  const result = resizeGraph(graph, { height, width });
  return 'graph' in result ? result.graph : `${result.unsupported.layerName} ${result.unsupported.reason}`;
}

type Build = (height: number, width: number) => tfl.LayersModel;

const mobilenet =
  (padding: 'same' | 'keras' | 'torch', stemStride: 1 | 2): Build =>
  (height, width) =>
    mobilenetV1({ classes: 4, inputShape: [height, width, 3], alpha: 0.25, padding, stemStride });

const convolution = (settings: Omit<Parameters<typeof tfl.layers.conv2d>[0], 'filters'>) =>
  tfl.layers.conv2d({ filters: 8, ...settings });

const chain =
  (...layers: (() => tfl.layers.Layer)[]): Build =>
  (height, width) =>
    tfl.sequential({
      layers: [
        convolution({ inputShape: [height, width, 3], kernelSize: 3, padding: 'same', name: 'first' }),
        ...layers.map((layer) => layer()),
        tfl.layers.globalAveragePooling2d({ dataFormat: 'channelsLast', name: 'pool' }),
        tfl.layers.dense({ units: 4, activation: 'softmax', name: 'scores' }),
      ],
    });

const zeros = (top: number, bottom: number, left: number, right: number) => () =>
  tfl.layers.zeroPadding2d({
    name: 'zeros',
    padding: [
      [top, bottom],
      [left, right],
    ],
  });

const cases: [name: string, build: Build, from: [number, number], to: [number, number][]][] = [
  [
    "MobileNetV1, padding 'same'",
    mobilenet('same', 2),
    [32, 32],
    [
      [24, 24],
      [16, 16],
      [23, 9],
      [7, 32],
    ],
  ],
  [
    "MobileNetV1, padding 'same', stem stride 1",
    mobilenet('same', 1),
    [32, 24],
    [
      [24, 24],
      [17, 13],
    ],
  ],
  [
    "MobileNetV1, padding 'torch'",
    mobilenet('torch', 2),
    [32, 32],
    [
      [24, 24],
      [16, 16],
      [23, 9],
    ],
  ],
  ["MobileNetV1, padding 'keras', even sizes", mobilenet('keras', 2), [64, 64], [[32, 32]]],
  [
    'valid windows',
    chain(() => convolution({ kernelSize: [3, 2], strides: 2, name: 'valid' })),
    [13, 14],
    [
      [12, 13],
      [3, 2],
    ],
  ],
  [
    'zeros on all sides, dropout and an activation of its own',
    chain(
      zeros(2, 2, 1, 1),
      () => convolution({ kernelSize: 3, strides: 2, name: 'padded' }),
      () => tfl.layers.dropout({ rate: 0.5, name: 'dropout' }),
      () => tfl.layers.batchNormalization({ name: 'norm' }),
    ),
    [12, 15],
    [
      [11, 11],
      [4, 5],
    ],
  ],
  [
    'zeros on one side',
    chain(zeros(0, 3, 2, 0), () => convolution({ kernelSize: 3, name: 'padded' })),
    [12, 12],
    [
      [11, 9],
      [1, 3],
    ],
  ],
  [
    'a depthwise convolution',
    chain(() =>
      tfl.layers.depthwiseConv2d({ kernelSize: 3, strides: 2, depthMultiplier: 2, padding: 'same', name: 'deep' }),
    ),
    [12, 12],
    [
      [11, 9],
      [1, 2],
    ],
  ],
];

test.each(cases)('%s: the same as of the model that is built at that size', (_, build, [height, width], sizes) => {
  const graph = graphOf(build(height, width));
  expect(resized(graph, height, width)).toEqual(graph);
  for (const [h, w] of sizes) expect(resized(graph, h, w), `${h} x ${w}`).toEqual(graphOf(build(h, w)));
});

test('a window that does not fit any more is named', () => {
  const graph = graphOf(chain(() => convolution({ kernelSize: 5, name: 'large' }))(12, 12));
  expect(resized(graph, 5)).toMatchObject({ input: { height: 5, width: 5 } });
  expect(resized(graph, 4, 12)).toBe('large has a window that does not fit into 4 x 12 pixels');
});

test('a dense layer that sees more than one pixel has a kernel for one size only', () => {
  const model = tfl.sequential({
    layers: [
      convolution({ inputShape: [8, 8, 3], kernelSize: 3, strides: 2, padding: 'same', name: 'first' }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 4, name: 'scores' }),
    ],
  });
  const graph = graphOf(model);
  expect(resized(graph, 7)).toMatchObject({ input: { height: 7 } });
  expect(resized(graph, 6)).toBe('scores has a kernel for 4 x 4 pixels, not for 3 x 3');
});
