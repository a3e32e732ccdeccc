import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { check, checkOptions, fail } from '../errors';
import { checkModel } from './checkModel';
import { findHead } from './head';
import { nearestNames } from './nearestNames';

/** Options for {@link freeze}. */
export interface FreezeOptions {
  /** The first layer to be frozen, or a model inside of the model. @default the first */
  from?: string | undefined;
  /** The last layer to be frozen, or a model inside of the model. @default the last before the head */
  until?: string | undefined;
  /**
   * `true` freezes every batch norm of the model, whatever `from` and `until` say, as suits small batches; `false` none,
   * so that they adapt to other pictures. @default those from `from` to `until`
   */
  batchNorm?: boolean | undefined;
}

/** Options for {@link unfreeze}. */
export interface UnfreezeOptions {
  /** The first layer to be trained again, or a model inside of the model; all behind it follow. @default the first */
  from?: string | undefined;
}

type Layer = layers.Layer;
type Model = Layer & { layers: Layer[] };

/**
 * Makes layers keep their weights in training (`trainable = false`), and tells how many parameters are left to train.
 *
 * By default all but the head are frozen: its dense layer, or its 1x1 convolution; a model without a head is frozen as a
 * whole. Frozen batch norm runs in inference mode in `trainClassifier`. Layers that are frozen already stay so. The
 * state belongs to the layers, so other models that share them have it too, and `saveModel` keeps it. A model that was
 * compiled is to be compiled again before `model.fit`.
 *
 * @throws {MobilenetError} `invalid-argument` where the model has no layer of that name; names the nearest ones
 * @example
 * ```ts
 * const parameters = freeze(model, { until: 'conv_pw_11_relu' });
 * console.log(`${parameters} parameters are trained`);
 * ```
 */
export function freeze(model: LayersModel, options: FreezeOptions = {}): number {
  checkModel('freeze', model);
  checkOptions('freeze', options, { from: 'string', until: 'string', batchNorm: 'boolean' });
  const { from, until, batchNorm } = options;
  const leaves = leafLayers(model);
  const start = from === undefined ? 0 : findRange('freeze', model, from).start;
  const head = findHead(model, leaves)?.classifier;
  const behindHead = head ? leaves.indexOf(head) : leaves.length;
  const end = until === undefined ? behindHead : findRange('freeze', model, until).end;
  check(from === undefined || start < end, {
    where: 'freeze',
    expected: `from not to stand behind ${until === undefined ? 'the features' : `until, '${until}'`}`,
    received: `'${from}'`,
  });
  leaves.forEach((layer, i) => {
    const isInside = i >= start && i < end;
    const isFrozen = layer.getClassName() === 'BatchNormalization' ? (batchNorm ?? isInside) : isInside;
    if (isFrozen) layer.trainable = false;
  });
  return trainableParameters(model);
}

/**
 * Makes frozen layers learn again (`trainable = true`), and tells how many parameters there are to train now.
 *
 * @throws {MobilenetError} `invalid-argument` where the model has no layer of that name; names the nearest ones
 * @example
 * ```ts
 * freeze(model);
 * await trainClassifier(model, train, { epochs: 5 });
 * unfreeze(model, { from: 'conv_dw_12' });
 * await trainClassifier(model, train, { epochs: 5, learningRate: 1e-4 });
 * ```
 */
export function unfreeze(model: LayersModel, options: UnfreezeOptions = {}): number {
  checkModel('unfreeze', model);
  checkOptions('unfreeze', options, { from: 'string' });
  const { from } = options;
  const start = from === undefined ? 0 : findRange('unfreeze', model, from).start;
  freezeLayersOneByOne(model);
  for (const layer of leafLayers(model).slice(start)) layer.trainable = true;
  return trainableParameters(model);
}

/** Where a model is frozen as a whole, has its layers frozen in its place; what is trained stays the same. */
export function freezeLayersOneByOne(model: LayersModel): void {
  const visit = (layer: Layer, frozenAbove: boolean) => {
    const isFrozen = frozenAbove || !layer.trainable;
    // tfjs's setter of a model writes to the weights in its layers, whose own setters put that right.
    layer.trainable = isModel(layer) || !isFrozen;
    if (isModel(layer)) for (const inner of layer.layers) visit(inner, isFrozen);
  };
  visit(model, false);
}

/** The layers that are no models, in their order; those of nested models stand in their place. */
export function leafLayers(layer: Layer): Layer[] {
  return isModel(layer) ? layer.layers.flatMap(leafLayers) : [layer];
}

function isModel(layer: Layer): layer is Model {
  return 'layers' in layer;
}

/** Where the layer, or the nested model, of this name lies among the leaf layers. */
function findRange(where: string, model: LayersModel, name: string): { start: number; end: number } {
  const named = allLayers(model);
  const found = named.find((layer) => layer.name === name) ?? failUnknown(where, name, named);
  const leaves = leafLayers(model);
  const inside = leafLayers(found);
  return { start: leaves.indexOf(inside[0]!), end: leaves.indexOf(inside.at(-1)!) + 1 };
}

function failUnknown(where: string, name: string, layers: Layer[]): never {
  const names = layers.map((layer) => layer.name);
  const nearest = nearestNames(name, names).map((near) => `'${near}'`);
  const remedy = `The nearest are ${nearest.join(', ')}.`;
  fail({
    code: 'invalid-argument',
    where,
    expected: 'the name of a layer of the model',
    received: `'${name}'`,
    remedy,
  });
}

/** Layers and nested models. */
function allLayers(model: Model): Layer[] {
  return model.layers.flatMap((layer) => (isModel(layer) ? [layer, ...allLayers(layer)] : [layer]));
}

/** A layer that two nested models share stands there twice. */
function trainableParameters({ trainableWeights }: LayersModel): number {
  const weights = [...new Set(trainableWeights)];
  const sizes = weights.map(({ shape }) => shape.reduce<number>((product, size) => product * size!, 1));
  return sizes.reduce((sum, size) => sum + size, 0);
}
