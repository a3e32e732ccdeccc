import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkCalibration } from '../data/calibration';
import type { ImageDataset } from '../data/imageDataset';
import { checkEngine, type EngineChoice } from '../engine/engineChoice';
import { check, checkOptions } from '../errors';
import { type OutputKind, outputKindOf } from '../graph/outputKind';
import type { FeatureSize } from '../graph/stage';
import type { InputRange } from '../inputRange';
import { getModelMetadata, isTexts, type ModelMetadata } from '../model/metadata';
import { checkPreprocessing, type Preprocessing } from './preprocessing';

/** Options for `createClassifier`. */
export interface CreateClassifierOptions {
  /** One for each output. @default the model's own, from its metadata, else 'class 0', 'class 1', ... */
  classNames?: readonly string[] | undefined;
  /**
   * What runs the model. `'fused'`: the library's own WebAssembly kernels on several threads. `'tfjs'`: the active
   * backend. `'auto'`: fused where the backend is `cpu` or `wasm` and the model a chain that the engine can express, else
   * tfjs; the classifier's `info` says which, and why.
   * @default 'auto'
   */
  engine?: EngineChoice | undefined;
  /** Threads of the engine. @default what the machine has, at most 8 */
  threads?: number | undefined;
  /**
   * `'int8'` rounds weights and activations to 8 bits, which the engine runs about twice as fast; a model that it cannot
   * do so is refused. @default 'float32'
   */
  precision?: 'float32' | 'int8' | undefined;
  /**
   * Pictures by which `'int8'` finds out how high activations rise; some 500 of them are taken, and their labels are not
   * read. @default what the layers say: ReLU6 goes up to 6
   */
  calibration?: ImageDataset | undefined;
  /** @default the model's own, from its metadata, else the largest centred crop and the range [0, 1] */
  preprocessing?: Preprocessing | undefined;
  /** Ends the loading; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options with every default filled in, and what the model says. */
export interface ClassifierSettings {
  readonly classNames: readonly string[];
  readonly engine: EngineChoice;
  readonly threads: number | undefined;
  readonly precision: 'float32' | 'int8';
  readonly calibration: ImageDataset | undefined;
  readonly preprocessing: Preprocessing;
  readonly inputRange: InputRange;
  /** Of the pictures that the model takes. */
  readonly size: FeatureSize;
  readonly outputKind: OutputKind;
  readonly signal: AbortSignal | undefined;
}

const WHERE = 'createClassifier';

/** What there is among {@link CreateClassifierOptions}. */
export const CLASSIFIER_OPTIONS = {
  classNames: 'any',
  engine: 'any',
  threads: 'any',
  precision: 'any',
  calibration: 'any',
  preprocessing: 'any',
  signal: 'signal',
} as const;

/** Refuses what cannot be, whatever the model. */
export function checkClassifierOptions(options: CreateClassifierOptions): void {
  checkOptions(WHERE, options, CLASSIFIER_OPTIONS);
  const { engine = 'auto', threads, precision = 'float32', calibration, preprocessing = {} } = options;
  checkEngine(WHERE, engine, threads);
  check(['float32', 'int8'].includes(precision), {
    where: WHERE,
    expected: "precision to be 'float32' or 'int8'",
    received: precision,
  });
  check(precision === 'float32' || engine !== 'tfjs', {
    where: WHERE,
    expected: "the engine 'fused' or 'auto' for precision 'int8'",
    received: engine,
    remedy: 'tfjs calculates in float32.',
  });
  checkCalibration(WHERE, precision, calibration);
  checkPreprocessing(WHERE, preprocessing);
}

/** Fills in the defaults, of which the model's metadata names some, and refuses what does not fit the model. */
export function resolveClassifierOptions(model: LayersModel, options: CreateClassifierOptions): ClassifierSettings {
  const { engine = 'auto', threads, precision = 'float32', calibration, signal } = options;
  const metadata = getModelMetadata(model);
  check(model.inputs.length === 1 && model.outputs.length === 1, {
    where: WHERE,
    expected: 'a model with one input and one output',
    received: `${model.inputs.length} inputs and ${model.outputs.length} outputs`,
  });
  const [, classes, ...rest] = model.outputs[0]!.shape;
  check(typeof classes === 'number' && rest.length === 0, {
    where: WHERE,
    expected: 'a model whose output is [N,classes]',
    received: `[N,${model.outputs[0]!.shape.slice(1)}]`,
  });
  const preprocessing = { ...options.preprocessing };
  preprocessing.fit ??= metadata.fit;
  preprocessing.cropFraction ??= metadata.cropFraction;
  preprocessing.cropAfterResize ??= metadata.cropAfterResize;
  preprocessing.interpolation ??= metadata.interpolation;
  preprocessing.inputRange ??= metadata.inputRange;
  const size = pictureSize(model, metadata);
  checkPreprocessing(WHERE, preprocessing, size.channels);
  return {
    classNames: resolveClassNames(options.classNames ?? metadata.classNames, classes),
    engine,
    threads,
    precision,
    calibration,
    preprocessing,
    inputRange: preprocessing.inputRange ?? [0, 1],
    size,
    outputKind: outputKindOf(WHERE, model),
    signal,
  };
}

function resolveClassNames(classNames: readonly string[] | undefined, classes: number): readonly string[] {
  if (classNames === undefined) return Array.from({ length: classes }, (_, k) => `class ${k}`);
  check(isTexts(classNames) && classNames.length === classes, {
    where: WHERE,
    expected: `classNames of the model's ${classes} classes`,
    received: isTexts(classNames) ? `${classNames.length} names` : classNames,
    remedy: "Pass one name for each output, in the outputs' order.",
  });
  return [...classNames];
}

const isSize = (length: unknown) => Number.isInteger(length) && Number(length) > 0;

function pictureSize(model: LayersModel, { inputShape }: ModelMetadata): FeatureSize {
  const { shape } = model.inputs[0]!;
  const [height, width, channels] = shape.slice(1).map((length, i) => length ?? inputShape?.[i]);
  check(shape.length === 4 && [height, width, channels].every(isSize), {
    where: WHERE,
    expected: 'a model that takes pictures [N,H,W,C] of one size',
    received: `the input shape [${shape.map((length, i) => length ?? 'NHWC'[i])}]`,
    remedy: 'Where the model leaves the size open: setModelMetadata(model, { inputShape: [height, width, channels] }).',
  });
  return { height, width, channels } as FeatureSize;
}
