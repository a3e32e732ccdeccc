import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageDataset } from '../data/imageDataset';
import { check } from '../errors';

/** Throws unless the model takes the dataset's pictures `[N,H,W,C]` and gives its classes `[N,K]`. */
export function checkModelFitsDataset(where: string, model: LayersModel, dataset: ImageDataset): void {
  check(model.inputs.length === 1 && model.outputs.length === 1, {
    where,
    expected: 'a model with one input and one output',
    received: `${model.inputs.length} inputs and ${model.outputs.length} outputs`,
  });
  check(dataset.size > 0, { where, expected: 'a dataset with at least one picture', received: 'an empty one' });

  const { height, width, channels, classNames } = dataset;
  const input = model.inputs[0]!.shape.slice(1);
  const pictures = [height, width, channels];
  check(input.length === 3 && input.every((size, i) => size === null || size === pictures[i]), {
    where,
    expected: `a model whose input is [${pictures}], as the dataset's pictures`,
    received: `[${input}]`,
    remedy: `Build it with inputShape: [${pictures}].`,
  });
  const output = model.outputs[0]!.shape.slice(1);
  check(output.length === 1 && output[0] === classNames.length, {
    where,
    expected: `a model with ${classNames.length} outputs, one for each class of the dataset`,
    received: `output shape [${output}]`,
    remedy: `Build it with classes: ${classNames.length}.`,
  });
}
