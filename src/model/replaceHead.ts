import { model as createModel, input, type LayersModel, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { requireBackend } from '../backend';
import { check, checkInteger, checkOptions } from '../errors';
import { apply, glorotUniform } from './blocks';
import { checkModel } from './checkModel';
import { freezeLayersOneByOne } from './freeze';
import { activationOf, findHead, freshHead, type HeadSettings, headAround, lastComputing } from './head';
import { keepClasses, keptClasses } from './keepClasses';
import { getModelMetadata, isTexts, type ModelMetadata, setModelMetadata } from './metadata';
import { checkOneOf, checkRange } from './options';

/** Options for {@link replaceHead}; either `classes` or `classNames` is needed. */
export interface ReplaceHeadOptions {
  /** How many classes the new head tells apart. @default as many as `classNames` has */
  classes?: number | undefined;
  /** Their names, which go into the new model's metadata. */
  classNames?: readonly string[] | undefined;
  /**
   * Whether classes that the old head knew keep what it learned: those of the same name, where both heads have class
   * names, else those of the same index. Their logits stay the same, bit by bit.
   * @default false
   */
  keep?: boolean | undefined;
  /** Share of the features that is dropped in training, 0 to below 1. @default the old head's; 0.5 where there was none */
  dropout?: number | undefined;
  /** Fixes the initial weights. Random without it. */
  seed?: number | undefined;
  /** `'softmax'` gives probabilities, `'linear'` logits. @default the old head's; `'softmax'` where there was none */
  classifierActivation?: 'softmax' | 'linear' | undefined;
}

type Layer = layers.Layer;
type Chain = readonly Layer[];

const WHERE = 'replaceHead';

const HEAD_OPTIONS = {
  classes: 'any',
  classNames: 'list',
  keep: 'boolean',
  dropout: 'any',
  seed: 'any',
  classifierActivation: 'any',
} as const;

/**
 * A model for other classes that has the feature layers of `model` and a new head.
 *
 * `model` is a chain of layers: {@link mobilenetV1} with its top or without, or any other that ends in a dense layer or
 * a 1x1 convolution, and a softmax or none. The new classifier is of the same kind, its weights are Glorot-uniform, its
 * biases 0. Where there was no head the new one is that of `mobilenetV1`. Metadata is carried over, class names aside.
 *
 * Both models stay usable and share the feature layers, so that training one changes the other, and freezing too. Each
 * is to be disposed of by itself, in any order; the shared weights go with the last. As its layers are now part of two
 * models, `layer.output` of tfjs is ambiguous for them. Models inside of `model` are taken apart into their layers.
 *
 * @throws {MobilenetError} `invalid-argument` for options out of range, or a model that has no such end; `missing-backend`
 * @example
 * ```ts
 * const flowers = replaceHead(model, { classNames: ['daisy', 'rose'], seed: 1 });
 * const parameters = freeze(flowers); // what the new head has
 * // Later there are tulips, too.
 * const more = replaceHead(flowers, { classNames: ['daisy', 'rose', 'tulip'], keep: true });
 * ```
 */
export function replaceHead(model: LayersModel, options: ReplaceHeadOptions): LayersModel {
  checkModel(WHERE, model);
  checkOptions(WHERE, options, HEAD_OPTIONS);
  requireBackend(WHERE);
  const classes = resolveClasses(options);
  const chain = chainLayers(model);
  const head = findHead(model, chain);
  const { seed, keep = false, classNames } = options;
  const settings = {
    classes,
    dropout: options.dropout ?? head?.dropout ?? 0.5,
    classifierActivation: options.classifierActivation ?? head?.classifierActivation ?? 'softmax',
    seed,
  };
  checkSettings(settings);
  const kept = keep ? keptClasses(WHERE, model, head, { classes, classNames }) : undefined;
  if (!head) checkFeatures(model, chain);

  const features = chain.slice(0, head?.start);
  const taken = new Set(features.map(({ name }) => name));
  check(taken.size === features.length, {
    where: WHERE,
    expected: 'layers, in models inside of the model too, whose names differ',
    received: features.map(({ name }) => name).filter((name, i, names) => names.indexOf(name) < i),
  });
  freezeLayersOneByOne(model);
  const classifier = head && classifierLike(head.classifier, settings);
  const nameLayer = (name: string) => (taken.has(name) ? undefined : name);
  const newLayers = classifier
    ? headAround(classifier, { ...settings, isMap: head.classifier.outputShape.length > 2 }, nameLayer)
    : freshHead(model.outputs[0]!.shape, settings, nameLayer);
  const replaced = connect(model, [...features, ...newLayers]);
  if (kept) keepClasses(head!.classifier, classifier!, kept);

  const { classNames: _, ...metadata }: ModelMetadata = getModelMetadata(model);
  setModelMetadata(replaced, { ...metadata, ...(classNames && { classNames: [...classNames] }) });
  return replaced;
}

function resolveClasses({ classes, classNames }: ReplaceHeadOptions): number {
  const count = classes ?? classNames?.length;
  checkInteger(WHERE, 'classes (or the number of classNames)', count, 1);
  check(classNames === undefined || classNames.length === count, {
    where: WHERE,
    expected: `as many classNames as classes, ${count}`,
    received: classNames?.length,
    remedy: 'Give one of the two only.',
  });
  check(classNames === undefined || (isTexts(classNames) && new Set(classNames).size === count), {
    where: WHERE,
    expected: 'classNames to be texts that differ',
    received: classNames,
  });
  return count;
}

function checkSettings({ dropout, classifierActivation, seed }: HeadSettings): void {
  checkRange(WHERE, 'dropout', dropout);
  checkOneOf(WHERE, 'classifierActivation', classifierActivation, ['softmax', 'linear']);
  if (seed !== undefined) checkInteger(WHERE, 'seed', seed, 0);
}

/** The model's layers from input to output, without input layers; those of nested models stand in their place. */
function chainLayers({ name, inputs, outputs }: Pick<LayersModel, 'name' | 'inputs' | 'outputs'>): Layer[] {
  const checkChain = (condition: boolean, received: string) =>
    check(condition, { where: WHERE, expected: 'a model that is a chain of layers', received });
  checkChain(inputs.length === 1 && outputs.length === 1, `'${name}' with several inputs or outputs`);
  const chain: Layer[] = [];
  for (let tensor = outputs[0]!; tensor.sourceLayer.getClassName() !== 'InputLayer'; ) {
    const layer = tensor.sourceLayer;
    const { inputTensors } = layer.inboundNodes[tensor.nodeIndex]!;
    checkChain(inputTensors.length === 1, `layer '${layer.name}' with ${inputTensors.length} inputs`);
    checkChain(!chain.includes(layer), `layer '${layer.name}', which is used more than once`);
    chain.unshift(...('outputs' in layer ? chainLayers(layer as Layer & LayersModel) : [layer]));
    tensor = inputTensors[0]!;
  }
  return chain;
}

/** Throws unless a new head can stand behind the whole model: behind a feature map, or global pooling. */
function checkFeatures({ outputs }: LayersModel, chain: Chain): void {
  const { shape } = outputs[0]!;
  const last = chain[lastComputing(chain)];
  const isPooled = shape.length === 2 && last !== undefined && /Pooling2D$/.test(last.getClassName());
  const activation = last && activationOf(last);
  const what = last ? `layer '${last.name}' (${last.getClassName()}, activation ${activation})` : 'no layer';
  check(shape.length === 4 || isPooled, {
    where: WHERE,
    expected:
      'a model that ends in a dense layer or a 1x1 convolution with a softmax or none, a feature map, or pooling',
    received: `${what} at the end, with the output [${shape}]`,
  });
}

/** A layer as the old classifier was, for other classes, and with new weights. */
function classifierLike(old: Layer, { classes, seed }: HeadSettings): Layer {
  const config = {
    ...old.getConfig(),
    activation: 'linear',
    trainable: true,
    kernelInitializer: glorotUniform(seed),
    biasInitializer: 'zeros',
  };
  return old.getClassName() === 'Dense'
    ? layers.dense({ ...config, units: classes } as Parameters<typeof layers.dense>[0])
    : layers.conv2d({ ...config, filters: classes } as unknown as Parameters<typeof layers.conv2d>[0]);
}

/** A model of these layers, one after the other, for the same pictures and of the same name. */
function connect({ name, inputs }: LayersModel, chain: Chain): LayersModel {
  const { shape, dtype, sourceLayer } = inputs[0]!;
  const pictures = input({ batchShape: shape, dtype, name: sourceLayer.name });
  const outputs = chain.reduce((tensor: SymbolicTensor, layer) => apply(layer, tensor), pictures);
  return createModel({ inputs: pictures, outputs, name });
}
