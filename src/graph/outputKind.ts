import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { fail } from '../errors';

/** What the last layer gives: probabilities behind a softmax, or logits. */
export type OutputKind = 'probabilities' | 'logits';

type GraphLayer = SymbolicTensor['sourceLayer'] & { outputs?: SymbolicTensor[] };

/** Layers that leave values as they are in inference. */
const passing = ['Reshape', 'Flatten', 'Dropout'];
/** Activations whose classes have no `activation` among their settings. */
const activations = ['ReLU', 'LeakyReLU', 'PReLU', 'ELU', 'ThresholdedReLU'];

/** Finds out what a model's output is by walking back from it over layers that leave its values as they are. */
export function outputKindOf(where: string, model: LayersModel): OutputKind {
  let tensor = model.outputs[0]!;
  for (;;) {
    const layer: GraphLayer = tensor.sourceLayer;
    const kind = layer.getClassName();
    if (layer.outputs) {
      tensor = layer.outputs[0]!;
    } else if (passing.includes(kind) || (kind === 'Activation' && activationOf(layer) === 'linear')) {
      tensor = layer.inboundNodes[tensor.nodeIndex]!.inputTensors[0]!;
    } else {
      const activation = activationOf(layer);
      if (activation === 'softmax') return 'probabilities';
      if (activation === 'linear') return 'logits';
      return fail({
        code: 'invalid-argument',
        where,
        expected: 'a model that ends in a softmax or in linear logits',
        received: `activation '${activation}' of layer '${layer.name}'`,
        remedy: 'Give the last layer activation: "softmax", or none.',
      });
    }
  }
}

function activationOf(layer: GraphLayer): string {
  const kind = layer.getClassName();
  if (kind === 'Softmax') return 'softmax';
  return activations.includes(kind) ? kind : ((layer.getConfig().activation as string) ?? 'linear');
}
