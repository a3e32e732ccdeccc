import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageDataset } from '../data/imageDataset';
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
  check(dataset?.size > 0, {
    where,
    expected: 'a dataset with at least one picture',
    received: dataset?.size === 0 ? 'an empty one' : describe(dataset),
  });

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

/** Throws unless it is a model; a loader's promise is the usual mistake. */
export function checkModel(where: string, model: unknown): asserts model is LayersModel {
  const isModel = Array.isArray((model as LayersModel | undefined)?.weights);
  check(isModel, { where, expected: 'a tf.LayersModel', received: describe(model) });
}

function describe(value: unknown): string {
  if (value instanceof Promise) return 'a promise, which is to be awaited';
  return typeof value === 'object' && value !== null ? `an object of ${Object.keys(value).join(', ')}` : String(value);
}
