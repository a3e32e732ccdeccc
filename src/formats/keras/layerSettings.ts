import { fail } from '../../errors';
import type { Layer } from '../../graph/layerChain';

/** A layer's settings as tfjs has them. */
type Settings = Readonly<Record<string, unknown>>;

/** Settings of tfjs that go over by another spelling, by layer class. */
const SETTINGS = new Map<string, readonly string[]>([
  ['Activation', ['activation']],
  ['AveragePooling2D', ['poolSize', 'strides', 'padding', 'dataFormat']],
  ['BatchNormalization', ['axis', 'momentum', 'epsilon', 'center', 'scale']],
  ['Conv2D', ['filters', 'kernelSize', 'strides', 'padding', 'dataFormat', 'dilationRate', 'activation', 'useBias']],
  ['Dense', ['units', 'activation', 'useBias']],
  [
    'DepthwiseConv2D',
    ['kernelSize', 'strides', 'padding', 'depthMultiplier', 'dataFormat', 'dilationRate', 'activation', 'useBias'],
  ],
  ['Dropout', ['rate', 'noiseShape']],
  ['Flatten', ['dataFormat']],
  ['GlobalAveragePooling2D', ['dataFormat']],
  ['GlobalMaxPooling2D', ['dataFormat']],
  ['MaxPooling2D', ['poolSize', 'strides', 'padding', 'dataFormat']],
  ['ReLU', ['maxValue']],
  ['Reshape', ['targetShape']],
  ['Softmax', ['axis']],
  ['ZeroPadding2D', ['padding', 'dataFormat']],
]);

/** Those that are the same function in tfjs, Keras 2 and Keras 3; hard_sigmoid, for one, is not. */
const ACTIVATIONS: readonly unknown[] = [
  'elu',
  'linear',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'tanh',
];

/**
 * The settings of a layer as Keras 2 and 3 have them, its name and flags aside.
 *
 * @throws {MobilenetError} `invalid-argument` for what Keras has not, or not the same.
 */
export function layerSettings(where: string, layer: Layer): Record<string, unknown> {
  const className = layer.getClassName();
  const refuse = (received: string): never =>
    fail({
      code: 'invalid-argument',
      where,
      expected: 'layers that Keras has too',
      received: `layer '${layer.name}' (${className}), ${received}`,
    });
  const names = SETTINGS.get(className) ?? refuse(`which is none of ${[...SETTINGS.keys()].join(', ')}`);
  if (Object.hasOwn(layer, 'call')) refuse("which has a 'call' of its own");
  const addition = Object.entries(layer).find(([key, value]) => value && /(Regularizer|Constraint)$/.test(key));
  if (addition) refuse(`which sets ${addition[0]}`);
  const settings: Settings = layer.getConfig();
  if (names.includes('activation') && !ACTIVATIONS.includes(settings.activation)) {
    refuse(`with the activation '${settings.activation}', not one of ${ACTIVATIONS.join(', ')}`);
  }
  return Object.fromEntries(names.map((name) => [snakeName(name), kerasValue(name, settings[name])]));
}

/** As Keras spells it: `dataFormat` is `data_format`. */
function snakeName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function kerasValue(name: string, value: unknown): unknown {
  if (name === 'dataFormat') return value === 'channelsFirst' ? 'channels_first' : 'channels_last';
  // As Keras 2 wrote it for batch norms.
  if (name === 'axis' && Array.isArray(value) && value.length === 1) return value[0];
  // A size that is left open.
  if (name === 'targetShape' && Array.isArray(value)) return value.map((item) => item ?? -1);
  return value ?? null;
}
