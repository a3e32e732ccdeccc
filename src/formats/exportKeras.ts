import type { LayersModel } from '@tensorflow/tfjs-layers';
import { backendReady } from '../backend';
import { checkOptions } from '../errors';
import { checkModel } from '../model/checkModel';
import { checkOneOf } from '../model/options';

/** Options for {@link exportKeras}. */
export interface ExportKerasOptions {
  /**
   * `'keras'` is Keras 3's own format; `'h5'` is read by Keras 2 and 3.
   * @default 'keras'
   */
  format?: 'keras' | 'h5' | undefined;
}

const WHERE = 'exportKeras';

/**
 * The model as a file that Python's Keras opens with `keras.models.load_model`, and trains further, without our code.
 *
 * Takes any chain of layers that {@link mobilenetV1} and {@link replaceHead} build, and others of the same layer classes;
 * models inside of the model are taken apart into their layers. Layers have the same names, settings and `trainable` flags
 * there, and the weights the same bits; predictions differ by rounding, at most 1e-5. The model comes uncompiled.
 *
 * Class names, input range and the like lie beside it under the name `mobilenet-v1-ts`, which Keras does not look at: a key
 * of `metadata.json` in a `.keras`, an attribute of an `.h5`. The same model gives the same bytes. It is not changed.
 *
 * @throws {MobilenetError} `invalid-argument` for a layer that Keras has not, or not the same, named in the message;
 * `missing-backend`, for `'keras'` also where the package `fflate` is missing
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises';
 *
 * await writeFile('model.keras', await exportKeras(model));
 * await writeFile('model.h5', await exportKeras(model, { format: 'h5' }));
 * ```
 */
export async function exportKeras(
  model: LayersModel,
  options: ExportKerasOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkModel(WHERE, model);
  checkOptions(WHERE, options, { format: 'any' });
  const { format = 'keras' } = options;
  checkOneOf(WHERE, 'format', format, ['keras', 'h5']);
  await backendReady(WHERE);
  const { writeKerasArchive, writeKerasH5 } = await import('./keras/writeKeras');
  return format === 'keras' ? writeKerasArchive(WHERE, model) : writeKerasH5(WHERE, model);
}
