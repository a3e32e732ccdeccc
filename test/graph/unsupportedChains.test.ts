import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { input, layers, model, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll } from 'vitest';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { chain } from './chains';
import {
  conv,
  dense,
  flatten,
  head,
  name,
  pad,
  reshape,
  shape,
  testUnsupported,
  type UnsupportedCase,
} from './unsupportedCases';

beforeAll(() => tf.setBackend('cpu'));

const graphs: UnsupportedCase[] = [
  [
    'two_inputs',
    'Model',
    'has 2 inputs and 1 outputs, not one of each',
    () => {
      const inputs = [input({ shape }), input({ shape })];
      return model({ inputs, outputs: layers.add().apply(inputs) as SymbolicTensor, name: 'two_inputs' });
    },
  ],
  [
    'two_outputs',
    'Model',
    'has 1 inputs and 2 outputs, not one of each',
    () => {
      const picture = input({ shape });
      const outputs = [conv(), conv()].map((layer) => layer.apply(picture) as SymbolicTensor);
      return model({ inputs: picture, outputs, name: 'two_outputs' });
    },
  ],
  ['it', 'Sequential', 'has 0 inputs and 0 outputs, not one of each', () => sequential({ name })],
  [
    'it',
    'Add',
    'has 2 inputs',
    () => {
      const picture = input({ shape });
      const branches = [conv(), conv()].map((layer) => layer.apply(picture) as SymbolicTensor);
      return model({ inputs: picture, outputs: layers.add({ name }).apply(branches) as SymbolicTensor });
    },
  ],
  [
    'it',
    'Conv2D',
    'is used more than once',
    () => {
      const shared = conv({ name, padding: 'same' });
      return chain(shape, shared, layers.reLU(), shared, ...head());
    },
  ],
  [
    'it',
    'Model',
    'is used more than once',
    () => {
      const shared = chain(shape, layers.reLU());
      shared.name = name;
      return chain(shape, shared, shared, ...head());
    },
  ],
  [
    'inner',
    'Model',
    'has 1 inputs and 2 outputs, not one of each',
    () => {
      const picture = input({ shape });
      const outputs = [conv(), conv()].map((layer) => layer.apply(picture) as SymbolicTensor);
      const inner = model({ inputs: picture, outputs, name: 'inner' });
      const outer = input({ shape });
      const [first] = inner.apply(outer) as SymbolicTensor[];
      return model({ inputs: outer, outputs: first! });
    },
  ],
  [
    'it',
    'Dense',
    'shares a weight with another layer',
    () => {
      const [first, second] = [dense(), dense({ name })];
      const tied = chain(shape, flatten(), first, second);
      second.trainableWeights = first.trainableWeights;
      return tied;
    },
  ],
];

const inputs: UnsupportedCase[] = [
  ['picture', 'InputLayer', 'takes [N,7], not pictures [N,H,W,C]', () => chain([7], dense())],
  [
    'picture',
    'InputLayer',
    'leaves the size of its pictures open; it must be known in advance',
    () => chain([null, null, 3], conv(), layers.globalAveragePooling2d({})),
  ],
  [
    'it',
    'InputLayer',
    'takes int32 values, not float32',
    () => {
      const picture = input({ shape, dtype: 'int32', name });
      return model({ inputs: picture, outputs: flatten().apply(picture) as SymbolicTensor });
    },
  ],
];

