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
  stack,
  type Tensor,
  type Tensor4D,
  tensor1d,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import { calibrateRanges, picturesOf } from '../../data/calibration';
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

const BATCH = 16;

/**
 * The range of each stage's values, as a classifier of precision 'int8' finds it out, and at least 0.
 *
 * It is tfjs that runs the stages, on the active backend, where the model's weights are.
 */
export async function observeRanges(
  graph: InferenceGraph,
  dataset: ImageDataset,
  options: ObserveRangesOptions,
): Promise<number[]> {
  const ranges = await calibrateRanges(dataset, BATCH, async (batch) =>
    highestValues(graph, await toInput(batch, graph, options)),
  );
  return ranges.map((range) => Math.max(0, range));
}

/** Pictures as the model reads them, `[n,H,W,C]`. */
async function toInput(
  batch: ImageBatch,
  { input }: InferenceGraph,
  options: ObserveRangesOptions,
): Promise<Float32Array> {
  const { where, inputRange, resizing } = options;
  const values = new Float32Array(batch.labels.length * input.height * input.width * input.channels);
  let end = 0;
  for (const picture of picturesOf(batch)) {
    const converted = await convertChannels(picture, input.channels, where);
    const { data } = await resizePicture(converted, input, resizing);
    values.set(mapToRange(data, inputRange, input.channels), end);
    end += data.length;
  }
  return values;
}

/** For each picture the highest value that each stage makes of it, `[n,S]`. */
async function highestValues({ input, stages }: InferenceGraph, images: Float32Array): Promise<Float32Array> {
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
    const highest = stack(maxima, 1);
    maxima.push(highest);
    return await highest.data<'float32'>();
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
