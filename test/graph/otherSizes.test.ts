import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { readStages } from '../../src/graph/readStages';
import type { StageGraph } from '../../src/graph/stage';
import { paddingStyles } from '../../src/model/architecture';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import type { MobilenetV1Options } from '../../src/model/options';
import { chain, graphOf } from './chains';

// Models that are read for pictures of another size than their own.

beforeAll(() => setBackend('cpu'));

type Size = [height: number, width: number];
type Build = (height: number, width: number) => LayersModel;

/** The model's stages at that size, or the layer that is in the way. */
function readAt(model: LayersModel, height: number, width = height): StageGraph | string {
  const read = readStages(model, { size: { height, width } });
  return 'graph' in read ? read.graph : `${read.unsupported.layerName} ${read.unsupported.reason}`;
}

const mobilenet =
  (options: MobilenetV1Options): Build =>
  (height, width) =>
    mobilenetV1({ classes: 4, inputShape: [height, width, 3], alpha: 0.25, ...options });

const conv = (name: string, kernelSize: number | [number, number], more: object = {}) =>
  layers.conv2d({ name, filters: 8, kernelSize, ...more });

/** Layers between a convolution of the picture and the classifier. */
const pooled =
  (...members: (() => layers.Layer)[]): Build =>
  (height, width) =>
    chain(
      [height, width, 3],
      conv('first', 3, { padding: 'same' }),
      ...members.map((member) => member()),
      layers.globalAveragePooling2d({ name: 'pool' }),
      layers.dense({ units: 4, activation: 'softmax', name: 'scores' }),
    );

const zeros = (top: number, bottom: number, left: number, right: number) => () =>
  layers.zeroPadding2d({
    name: 'zeros',
    padding: [
      [top, bottom],
      [left, right],
    ],
  });

const squares: Size[] = [
  [32, 32],
  [24, 24],
  [20, 20],
  [16, 16],
];

const cases: [name: string, build: Build, own: Size, others: Size[]][] = [
  ...paddingStyles.flatMap((padding): (typeof cases)[number][] => [
    [
      `MobileNetV1, padding '${padding}'`,
      mobilenet({ padding, stemStride: 1 }),
      [32, 32],
      [...squares, [23, 29], [64, 40]],
    ],
    [`MobileNetV1, padding '${padding}', from 20`, mobilenet({ padding, stemStride: 1 }), [20, 20], squares],
    [`MobileNetV1, padding '${padding}', stem stride 2`, mobilenet({ padding }), [64, 50], [[49, 61]]],
  ]),
  [
    "MobileNetV1, padding 'same', stem stride 2",
    mobilenet({}),
    [32, 32],
    [
      [23, 9],
      [7, 32],
    ],
  ],
  [
    'valid windows',
    pooled(() => conv('valid', [3, 2], { strides: 2 })),
    [13, 14],
    [
      [12, 13],
      [3, 2],
    ],
  ],
  [
    'zeros on all sides, dropout and a batch norm of its own',
    pooled(
      zeros(2, 2, 1, 1),
      () => conv('padded', 3, { strides: 2 }),
      () => layers.dropout({ rate: 0.5, name: 'dropout' }),
      () => layers.batchNormalization({ name: 'norm' }),
    ),
    [12, 15],
    [
      [11, 11],
      [4, 5],
    ],
  ],
  [
    // At 12 x 12 nothing but the layer itself tells these zeros from others, or from those of 'same'.
    'zeros that a stride leaves unread, or that lie as those of same',
    pooled(
      zeros(0, 2, 0, 1),
      () => conv('padded', 3, { strides: 2 }),
      () => conv('more', 3, { strides: 3 }),
    ),
    [12, 12],
    [
      [11, 11],
      [13, 9],
    ],
  ],
  [
    'zeros on one side',
    pooled(zeros(0, 3, 2, 0), () => conv('padded', 3)),
    [12, 12],
    [
      [11, 9],
      [1, 3],
    ],
  ],
  [
    'a depthwise convolution',
    pooled(() =>
      layers.depthwiseConv2d({ kernelSize: 3, strides: 2, depthMultiplier: 2, padding: 'same', name: 'deep' }),
    ),
    [12, 12],
    [
      [11, 9],
      [1, 2],
    ],
  ],
  [
    'a Reshape that leaves the height open',
    pooled(() => layers.reshape({ targetShape: [null as never, 4, 8], name: 'open' })),
    [6, 4],
    [[9, 4]],
  ],
];