const order: UnsupportedCase[] = [
  [
    'it',
    'Conv2D',
    'has a window that does not fit into [N,4,4,2]',
    () => chain(shape, conv({ name, kernelSize: 5 }), flatten()),
  ],
  [
    'it',
    'ReLU',
    'follows zero padding, where only a convolution can',
    () => chain(shape, pad(), layers.reLU({ name }), conv(), ...head()),
  ],
  [
    'it',
    'Flatten',
    'follows zero padding, where only a convolution can',
    () => chain(shape, pad(), flatten({ name }), dense()),
  ],
  [
    'it',
    'GlobalAveragePooling2D',
    'follows zero padding, where only a convolution can',
    () => chain(shape, pad(), layers.globalAveragePooling2d({ name }), dense()),
  ],
  [
    'it',
    'ZeroPadding2D',
    'pads the last picture, and no convolution follows',
    () => chain(shape, conv(), pad({ name })),
  ],
  [
    'it',
    'Dense',
    'follows a softmax, which must be the end of the model',
    () => chain(shape, flatten(), dense({ activation: 'softmax' }), dense({ name })),
  ],
  [
    'it',
    'ZeroPadding2D',
    'follows a softmax, which must be the end of the model',
    () => chain([1, 1, 2], conv({ kernelSize: 1, activation: 'softmax' }), pad({ name }), conv(), ...head()),
  ],
  [
    'it',
    'DepthwiseConv2D',
    'follows a softmax, which must be the end of the model',
    () => {
      const softmax = layers.activation({ activation: 'softmax' });
      return chain([1, 1, 2], softmax, layers.depthwiseConv2d({ name, kernelSize: 1 }), flatten());
    },
  ],
  [
    'it',
    'Activation',
    'is a softmax of each pixel of [N,4,4,2]; only one over all classes is known',
    () => chain(shape, layers.activation({ name, activation: 'softmax' }), ...head()),
  ],
  [
    'it',
    'Softmax',
    'works along axis 1 of [N,1,1,3]; only the last one is known',
    () => chain([1, 1, 2], conv({ filters: 3, kernelSize: 1 }), layers.softmax({ name }), flatten()),
  ],
  [
    'it',
    'Dense',
    'reads [N,4,4,2], not one flat vector',
    () => chain(shape, dense({ name }), layers.globalAveragePooling2d({})),
  ],
  [
    'it',
    'Conv2D',
    'takes [N,2,2,8] (reshaped from [N,4,4,2]) for a picture',
    () => chain(shape, reshape([2, 2, 8]), conv({ name }), ...head()),
  ],
  [
    'it',
    'Conv2D',
    'takes [N,1,1,32] (reshaped from [N,4,4,2]) for a picture',
    () => chain(shape, reshape([1, 1, 32]), conv({ name, padding: 'same' }), ...head()),
  ],
  [
    'it',
    'DepthwiseConv2D',
    'takes [N,1,1,32] (reshaped from [N,4,4,2]) for a picture',
    () => chain(shape, reshape([1, 1, 32]), layers.depthwiseConv2d({ name, kernelSize: 1 }), ...head()),
  ],
  [
    'it',
    'ZeroPadding2D',
    'takes [N,2,2,8] (reshaped from [N,4,4,2]) for a picture',
    () => chain(shape, reshape([2, 2, 8]), pad({ name }), conv(), ...head()),
  ],
  [
    'it',
    'GlobalAveragePooling2D',
    'takes [N,2,2,8] (reshaped from [N,4,4,2]) for a picture',
    () => chain(shape, reshape([2, 2, 8]), layers.globalAveragePooling2d({ name }), dense()),
  ],
  [
    'it',
    'Conv2D',
    'ends the model in [N,18] (reshaped from [N,3,3,2]), not in [N,classes] of one pixel',
    () => chain(shape, conv({ name }), flatten()),
  ],
  [
    'it',
    'Conv2D',
    'ends the model in [N,1,1,2], not in [N,classes] of one pixel',
    () => chain(shape, conv({ name, kernelSize: 4 })),
  ],
  [
    'conv_pw_13_relu',
    'ReLU',
    'ends the model in [N,1,1,51], not in [N,classes] of one pixel',
    () => mobilenetV1({ alpha: 0.05, inputShape: [32, 32, 3], includeTop: false }),
  ],
  [
    'it',
    'Dense',
    'ends the model in an activation that is not a softmax',
    () => chain(shape, flatten(), dense({ name, activation: 'relu' })),
  ],
  [
    'it',
    'ReLU',
    'ends the model in an activation that is not a softmax',
    () => chain(shape, conv({ kernelSize: 4 }), layers.reLU({ name }), reshape([2])),
  ],
  ['chain', 'Model', 'stands without any layer that computes', () => chain([1, 1, 3], flatten())],
];

testUnsupported([...graphs, ...inputs, ...order]);
