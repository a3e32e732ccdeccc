import { type Tensor, tidy, zeros } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageBatch } from '../data/imageDataset';
import { fail } from '../errors';
import { layerChain } from '../graph/layerChain';

/** A batch's height, width and channels. */
type PictureSize = Pick<ImageBatch, 'height' | 'width' | 'channels'>;

/**
 * A check that throws `invalid-argument` for a batch of pictures that the model cannot take.
 *
 * tfjs runs a model on pictures of any size as far as its layers allow, so each size but the model's own is tried out
 * with one picture, the first time that it comes.
 */
export function pictureSizeCheck(model: LayersModel): (batch: PictureSize) => void {
  const sizes = new Set([String(model.inputs[0]!.shape.slice(1))]);
  return ({ height, width, channels }) => {
    const size = String([height, width, channels]);
    if (sizes.has(size)) return;
    tryOut(model, [height, width, channels]);
    sizes.add(size);
  };
}

function tryOut(model: LayersModel, [height, width, channels]: readonly [number, number, number]): void {
  const [, classes] = model.outputs[0]!.shape;
  let cause: unknown;
  try {
    checkMaps(model, [1, height, width, channels]);
    const shape = tidy(() => (model.apply(zeros([1, height, width, channels])) as Tensor).shape);
    if (shape.length === 2 && shape[1] === classes) return;
    cause = new Error(`its output is [${shape}]`);
  } catch (error) {
    cause = error;
  }
  const [, ...own] = model.inputs[0]!.shape;
  fail({
    code: 'invalid-argument',
    where: 'trainClassifier',
    expected: `pictures of ${own.map((size) => size ?? 'any').join(' x ')}, or a model that is convolutional up to a global pooling`,
    received: `${height} x ${width} x ${channels} and '${model.name}' (${(cause as Error).message})`,
    remedy: 'Leave the picture size as it is, take larger pictureScales, or replace flatten by a global pooling.',
    cause,
  });
}

/** Where windows slide over a map that is smaller than they are, tfjs goes on with nothing, and fails in its gradient. */
function checkMaps(model: LayersModel, pictures: number[]): void {
  const chain = layerChain(model);
  if ('unsupported' in chain) return;
  chain.layers.reduce((shape, layer) => {
    const output = layer.computeOutputShape(shape) as number[];
    if (output.some((size) => size < 1)) throw new Error(`layer '${layer.name}' would put out [${output}]`);
    return output;
  }, pictures);
}
