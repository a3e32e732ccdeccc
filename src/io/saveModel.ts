import { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { check, checkOptions, fail, quoted } from '../errors';
import { checkModel } from '../model/checkModel';
import { freezeTopology } from './freezeTopology';
import { quantizeWeights, type WeightQuantization } from './quantizeWeights';
import { isUrl } from './url';
import { writeModelFolder } from './writeModelFolder';

/** Options for {@link saveModel}. */
export interface SaveModelOptions {
  /**
   * Makes the files smaller; `loadModel` gives ordinary float32 models back.
   *
   * - `'float16'`: about two times. In tfjs's own format. Weights change by at most 1/2048 of themselves (those below
   *   2^-14 by 2^-25); one that holds a value beyond 65,504 stays float32.
   * - `'int8'`: about four times. The kernels of dense, convolution and depthwise layers get one scale per output
   *   channel, its largest weight / 127, and change by at most half of it; a kernel that is not finite stays float32, and
   *   so do biases and batch norms. Only `loadModel` reads it: `tf.loadLayersModel` throws "Weight ... has unknown
   *   quantization dtype int8".
   *
   * @default float32, every bit as it is
   */
  quantize?: WeightQuantization | undefined;
}

/**
 * Saves a model in the tfjs layers format, which `tf.loadLayersModel` reads too: the layers with their `trainable`
 * flags, the weights and the metadata, without the optimizer. Of a model that is frozen as a whole, all layers come back
 * frozen. The model itself is not changed.
 *
 * @param target In Node a folder, written whole or not at all; anywhere `indexeddb://name`, `localstorage://name`,
 * `downloads://name`, an `http(s)://` address that takes a POST, or an `IOHandler` of tfjs.
 * @throws {MobilenetError} `file-system`, `invalid-argument`
 * @example
 * ```ts
 * setModelMetadata(model, { classNames: ['cat', 'dog'] });
 * await saveModel(model, 'my-model');
 * await saveModel(model, 'my-small-model', { quantize: 'float16' });
 * ```
 */
export async function saveModel(
  model: LayersModel,
  target: string | io.IOHandler,
  options: SaveModelOptions = {},
): Promise<io.SaveResult> {
  checkModel('saveModel', model);
  checkOptions('saveModel', options, { quantize: 'any' });
  const { quantize } = options;
  checkQuantize(quantize);
  checkWeightNames(model);
  const save = saveHandler(target);
  const userDefinedMetadata = { ...shapeOfInput(model), ...model.getUserDefinedMetadata() };
  const handler = io.withSaveHandler((artifacts) => {
    const modelTopology = freezeTopology(model, artifacts.modelTopology!);
    const weights = quantize ? quantizeWeights(model, artifacts, quantize) : artifacts;
    return save({ ...weights, modelTopology, userDefinedMetadata });
  });
  return model.save(handler, { includeOptimizer: false });
}

function checkQuantize(quantize: unknown): void {
  check(quantize === undefined || quantize === 'float16' || quantize === 'int8', {
    where: 'saveModel',
    expected: "quantize to be 'float16' or 'int8'",
    received: quoted(quantize),
    remedy: 'Leave it out for float32.',
  });
}

/** Layers of two nested models may share a name; weights are found by it, so such a file could not be loaded. */
function checkWeightNames({ weights }: LayersModel): void {
  const names = weights.map(({ originalName }) => originalName);
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  check(repeated === undefined, {
    where: 'saveModel',
    expected: 'a model whose weights have different names',
    received: `two weights named ${repeated}`,
    remedy: 'Give the layers of nested models different names.',
  });
}

function saveHandler(target: string | io.IOHandler): io.SaveHandler {
  if (typeof target === 'string' && target !== '' && !isUrl(target)) {
    return (artifacts) => writeModelFolder(target, artifacts);
  }
  const handler = typeof target === 'string' ? io.getSaveHandlers(target)[0] : target;
  check(typeof handler?.save === 'function', {
    where: 'saveModel',
    expected: 'a folder, a URL that tfjs can save to from here, or an IOHandler with a save method',
    received: target,
    remedy: 'indexeddb://, localstorage:// and downloads:// exist in browsers only; in Node give a folder.',
  });
  if (typeof target !== 'string') return (artifacts) => handler.save!(artifacts);
  return (artifacts) => saveToUrl(target, handler, artifacts);
}

async function saveToUrl(url: string, handler: io.IOHandler, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  try {
    return await handler.save!(artifacts);
  } catch (error) {
    fail({
      code: 'file-system',
      where: url,
      expected: 'a place that takes the model',
      received: String(error),
      remedy: 'Check that there is room, and that a server takes the POST.',
      cause: error,
    });
  }
}

/** The picture size of a model that was never told it, so that it travels in any case. */
function shapeOfInput({ inputs }: LayersModel): { inputShape?: number[] } {
  const shape = inputs[0]?.shape.slice(1) ?? [];
  return shape.length === 3 && shape.every((size) => size !== null) ? { inputShape: shape as number[] } : {};
}
