import { describe, expect, test } from 'vitest';
import {
  type Activation,
  type ActivationStep,
  clampStep,
  describeActivation,
  followedBy,
  functionStep,
  relu,
  relu6,
  sameActivation,
  softmax,
} from '../../src/formats/activation';
import { layerActivations } from '../../src/formats/layerActivations';

const levels = (low: number, high: number): ActivationStep => ({ kind: 'levels', low, high });
const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;

test.each<[string, ActivationStep[], string]>([
  ['nothing', [], 'no activation'],
  ['ReLU and a limit above', [relu, clampStep(NEGATIVE_INFINITY, 6)], 'ReLU6'],
  ['limits that leave one value', [clampStep(2, 3), clampStep(5, 7)], 'a clamp from 5 to 5'],
  ['limits around a function', [relu, functionStep('tanh'), relu6], 'ReLU and then tanh and then ReLU6'],
  ['levels, which an activation says better', [levels(0, 5), relu], 'ReLU'],
  ['levels behind an activation', [relu6, levels(0, 5)], 'ReLU6'],
  ['levels alone', [levels(0, 5.999966), levels(0, 7)], 'values from 0 to 6'],
  ['no limit but the largest float32', [clampStep(0, 3.4028235e38)], 'ReLU'],
  ['settings', [functionStep('leaky_relu', Math.fround(0.2))], 'leakyrelu(0.2)'],
])('%s', (_, steps, expected) => {
  expect(describeActivation(steps.reduce(followedBy, []))).toBe(expected);
});

test.each<[model: Activation, file: Activation, same: boolean]>([
  [[], [], true],
  [[relu6], [], false],
  [[], [relu6], false],
  [[relu6], [relu], false],
  [[relu], [relu6], false],
  [[clampStep(0, 0.3)], [clampStep(0, 0.299_8)], true],
  [[clampStep(0, 0.3)], [clampStep(0, 0.31)], false],
  [[clampStep(NEGATIVE_INFINITY, 6)], [clampStep(0, POSITIVE_INFINITY)], false],
  [[functionStep('hardSigmoid')], [functionStep('hard_sigmoid')], true],
  [[functionStep('elu')], [functionStep('elu', 0.5)], false],
  [[relu, softmax], [softmax, relu], false],
  [[relu6], [levels(0, 4)], true],
  [[relu6], [levels(0, 6.000_02)], true],
  [[relu6], [levels(0, 10)], false],
  [[relu6], [levels(-1, 6)], false],
  [[relu], [levels(0, 10)], true],
  [[], [levels(-3, 10)], true],
  [[functionStep('tanh')], [levels(-1, 1)], false],
])('a model with %j and a file with %j: %s', (model, file, same) => {
  expect(sameActivation(model, file)).toBe(same);
});

describe('layers of Keras and tfjs', () => {
  const layer = (className: string, config: object = {}) => ({ className, config: config as Record<string, unknown> });
  const dense = layer('Dense', { activation: 'linear' });

  test.each<[string, ReturnType<typeof layer>[], string | undefined]>([
    [
      'nothing but other shapes',
      [layer('Dropout', { rate: 0.5 }), layer('Flatten'), layer('GlobalMaxPooling2D')],
      'no activation',
    ],
    ["ReLU6 of Keras's MobileNet", [layer('ReLU', { max_value: 6, negative_slope: 0, threshold: 0 })], 'ReLU6'],
    ['ReLU6 of tfjs', [layer('ReLU', { maxValue: 6 })], 'ReLU6'],
    ['ReLU6 by its name', [layer('Activation', { activation: 'relu6' })], 'ReLU6'],
    ['ReLU', [layer('ReLU', { max_value: null })], 'ReLU'],
    ['ReLU of tfjs', [layer('ReLU')], 'ReLU'],
    ['ReLU and ReLU6', [layer('ReLU'), layer('Activation', { activation: 'relu6' })], 'ReLU6'],
    ['ReLU with a slope', [layer('ReLU', { max_value: 6, negative_slope: 0.1 })], 'relu(6, 0.1, 0)'],
    ['a ReLU that is no number', [layer('ReLU', { max_value: { value: 6 } })], undefined],
    ['LeakyReLU of Keras 3', [layer('LeakyReLU', { negative_slope: 0.2 })], 'leakyrelu(0.2)'],
    ['LeakyReLU of Keras 2 and tfjs', [layer('LeakyReLU', { alpha: 0.2 })], 'leakyrelu(0.2)'],
    ['ELU', [layer('ELU', { alpha: 1 })], 'elu'],
    ['another ELU', [layer('ELU', { alpha: 2 })], 'elu(2)'],
    [
      'a function as Keras 3 has it',
      [layer('Activation', { activation: { class_name: 'function', config: 'silu' } })],
      'swish',
    ],
    [
      'a layer as a function',
      [layer('Activation', { activation: { class_name: 'ReLU', config: { max_value: 6 } } })],
      'ReLU6',
    ],
    ['an object that is none', [layer('Activation', { activation: { class_name: 7 } })], undefined],
    ['a scale in the middle', [layer('Rescaling', { scale: 2, offset: [0, 1] })], 'rescaling(2, 0,1)'],
    ['a layer that nobody knows', [layer('ReLU'), layer('Lambda')], undefined],
    ['Softmax', [layer('Softmax')], 'softmax'],
  ])('%s', (_, behind, expected) => {
    const activation = layerActivations([layer('Rescaling', { scale: 3 }), dense, ...behind]).get(dense);
    expect(activation && describeActivation(activation)).toBe(expected);
  });

  test("a layer's own activation, and where the next layer begins", () => {
    const chain = [
      layer('Conv2D', { activation: 'relu' }),
      layer('BatchNormalization'),
      layer('ReLU', { maxValue: 6 }),
      layer('DepthwiseConv2D', { activation: 'tanh' }),
      layer('Dense', {}),
    ];
    const texts = [...layerActivations(chain).values()].map(
      (activation) => activation && describeActivation(activation),
    );
    expect(texts).toEqual(['ReLU', 'ReLU6', 'tanh', 'no activation']);
  });

  test('of very many steps the first are kept', () => {
    const steps = Array.from({ length: 1e5 }, () => layer('Softmax'));
    expect(layerActivations([dense, ...steps]).get(dense)).toHaveLength(20);
  });

  test('names and lists of a hostile file are short in messages', () => {
    let deep: unknown[] = [];
    for (let i = 0; i < 1e5; i++) deep = [deep];
    const long = layer('Dense', { activation: 'x'.repeat(1e6) });
    const activations = layerActivations([long, dense, layer('Rescaling', { scale: deep })]);
    expect(describeActivation(activations.get(long)!)).toHaveLength(100);
    expect(activations.get(dense)).toBeUndefined();
  });
});
