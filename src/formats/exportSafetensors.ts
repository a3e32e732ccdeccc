import type { LayersModel } from '@tensorflow/tfjs-layers';
import { check, checkOptions } from '../errors';
import { checkModel } from '../model/checkModel';
import { checkOneOf } from '../model/options';

/** Options for {@link exportSafetensors}. */
export interface ExportSafetensorsOptions {
  /**
   * Names and layouts of the tensors.
   *
   * - `'timm'`: those of PyTorch's `timm.create_model('mobilenetv1_100')`, for a MobileNetV1 of any width.
   * - `'keras'`: `layer/weight` and TensorFlow's layouts, for any chain of convolutions, dense layers and batch norms.
   * @default 'timm'
   */
  layout?: 'timm' | 'keras' | undefined;
  /**
   * The epsilon of the batch norms in the network that will read the file, such as timm's default, 1e-5. Gamma is scaled
   * so that the function stays the same; without it every weight keeps its bits.
   * @default the model's own
   */
  epsilon?: number | undefined;
}

/**
 * The weights of a model as a safetensors file, which `loadWeights`, Python's safetensors and timm read.
 *
 * What a file of tensors cannot hold is in its metadata: epsilon, padding and what the model knows of its pictures, for
 * `loadWeights`; and under `timm` the call that makes the same network in Python, where timm has it.
 *
 * @throws {MobilenetError} `invalid-argument` where the model is no chain, for `'timm'` no MobileNetV1, or for `'keras'` two
 * of its layers have one name, as those of nested models may
 * @example
 * ```ts
 * const bytes = await exportSafetensors(model);
 * ```
 * In Python:
 * ```python
 * model = timm.create_model('mobilenetv1_100', num_classes=1000, bn_eps=0.001, pad_type='same')
 * model.load_state_dict(safetensors.torch.load_file('model.safetensors'))
 * ```
 */
export async function exportSafetensors(
  model: LayersModel,
  options: ExportSafetensorsOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const where = 'exportSafetensors';
  checkModel(where, model);
  checkOptions(where, options, { layout: 'any', epsilon: 'any' });
  const { layout = 'timm', epsilon } = options;
  checkOneOf(where, 'layout', layout, ['timm', 'keras']);
  check(epsilon === undefined || (epsilon > 0 && Number.isFinite(epsilon)), {
    where,
    expected: 'epsilon to be a number above 0',
    received: epsilon,
  });
  const { writeSafetensorsWeights } = await import('./safetensors/writeSafetensorsWeights');
  return writeSafetensorsWeights(model, { layout, epsilon });
}
