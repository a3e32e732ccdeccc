import type { LayersModel } from '@tensorflow/tfjs-layers';
import { backendReady } from '../backend';
import { check, checkInteger, checkOptions } from '../errors';
import { checkInputRange } from '../inputRange';
import { checkModel } from '../model/checkModel';
import { getModelMetadata } from '../model/metadata';
import { exportedStages } from './exportedStages';

/** Options for {@link exportTflite}. */
export interface ExportTfliteOptions {
  /**
   * How many pictures go in at a time. Python's interpreter can change it with `resize_tensor_input`; LiteRT.js cannot.
   * @default 1
   */
  batch?: number | undefined;
  /**
   * `'float16'` stores kernels in half the bytes; the network still computes in float32. They change by at most 1/2048 of
   * themselves (those below 2^-14 by 2^-25); one that holds a value beyond 65,504 stays float32.
   * @default float32, every bit as it is
   */
  quantize?: 'float16' | undefined;
}

const WHERE = 'exportTflite';

/**
 * The model as a TFLite file, for LiteRT in Python, on telephones and, as LiteRT.js, in browsers.
 *
 * Takes any chain of layers that the library's own engine can express. Pictures `[batch,H,W,C]` of float32 in the model's
 * input range to its outputs, probabilities or logits as the model has them, by the names of the model's input and output in
 * the signature `serving_default`. Batch norms are folded into the convolutions, so a training cannot go on in such a file.
 *
 * The metadata entry `mobilenet-v1-ts` holds `classNames`, `inputRange`, `inputShape`, `fit`, `cropFraction`, `cropAfterResize`
 * and `interpolation`, as far as the model knows them, as JSON; the input range is in `TFLITE_METADATA` too, as mean and
 * standard deviation. The model is not changed.
 *
 * Probabilities are within 1e-5 of the model's, logits within 1e-4.
 *
 * @throws {MobilenetError} `invalid-argument` where an option is out of range, or for a layer that cannot be expressed, named
 * in the message; `missing-backend`, also where the package `flatbuffers` is missing
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises';
 *
 * await writeFile('model.tflite', await exportTflite(model));
 * ```
 */
export async function exportTflite(
  model: LayersModel,
  options: ExportTfliteOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkModel(WHERE, model);
  checkOptions(WHERE, options, { batch: 'any', quantize: 'any' });
  const { batch = 1, quantize } = options;
  checkInteger(WHERE, 'batch', batch, 1);
  check(quantize === undefined || quantize === 'float16', {
    where: WHERE,
    expected: "quantize to be 'float16'",
    received: quantize,
    remedy: 'Leave it out for float32.',
  });
  const graph = exportedStages(WHERE, 'TFLite', model);
  const { inputRange } = getModelMetadata(model);
  if (inputRange) checkInputRange(WHERE, inputRange, graph.input.channels);
  await backendReady(WHERE);
  const { writeTflite } = await import('./tflite/writeTflite');
  return writeTflite(model, graph, { batch, weights: quantize ?? 'float32' });
}
