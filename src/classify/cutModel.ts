import { model as createModel, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { check } from '../errors';

/** Layer names that an error message lists. */
const NAMES_TO_LIST = 8;

/**
 * What a layer puts out in this model.
 *
 * @param layer its name. @default the last GlobalAveragePooling2D layer
 * @throws {MobilenetError} `invalid-argument` where the model has no such layer
 */
export function findOutput(where: string, model: LayersModel, layer: string | undefined): SymbolicTensor {
  const tensors = tensorsOf(model);
  const isWanted = ({ sourceLayer }: SymbolicTensor) =>
    layer === undefined ? sourceLayer.getClassName() === 'GlobalAveragePooling2D' : sourceLayer.name === layer;
  const output = tensors.find(isWanted);
  if (output) return output;
  const names = tensors.slice(0, NAMES_TO_LIST).map(({ sourceLayer }) => `'${sourceLayer.name}'`);
  const others = tensors.length > NAMES_TO_LIST ? ', ...' : '';
  check(false, {
    where,
    expected: 'the name of a layer of the model',
    received: layer ?? 'none, and a model without a GlobalAveragePooling2D layer',
    remedy: `From its output back it has ${names.join(', ')}${others}.`,
  });
}

/**
 * The model up to an output that `findOutput` found in it.
 *
 * It has the same layers and weights, so it is never to be disposed of: that would take the weights of the whole model.
 */
export function cutModel(model: LayersModel, output: SymbolicTensor): LayersModel {
  return createModel({ inputs: model.inputs, outputs: output, name: `${model.name}_until_${output.sourceLayer.name}` });
}

/** What the layers put out in this model, from its output back; a layer may be part of other models, too. */
function tensorsOf(model: LayersModel): SymbolicTensor[] {
  const found = new Set<SymbolicTensor>(model.outputs);
  // A set goes through what is added to it on the way, too.
  for (const { sourceLayer, nodeIndex } of found) {
    for (const tensor of sourceLayer.inboundNodes[nodeIndex]!.inputTensors) found.add(tensor);
  }
  return [...found].filter(({ sourceLayer }) => sourceLayer.getClassName() !== 'InputLayer');
}
