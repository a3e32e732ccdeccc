import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { glorotUniform } from './blocks';

// n = batch, h and w = height and width of the last feature map, C = its channels.

type Layer = layers.Layer;

/** What a head that tells classes apart is made from. */
export interface HeadSettings {
  readonly classes: number;
  /** Share of the features that are dropped in training. */
  readonly dropout: number;
  readonly classifierActivation: 'softmax' | 'linear';
  readonly seed: number | undefined;
}

/** A name for a layer, or undefined for one of tfjs's unique names. */
export type NameLayer = (name: string) => string | undefined;

const classicName: NameLayer = (name) => name;

/**
 * A new head for features `[n,h,w,C]` or `[n,C]`, layer for layer as in the classic Keras and tfjs model files: global
 * pooling, dropout and a 1x1 convolution.
 */
export function freshHead(
  features: readonly (number | null)[],
  settings: HeadSettings,
  nameLayer = classicName,
): Layer[] {
  const pooling = layers.globalAveragePooling2d({
    dataFormat: 'channelsLast',
    name: nameLayer('global_average_pooling2d_1'),
  });
  const classifier = layers.conv2d({
    filters: settings.classes,
    kernelSize: 1,
    padding: 'same',
    kernelInitializer: glorotUniform(settings.seed),
    name: nameLayer('conv_preds'),
  });
  return [
    ...(features.length === 4 ? [pooling] : []),
    layers.reshape({ targetShape: [1, 1, features.at(-1)!], name: nameLayer('reshape_1') }),
    ...headAround(classifier, { ...settings, isMap: true }, nameLayer),
  ];
}

/**
 * A classifier layer, dense or a 1x1 convolution, with what stands before and behind it.
 *
 * @param settings `isMap`: whether it puts out `[n,1,1,K]`, and not `[n,K]`
 */
export function headAround(
  classifier: Layer,
  { classes, dropout, classifierActivation, isMap }: HeadSettings & { isMap: boolean },
  nameLayer: NameLayer,
): Layer[] {
  const isSoftmax = classifierActivation === 'softmax';
  return [
    layers.dropout({ rate: dropout, name: nameLayer('dropout') }),
    classifier,
    ...(isSoftmax ? [layers.activation({ activation: 'softmax', name: nameLayer('act_softmax') })] : []),
    ...(isMap ? [layers.reshape({ targetShape: [classes], name: nameLayer('reshape_2') })] : []),
  ];
}

/** The head that a model has. */
export interface Head {
  /** Where it begins: at the dropout before the classifier, or at the classifier. */
  readonly start: number;
  /** A dense layer or a 1x1 convolution. */
  readonly classifier: Layer;
  readonly classes: number;
  readonly dropout: number;
  readonly classifierActivation: 'softmax' | 'linear';
}

/**
 * Finds the head at the end of a model: a dense layer or a 1x1 convolution of one pixel, with nothing but a softmax and
 * changes of shape behind it.
 *
 * @param members the model's layers in their order, those of nested models in their place
 */
export function findHead({ outputs }: LayersModel, members: readonly Layer[]): Head | undefined {
  const last = lastComputing(members);
  const ending = members[last];
  const at = ending && isActivation(ending) ? lastComputing(members.slice(0, last)) : last;
  const classifier = members[at];
  const classes = classifier && outputsOf(classifier);
  const { shape } = outputs[0]!;
  if (classes === undefined || shape.length !== 2 || shape[1] !== classes) return undefined;
  const isLinear = activationOf(classifier!) === 'linear';
  if (!isLinear && (at !== last || activationOf(classifier!) !== 'softmax')) return undefined;
  const before = members[at - 1];
  const hasDropout = before?.getClassName() === 'Dropout';
  return {
    start: hasDropout ? at - 1 : at,
    classifier: classifier!,
    classes,
    dropout: hasDropout ? (before.getConfig().rate as number) : 0,
    classifierActivation: activationOf(ending!) === 'softmax' ? 'softmax' : 'linear',
  };
}

/** The last layer that does more than change the shape; -1 where there is none. */
export function lastComputing(members: readonly Layer[]): number {
  return members.findLastIndex((layer) => !['Reshape', 'Flatten'].includes(layer.getClassName()));
}

export function activationOf(layer: Layer): string {
  return layer.getClassName() === 'Softmax' ? 'softmax' : ((layer.getConfig().activation as string) ?? 'linear');
}

/** Softmax as a layer of its own, or none at all. */
function isActivation(layer: Layer): boolean {
  const isLayer = ['Activation', 'Softmax'].includes(layer.getClassName());
  return isLayer && ['softmax', 'linear'].includes(activationOf(layer));
}

/** How many values of each picture (dense) or pixel (1x1 convolution) a layer puts out; undefined for other layers. */
function outputsOf(layer: Layer): number | undefined {
  const { units, filters, kernelSize } = layer.getConfig();
  if (layer.getClassName() === 'Dense') return units as number;
  const isPointwise = layer.getClassName() === 'Conv2D' && (kernelSize as number[]).every((size) => size === 1);
  return isPointwise ? (filters as number) : undefined;
}