describe('readStages at another size', () => {
  test.each(cases)('%s: stages and weights as of the model that is built at that size', (_, build, own, others) => {
    const model = build(...own);
    expect(readAt(model, ...own)).toEqual(graphOf(model));
    for (const size of others) expect(readAt(model, ...size), `${size}`).toEqual(graphOf(build(...size)));
  });

  test('what is frozen stays frozen', () => {
    const model = mobilenet({})(32, 32);
    for (const layer of model.layers.slice(0, 20)) layer.trainable = false;
    const weightsOf = ({ stages, weights }: StageGraph) => [
      weights,
      stages.map((stage) => ['kernel' in stage ? stage.kernel : undefined, stage.bias, stage.batchNorm]),
    ];
    expect(weightsOf(readAt(model, 16) as StageGraph)).toEqual(weightsOf(graphOf(model)));
  });

  test('a model that leaves its size open is read at any', () => {
    const build = pooled(() => conv('valid', 3));
    expect(readAt(build(null as never, null as never), 9, 7)).toEqual(graphOf(build(9, 7)));
  });

  test.each<[title: string, model: () => LayersModel, fits: Size, other: Size, reason: string]>([
    [
      'a window that does not fit',
      () => pooled(() => conv('large', 5))(12, 12),
      [5, 5],
      [4, 12],
      'large has a window that does not fit into [N,4,12,8]',
    ],
    [
      "a MobileNetV1 whose padding 'keras' leaves no pixel",
      () => mobilenet({ padding: 'keras' })(32, 32),
      [33, 40],
      [24, 24],
      'conv_dw_12 has a window that does not fit into [N,1,1,128]',
    ],
    [
      'a dense layer of all pixels',
      () => chain([8, 8, 3], conv('first', 3, { strides: 2, padding: 'same' }), layers.flatten(), head()),
      [7, 7],
      [6, 6],
      'scores has a kernel for 128 values, not for [N,72] (reshaped from [N,3,3,8])',
    ],
    [
      'a dense layer of all pixels, where one is left',
      () => chain([8, 8, 3], conv('first', 3, { strides: 4, padding: 'same' }), layers.flatten(), head()),
      [5, 5],
      [4, 4],
      'scores has a kernel for 32 values, not for [N,8] (reshaped from [N,1,1,8])',
    ],
    [
      'a Reshape to a fixed size',
      () => pooled(() => layers.reshape({ name: 'fixed', targetShape: [4, 4, 8] }))(4, 4),
      [4, 4],
      [4, 2],
      'fixed cannot make [N,4,4,8] of [N,4,2,8]',
    ],
    [
      'a Reshape that leaves over less than a row',
      () => pooled(() => layers.reshape({ name: 'rows', targetShape: [null as never, 4, 8] }))(4, 4),
      [8, 4],
      [3, 3],
      'rows cannot make [N,?,4,8] of [N,3,3,8]',
    ],
    [
      'a pooling window of a fixed size',
      () =>
        chain(
          [6, 6, 3],
          conv('first', 3),
          layers.averagePooling2d({ name: 'mean', poolSize: [4, 4] }),
          layers.flatten(),
          head(),
        ),
      [6, 6],
      [8, 8],
      'mean pools 4 x 4 pixels of [N,6,6,8]; only a mean over all of them is known',
    ],
    [
      'more than one pixel at the end',
      () => chain([3, 3, 2], conv('first', 3), layers.flatten()),
      [3, 3],
      [4, 3],
      'first ends the model in [N,16] (reshaped from [N,2,1,8]), not in [N,classes] of one pixel',
    ],
  ])('%s is named', (_title, build, fits, other, reason) => {
    const model = build();
    const [height, width] = fits;
    expect(readAt(model, ...fits)).toMatchObject({ input: { height, width } });
    expect(readAt(model, ...other)).toBe(reason);
  });

  test('a batch norm of all pixels, which no stage can be at its own size, is none of a single pixel either', () => {
    const norm = layers.batchNormalization({ name: 'norm' });
    const model = chain([2, 2, 3], layers.flatten(), norm, head());
    expect(readAt(model, 2)).toBe('norm normalises [N,12] (reshaped from [N,2,2,3]) value by value');
    expect(readAt(model, 1)).toBe('norm has averages for 12 values, not for [N,3] (reshaped from [N,1,1,3])');
  });
});

function head() {
  return layers.dense({ units: 4, name: 'scores' });
}
