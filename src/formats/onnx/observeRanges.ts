import {
  add,
  conv2d,
  depthwiseConv2d,
  dispose,
  max,
  maximum,
  mean,
  minimum,
  pad,
  type Tensor,
  type Tensor4D,
  tensor1d,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import { batches } from '../../data/batches';
import { convertChannels } from '../../data/convertChannels';
import type { ImageBatch, ImageDataset } from '../../data/imageDataset';
import { type ResizePictureOptions, resizePicture } from '../../data/resizePicture';
import { mapToRange } from '../../data/tensors';
import type { InferenceConv, InferenceDepthwise, InferenceGraph, InferenceStage } from '../../graph/inferenceGraph';
import type { InputRange } from '../../inputRange';
import { endPadding } from './endPadding';

// n = pictures of a batch.

/** Options for {@link observeRanges}. */
export interface ObserveRangesOptions {
  /** The public function that was called. */
  where: string;
  /** What the picture's bytes 0 and 255 are for the model. */
  inputRange: InputRange;
  /** How pictures of another size are brought to the model's. */
  resizing: ResizePictureOptions;
}

// The same pictures, and the same rule, by which a classifier of precision 'int8' is calibrated.
const MAX_PICTURES = 512;
const BATCH = 16;
/** Of the pictures, how many stay whole: the resolution of every picture would suffer for the sake of an odd one. */
const SHARE = 0.99;

/**
 * The range of each stage's values: what the highest value is at most in 99 % of some 500 pictures, and at least 0.
 *
 * It is tfjs that runs the stages, on the active backend, where the model's weights are.
 */
export async function observeRanges(
  graph: InferenceGraph,
  dataset: ImageDataset,
  options: ObserveRangesOptions,
): Promise<number[]> {
  const maxima: number[][] = graph.stages.map(() => []);
  let pictures = 0;
  // Shuffled, for a dataset may be sorted by class.
  for await (const batch of batches(dataset, { batchSize: BATCH, shuffle: true })) {
    const images = await toInput(batch, graph, options);
    const highest = await highestValues(graph, images);
    for (const [stage, values] of highest.entries()) maxima[stage]!.push(...values);
    pictures += batch.labels.length;
    if (pictures >= MAX_PICTURES) break;
  }
  return maxima.map((values) => Math.max(0, values.sort((a, b) => a - b)[Math.ceil(SHARE * pictures) - 1]!));
}

/** Pictures as the model reads them, `[n,H,W,C]`. */
async function toInput(
  batch: ImageBatch,
  { input }: InferenceGraph,
  options: ObserveRangesOptions,
): Promise<Float32Array> {
  const { images, height, width, channels } = batch;
  const { where, inputRange, resizing } = options;
  const values = new Float32Array(batch.labels.length * input.height * input.width * input.channels);
  const pictureBytes = height * width * channels;
  let end = 0;
  for (let start = 0; start < images.length; start += pictureBytes) {
    const picture = { data: images.subarray(start, start + pictureBytes), height, width, channels };
    const converted = await convertChannels(picture, input.channels, where);
    const { data } = await resizePicture(converted, input, resizing);
    values.set(mapToRange(data, inputRange, input.channels), end);
    end += data.length;
  }
  return values;
}

/** For each stage the highest values that it makes of each picture. */
async function highestValues({ input, stages }: InferenceGraph, images: Float32Array): Promise<Float32Array[]> {
  const { height, width, channels } = input;
  const maxima: Tensor[] = [];
  let x: Tensor4D = tensor4d(images, [images.length / (height * width * channels), height, width, channels]);
  try {
    for (const stage of stages) {
      const y = tidy(() => run(stage, x));
      x.dispose();
      x = y;
      maxima.push(max(x, [1, 2, 3]));
    }
    return await Promise.all(maxima.map((values) => values.data<'float32'>()));
  } finally {
    dispose([x, ...maxima]);
  }
}

function run(stage: InferenceStage, x: Tensor4D): Tensor4D {
  if (stage.kind === 'pool') return mean(x, [1, 2], true);
  const [low, high] = stage.clamp;
  const biased = add<Tensor4D>(convolve(stage, x), tensor1d(stage.bias));
  const above = low === Number.NEGATIVE_INFINITY ? biased : maximum<Tensor4D>(biased, low);
  return high === Number.POSITIVE_INFINITY ? above : minimum<Tensor4D>(above, high);
}

function convolve(stage: InferenceConv | InferenceDepthwise, x: Tensor4D): Tensor4D {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft } = stage.window;
  const { bottom, right } = endPadding(stage);
  const padded: Tensor4D = pad(x, [
    [0, 0],
    [padTop, bottom],
    [padLeft, right],
    [0, 0],
  ]);
  const { channels } = stage.input;
  const strides: [number, number] = [strideHeight, strideWidth];
  if (stage.kind === 'conv') {
    const kernel = tensor4d(stage.kernel, [kernelHeight, kernelWidth, channels, stage.output.channels]);
    return conv2d(padded, kernel, strides, 'valid');
  }
  const kernel = tensor4d(stage.kernel, [kernelHeight, kernelWidth, channels, stage.multiplier]);
  return depthwiseConv2d(padded, kernel, strides, 'valid');
}
