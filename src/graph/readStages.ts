import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Layer, layerChain, unsupportedLayer } from './layerChain';
import { readLayer } from './layerReaders';
import { weightTable } from './layerWeights';
import type { FeatureSize, StageGraph, UnsupportedLayer } from './stage';
import { StageBuilder } from './stageBuilder';

/** Options for {@link readStages}. */
export interface ReadStagesOptions {
  /**
   * For inference: takes a model that ends in any layer, such as one that was cut off, and does not mind terms of the loss and
   * constraints of weights. @default false: for training, a model that ends in the scores of a classifier
   */
  readonly anyOutput?: boolean;
  /** Of the pictures, in pixels. @default the model's own */
  readonly size?: Pick<FeatureSize, 'height' | 'width'>;
}

/**
 * Reads a model that is a chain of layers as fused stages, or names the first layer that they cannot express.
 *
 * Each convolution (a dense layer is one) takes in the batch norm and the activation behind it, and the zero padding
 * before it; global pooling takes in an activation. The last stage of a classifier never has an activation. Layers that
 * change only the shape, and those that do nothing, leave no trace. No tensor is made, and no weight is read.
 *
 * The stages for pictures of another size have the same weights, and pad as the layers themselves do at that size. Where
 * a weight, a window or a shape does not fit it, its layer is what is named.
 */
export function readStages(
  model: LayersModel,
  { anyOutput = false, size }: ReadStagesOptions = {},
): { graph: StageGraph } | { unsupported: UnsupportedLayer } {
  const chain = layerChain(model);
  if ('unsupported' in chain) return chain;
  const { layers } = chain;
  const input = inputSize(model, size);
  if ('reason' in input) return { unsupported: input };

  const weights = weightTable(model);
  const builder = new StageBuilder(input, weights.infos);
  let lastComputing: Layer = model;
  for (const layer of layers) {
    const own = weights.take(layer);
    const reason = own
      ? readLayer(builder, layer, own, { inference: anyOutput })
      : 'shares a weight with another layer';
    if (reason) return { unsupported: unsupportedLayer(layer, reason) };
    if (!shapeOnly.has(layer.getClassName())) lastComputing = layer;
  }
  const reason = builder.finish(anyOutput);
  if (reason) return { unsupported: unsupportedLayer(lastComputing, reason) };

  const { stages, endsInSoftmax } = builder;
  const classes = stages.at(-1)!.output.channels;
  const outputKind = endsInSoftmax ? 'probabilities' : 'logits';
  return { graph: { input, stages, classes, outputKind, weights: weights.infos } };
}

const shapeOnly: ReadonlySet<string> = new Set(['Flatten', 'Reshape']);

/** The size of the pictures, which the model says as far as it is not given. */
function inputSize({ inputs }: LayersModel, given: ReadStagesOptions['size']): FeatureSize | UnsupportedLayer {
  const { shape, dtype, sourceLayer } = inputs[0]!;
  const { height = shape[1], width = shape[2] } = given ?? {};
  const channels = shape[3];
  if (shape.length !== 4) return unsupportedLayer(sourceLayer, `takes [N,${shape.slice(1)}], not pictures [N,H,W,C]`);
  if (!height || !width || !channels) {
    return unsupportedLayer(sourceLayer, 'leaves the size of its pictures open; it must be known in advance');
  }
  if (dtype !== 'float32') return unsupportedLayer(sourceLayer, `takes ${dtype} values, not float32`);
  return { height, width, channels };
}
