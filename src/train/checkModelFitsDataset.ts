import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkPictures, type ImageDataset } from '../data/imageDataset';
import { check } from '../errors';

/**
 * Throws unless the model takes the dataset's pictures `[N,H,W,C]` and gives its classes `[N,K]`.
 *
 * @param remedy what to do where they do not fit; another model, unless told
 */
export function checkModelFitsDataset(where: string, model: LayersModel, dataset: ImageDataset, remedy?: string): void {
  check(model.inputs.length === 1 && model.outputs.length === 1, {
    where,
    expected: 'a model with one input and one output',
    received: `${model.inputs.length} inputs and ${model.outputs.length} outputs`,
  });
  checkPictures(where, dataset);

  const { height, width, channels, classNames } = dataset;
  const input = model.inputs[0]!.shape.slice(1);
  const pictures = [height, width, channels];
  check(input.length === 3 && input.every((size, i) => size === null || size === pictures[i]), {
    where,
    expected: `a model whose input is [${pictures}], as the dataset's pictures`,
    received: `[${input}]`,
    remedy: remedy ?? `Build it with inputShape: [${pictures}].`,
  });
  const output = model.outputs[0]!.shape.slice(1);
  check(output.length === 1 && output[0] === classNames.length, {
    where,
    expected: `a model with ${classNames.length} outputs, one for each class of the dataset`,
    received: `output shape [${output}]`,
    remedy: remedy ?? `Build it with classes: ${classNames.length}.`,
  });
}
