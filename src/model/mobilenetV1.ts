import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { requireBackend } from '../backend';
import { apply, convBlock, depthwiseConvBlock, deriveSeed } from './blocks';
import { freshHead } from './head';
import { setModelMetadata } from './metadata';
import { type MobilenetV1Options, type ResolvedNetwork, resolveMobilenetV1 } from './options';

/**
 * Builds MobileNetV1 with fresh weights: an ordinary tfjs model of tfjs's own layers, with Keras's layer names.
 *
 * `[n,H,W,C]` float32 to `[n,classes]`; without the top to `[n,C]` (pooled) or `[n,h,w,C]`. Initial weights are
 * Glorot-uniform, biases 0, as in Keras; `depthwiseInitializer` and `depthwiseBeta` have other ways.
 *
 * Two things are called "depth multiplier" in the literature: depthwise channels per input channel, here
 * `depthMultiplier`, and the paper's scaling of the picture, here `resolutionMultiplier`.
 *
 * Source: Howard et al., "MobileNets" (arXiv 1704.04861).
 *
 * @throws {MobilenetError} `invalid-argument` where an option is out of range, alpha leaves a layer without filters, or
 * the input is too small; `missing-backend`
 * @example
 * ```ts
 * const model = mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.5, stemStride: 1, seed: 1 });
 * model.summary();
 * ```
 */
export function mobilenetV1(options: MobilenetV1Options = {}): LayersModel {
  requireBackend('mobilenetV1');
  const network = resolveMobilenetV1('mobilenetV1', options);
  const { rows, depthMultiplier, depthwiseInitializer, depthwiseBeta, padding, seed } = network;
  const { batchNormMomentum, batchNormEpsilon } = network;
  const image = input({ shape: [...network.inputShape], name: 'input_1' });
  let features = image;
  for (const [index, { kind, name, filters, strides }] of rows.entries()) {
    const block = {
      filters,
      strides,
      padding,
      batchNormMomentum,
      batchNormEpsilon,
      name,
      seed: deriveSeed(seed, index),
    };
    features =
      kind === 'conv'
        ? convBlock(features, block)
        : depthwiseConvBlock(features, { ...block, depthMultiplier, depthwiseInitializer, depthwiseBeta });
  }
  const outputs = network.includeTop ? classify(features, network) : pool(features, network);
  const mobilenet = model({ inputs: image, outputs, name: network.name });
  setModelMetadata(mobilenet, { inputShape: network.inputShape });
  return mobilenet;
}

function classify(features: SymbolicTensor, network: ResolvedNetwork): SymbolicTensor {
  const head = freshHead(features.shape, { ...network, seed: deriveSeed(network.seed, network.rows.length) });
  return head.reduce((tensor, layer) => apply(layer, tensor), features);
}

function pool(features: SymbolicTensor, { pooling }: ResolvedNetwork): SymbolicTensor {
  const dataFormat = 'channelsLast';
  if (pooling === 'avg') {
    return apply(layers.globalAveragePooling2d({ dataFormat, name: 'global_average_pooling2d_1' }), features);
  }
  if (pooling === 'max') {
    return apply(layers.globalMaxPooling2d({ dataFormat, name: 'global_max_pooling2d_1' }), features);
  }
  return features;
}
