import { isObject } from './checkArtifacts';
import { refuse } from './refuse';
import type { Json } from './topologyCalls';

/**
 * A layer of Keras 3 in the words of tfjs-layers; one of Keras 2 or tfjs stays as it is.
 *
 * @throws {MobilenetError} `invalid-data` where tfjs would leave a setting out without a word.
 */
export function normalizeLayer(where: string, layer: Json): Json {
  const { class_name: kind, config } = layer;
  if (!isObject(config)) return layer;
  const normal: Json = { ...config };
  for (const [key, value] of Object.entries(config)) {
    if (key === 'dtype') normal.dtype = dtypeName(value);
    else if (key === 'activation' || key.endsWith('_activation')) normal[key] = activationName(value);
    else if (isLayer(value)) normal[key] = normalizeLayer(where, value);
  }
  if (kind === 'InputLayer' && 'batch_shape' in config) normal.batch_input_shape ??= config.batch_shape;
  if (kind === 'LeakyReLU' && 'negative_slope' in config) normal.alpha ??= config.negative_slope;
  if (kind === 'ReLU') refuseSettings(where, normal, { negative_slope: 0, threshold: 0 });
  if (typeof kind === 'string' && /^Conv\d/.test(kind)) refuseSettings(where, normal, { groups: 1 });
  return { ...layer, config: normal };
}

/** The layer inside of a wrapper such as TimeDistributed. */
function isLayer(value: unknown): value is Json {
  return isObject(value) && typeof value.module === 'string' && /\.layers\b/.test(value.module);
}

/** The dtype of a layer's weights, which is float32 in mixed precision too; tfjs has no smaller floats. */
function dtypeName(dtype: unknown): unknown {
  const policy = isObject(dtype) && isObject(dtype.config) ? (dtype.config.name ?? dtype.class_name) : dtype;
  return typeof policy === 'string' && /float16$/.test(policy) ? 'float32' : policy;
}

/** A function that Keras has written as an object goes by its name. */
function activationName(activation: unknown): unknown {
  const isFunction = isObject(activation) && activation.class_name === 'function';
  const name = isFunction ? activation.config : activation;
  return name === 'silu' ? 'swish' : name;
}

function refuseSettings(where: string, config: Json, known: Readonly<Record<string, number>>): void {
  for (const [key, value] of Object.entries(known)) {
    if ((config[key] ?? value) === value) continue;
    refuse(where, `layer ${config.name} with ${key} ${value}, as tfjs-layers has it`, config[key]);
  }
}
