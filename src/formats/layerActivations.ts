import { isObject } from '../io/checkArtifacts';
import {
  type Activation,
  type ActivationStep,
  clampStep,
  followedBy,
  functionStep,
  linear,
  relu,
  relu6,
  softmax,
} from './activation';
import { weightsOf } from './keras/weightNames';

/** A layer by its class and settings, which Keras and tfjs name alike but for the spelling: `max_value`, `maxValue`. */
export interface ConfiguredLayer {
  readonly className: string;
  readonly config: Settings;
}

type Settings = Readonly<Record<string, unknown>>;

/** Undefined for what is not known. */
type Steps = readonly ActivationStep[] | undefined;

/**
 * What stands behind each layer of a chain that has weights: its own activation, and those of layers up to the next one;
 * undefined where a layer among them is not known.
 */
export function layerActivations<L extends ConfiguredLayer>(chain: readonly L[]): Map<L, Activation | undefined> {
  const activations = new Map<L, Activation | undefined>();
  let owner: L | undefined;
  for (const layer of chain) {
    if (hasWeights(layer)) {
      owner = layer;
      activations.set(owner, linear);
    }
    if (!owner) continue;
    const before = activations.get(owner);
    activations.set(owner, before && stepsOf(layer)?.reduce(followedBy, before));
  }
  return activations;
}

function hasWeights({ className }: ConfiguredLayer): boolean {
  return weightsOf(className).length > 0;
}

function stepsOf(layer: ConfiguredLayer): Steps {
  const { className, config } = layer;
  if (keepsValues.has(className)) return [];
  if (className === 'Activation' || hasWeights(layer)) return activationSteps(config.activation);
  return readers.get(className)?.(config);
}

/** They only move values, or change them in training alone. */
const keepsValues: ReadonlySet<string> = new Set([
  'ActivityRegularization',
  'AlphaDropout',
  'AveragePooling2D',
  'Cropping2D',
  'Dropout',
  'Flatten',
  'GaussianDropout',
  'GaussianNoise',
  'GlobalAveragePooling2D',
  'GlobalMaxPooling2D',
  'Identity',
  'InputLayer',
  'MaxPooling2D',
  'Permute',
  'Reshape',
  'SpatialDropout2D',
  'UpSampling2D',
  'ZeroPadding2D',
]);

/** By the classes of layers that only activate; where a setting is missing it is Keras's default, which is tfjs's too. */
const readers = new Map<string, (config: Settings) => Steps>([
  ['ELU', ({ alpha = 1 }) => (alpha === 1 ? namedSteps('elu') : namedSteps('elu', alpha))],
  ['LeakyReLU', ({ alpha = 0.3, negative_slope: slope = alpha }) => namedSteps('leakyRelu', slope)],
  ['ReLU', readReLU],
  ['Rescaling', ({ scale, offset = 0 }) => namedSteps('rescaling', scale, offset)],
  ['Softmax', () => [softmax]],
  ['ThresholdedReLU', ({ theta = 1 }) => namedSteps('thresholdedRelu', theta)],
]);

function readReLU(config: Settings): Steps {
  const { maxValue, max_value: limit = maxValue, negative_slope: slope, threshold } = config;
  const high = limit ?? Number.POSITIVE_INFINITY;
  if (slope || threshold) return namedSteps('relu', high, slope ?? 0, threshold ?? 0);
  return typeof high === 'number' ? [clampStep(0, high)] : undefined;
}

/** Settings are numbers, or a number for each channel; anything else is not known. */
function namedSteps(name: string, ...settings: unknown[]): Steps {
  const isKnown = settings.every((value) => [value].flat().every((number) => typeof number === 'number'));
  return isKnown ? [functionStep(name, ...settings)] : undefined;
}

/** An activation that is a setting: its name, or what Keras 3 makes of a function or a layer. */
function activationSteps(activation: unknown): Steps {
  if (isObject(activation) && activation.class_name !== 'function') {
    const { class_name: className, config } = activation;
    return typeof className === 'string' && isObject(config) ? readers.get(className)?.(config) : undefined;
  }
  const name = isObject(activation) ? activation.config : (activation ?? 'linear');
  return typeof name === 'string' ? (usual.get(name) ?? [functionStep(name)]) : undefined;
}

const usual = new Map<string, readonly ActivationStep[]>([
  ['linear', []],
  ['relu', [relu]],
  ['relu6', [relu6]],
  ['silu', [functionStep('swish')]],
]);
