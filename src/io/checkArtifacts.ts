import type { io } from '@tensorflow/tfjs-core';
import { channelCount, type Int8Quantization } from './int8Weight';
import { joinBytes } from './joinBytes';
import { refuse } from './refuse';

/** A weight's entry in the manifest: one of tfjs, or one of ours that is stored as int8. */
export type WeightSpec = Omit<io.WeightsManifestEntry, 'quantization'> & {
  quantization?: io.WeightsManifestEntry['quantization'] | Int8Quantization;
};

/** What a model consists of, once it is known to be a layers model with the right number of bytes. */
export interface CheckedArtifacts {
  /** Where it came from, for messages: the path or URL of the `model.json` where there is one. */
  where: string;
  modelTopology: object;
  weightSpecs: WeightSpec[];
  weightData: ArrayBuffer;
  userDefinedMetadata?: Record<string, object>;
}

/** By dtype, which may be anything in a file. */
const BYTES_PER_VALUE = new Map<unknown, number>([
  ['float32', 4],
  ['int32', 4],
  ['bool', 1],
]);

/** Of weights that tfjs-converter has quantised. */
const BYTES_PER_QUANTIZED_VALUE = new Map<unknown, number>([
  ['uint8', 1],
  ['uint16', 2],
  ['float16', 2],
]);

/**
 * Checks what a handler of tfjs has loaded.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export function checkArtifacts(where: string, artifacts: io.ModelArtifacts): CheckedArtifacts {
  const { weightSpecs } = artifacts;
  const header = checkHeader(where, artifacts);
  if (!Array.isArray(weightSpecs) || artifacts.weightData == null) {
    refuse(where, 'weightSpecs and weightData', 'a topology without weights', 'Save the model with its weights.');
  }
  // Not map, which leaves holes of a list out.
  const expected = sum(Array.from(weightSpecs, (spec) => weightBytes(where, spec)));
  const weightData = joinBytes([artifacts.weightData].flat());
  const received = weightData.byteLength;
  if (received !== expected) refuse(where, `${expected} bytes of weights`, received, 'Save the model anew.');
  return { where, ...header, weightSpecs, weightData };
}

/**
 * Checks all but the weights: a layers model, whose JSON is free of tricks.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export function checkHeader(
  where: string,
  { format, modelTopology, userDefinedMetadata }: { [Key in keyof io.ModelArtifacts]: unknown },
): Pick<CheckedArtifacts, 'modelTopology' | 'userDefinedMetadata'> {
  if (format === 'graph-model' || (isObject(modelTopology) && 'node' in modelTopology)) {
    refuse(
      where,
      'a layers model',
      'a graph model',
      'Put its weights into a model with loadWeights, or load it with loadGraphModel of @tensorflow/tfjs-converter.',
    );
  }
  if (!isObject(modelTopology) || !isLayersTopology(modelTopology.model_config ?? modelTopology)) {
    refuse(
      where,
      'the modelTopology of a layers model',
      modelTopology === undefined ? 'no modelTopology' : 'another one',
      'This is the model.json that saveModel, tfjs or tfjs-converter writes.',
    );
  }
  refuseProto(where, modelTopology);
  if (userDefinedMetadata == null) return { modelTopology };

  if (!isObject(userDefinedMetadata)) refuse(where, 'userDefinedMetadata to be an object', typeof userDefinedMetadata);
  refuseProto(where, userDefinedMetadata);
  return { modelTopology, userDefinedMetadata: userDefinedMetadata as Record<string, object> };
}

/**
 * The number of bytes that a weight takes in its file.
 *
 * @throws {MobilenetError} `invalid-data` where the entry of the manifest is none that can be decoded.
 */
export function weightBytes(where: string, spec: unknown): number {
  if (!isObject(spec) || typeof spec.name !== 'string') refuse(where, 'weights with names', spec);
  const { name, shape, dtype, quantization } = spec;
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    refuse(where, `the shape of weight ${name} to be a list of sizes`, shape);
  }
  const bytesPerValue = BYTES_PER_VALUE.get(dtype);
  if (bytesPerValue === undefined) {
    refuse(where, `the dtype of weight ${name} to be one of ${[...BYTES_PER_VALUE.keys()].join(', ')}`, dtype);
  }
  const values = shape.reduce((product, size) => product * size, 1);
  if (quantization === undefined) return values * bytesPerValue;
  if (!isObject(quantization)) refuse(where, `the quantization of weight ${name} to be an object`, quantization);
  const quantized = { name, shape, dtype, quantization };
  if (quantization.dtype === 'int8') return values + 4 * scaleCount(where, quantized);
  return values * quantizedBytes(where, quantized);
}

/** A weight's entry, before its quantization is checked. */
interface QuantizedSpec {
  name: string;
  shape: number[];
  dtype: unknown;
  quantization: Record<string, unknown>;
}

function scaleCount(where: string, { name, shape, dtype, quantization }: QuantizedSpec): number {
  const channelAxes = Number.isInteger(quantization.channelAxes) ? Number(quantization.channelAxes) : 0;
  if (dtype !== 'float32' || channelAxes < 1 || channelAxes > shape.length) {
    const expected = `the int8 quantization of ${dtype} weight ${name} to be of a float32`;
    refuse(where, `${expected}, with channelAxes from 1 to its rank`, quantization);
  }
  return channelCount(shape, channelAxes);
}

/** As tfjs decodes it: value = quantised value * scale + min; float16 needs neither. */
function quantizedBytes(where: string, { name, dtype, quantization }: QuantizedSpec): number {
  const { dtype: stored, scale, min } = quantization;
  const bytes = BYTES_PER_QUANTIZED_VALUE.get(stored);
  const allowed = stored === 'float16' ? dtype === 'float32' : dtype !== 'bool';
  const complete = stored === 'float16' || (Number.isFinite(scale) && Number.isFinite(min));
  if (bytes === undefined || !allowed || !complete) {
    const expected = `the quantization of ${dtype} weight ${name} to be uint8 or uint16 with scale and min`;
    refuse(where, `${expected}, or float16 or int8 of a float32`, quantization);
  }
  return bytes;
}

function isLayersTopology(config: unknown): boolean {
  return isObject(config) && 'class_name' in config && typeof config.config === 'object' && config.config !== null;
}

/** JSON may hold an own key `__proto__`; code that copies it by assignment would swap a prototype. */
function refuseProto(where: string, json: object): void {
  // A set's iteration reaches what is added on the way, and ends even where the objects go in a circle.
  const seen = new Set<unknown>([json]);
  for (const value of seen) {
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__')) {
      refuse(where, 'JSON without the key __proto__', 'one with it', 'Do not load this file: no tool writes that.');
    }
    for (const child of Object.values(value)) seen.add(child);
  }
}

/** Whether JSON's object, neither list nor null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
