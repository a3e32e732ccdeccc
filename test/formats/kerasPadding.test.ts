import { expect, test } from 'vitest';
import { configPadding } from '../../src/formats/keras/configPadding';
import type { ConfigLayer } from '../../src/formats/keras/modelConfig';

const layer = (className: string, config: ConfigLayer['config']): ConfigLayer => ({ name: 'x', className, config });

const pictures = (height: number | null, width = height) =>
  layer('InputLayer', { batch_shape: [null, height, width, 3] });

const window = (className: string, strides: number, padding = 'same', size = 3) =>
  layer(className, { kernel_size: [size, size], strides: [strides, strides], padding });

const conv = (strides: number, padding?: string, size?: number) => window('Conv2D', strides, padding, size);

const depthwise = (strides: number, padding?: string) => window('DepthwiseConv2D', strides, padding);

const zeros = (before: number, after: number) =>
  layer('ZeroPadding2D', {
    padding: [
      [before, after],
      [before, after],
    ],
  });

const relu = layer('ReLU', {});

const pooling = layer('AveragePooling2D', {});

test.each<[string, readonly ConfigLayer[], string | undefined]>([
  [
    'a head of one pixel that is valid, behind maps of unknown size',
    [pictures(33), conv(2), depthwise(2), pooling, conv(1, 'valid', 1)],
    'same',
  ],
  ['nothing but single pixels', [pictures(33), conv(1, 'valid', 1)], undefined],
  ['all same', [pictures(33), conv(2), relu, depthwise(1), depthwise(2)], 'same'],
  ["Keras's", [pictures(33), conv(2), relu, depthwise(1), zeros(0, 1), depthwise(2, 'valid')], 'keras'],
  ["PyTorch's", [pictures(33), zeros(1, 1), conv(2, 'valid'), relu, zeros(1, 1), depthwise(2, 'valid')], 'torch'],
  ["PyTorch's, where strides of 1 are same", [pictures(32), zeros(1, 1), conv(2, 'valid'), depthwise(1)], 'torch'],
  ['zeros in two layers', [pictures(33), zeros(0, 1), zeros(1, 0), conv(2, 'valid')], 'torch'],
  [
    "Keras's first, which pads the stem, on even pictures",
    [pictures(32), zeros(0, 1), conv(2, 'valid'), zeros(0, 1), depthwise(2, 'valid')],
    'keras',
  ],
  [
    'the same on odd ones',
    [pictures(33), zeros(0, 1), conv(2, 'valid'), zeros(0, 1), depthwise(2, 'valid')],
    undefined,
  ],
  ['the same where one side is odd', [pictures(32, 33), zeros(0, 1), conv(2, 'valid'), depthwise(2)], undefined],
  ['the same on pictures of any size', [pictures(null), zeros(0, 1), conv(2, 'valid'), depthwise(2)], undefined],
  ['the same behind a layer of unknown output', [pictures(32), pooling, zeros(0, 1), conv(2, 'valid')], undefined],
  [
    'a pointwise convolution that is valid',
    [pictures(32), conv(2), zeros(0, 1), depthwise(2, 'valid'), conv(1, 'valid', 1)],
    'keras',
  ],
  ['none', [pictures(32), conv(2, 'valid'), depthwise(1)], undefined],
  ['zeros that are not understood', [layer('ZeroPadding2D', { padding: [1, 1] }), conv(2)], undefined],
  [
    'a window that is not understood',
    [layer('Conv2D', { kernel_size: '3', strides: [1, 1], padding: 'same' })],
    undefined,
  ],
  ['a mode that is not', [conv(2, 'causal')], undefined],
])('%s', (_, layers, expected) => {
  expect(configPadding(layers)).toBe(expected);
});
