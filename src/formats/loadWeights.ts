import type { LayersModel } from '@tensorflow/tfjs-layers';
import { check, checkOptions } from '../errors';
import { checkModel } from '../model/checkModel';
import { checkOneOf } from '../model/options';
import type { AssignWeightsOptions } from './assignWeights';
import type { LoadedWeights } from './loadWeightFile';
import type { OpenWeightSourceOptions, WeightSource } from './weightSource';

/** Options for {@link loadWeights}. */
export interface LoadWeightsOptions extends AssignWeightsOptions {
  /** Called with the fraction of what there is to read, 0 to 1, where that is known. */
  onProgress?: ((fraction: number) => void) | undefined;
  /** Ends a download; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** For `http(s)://`. @default globalThis.fetch */
  fetch?: typeof globalThis.fetch | undefined;
}

const LOAD_OPTIONS = {
  head: 'any',
  ignorePadding: 'boolean',
  ignoreActivations: 'boolean',
  ignoreStrides: 'boolean',
  onProgress: 'function',
  signal: 'signal',
  fetch: 'function',
} as const;

/**
 * Loads the weights of a file of another framework, or of this one, into a model that is built already.
 *
 * The format is told by the content: Keras (`.h5` of whole models or of weights only, `.keras`, `.weights.h5`),
 * safetensors of PyTorch (timm, transformers, and others that name layers in their order), of ours and with names of
 * Keras, TensorFlow.js layers and graph models, TFLite (float and quantised) and ONNX.
 *
 * The network of the file must be the model's: the n-th layer that has weights is the n-th of the other, whatever their
 * names. What may differ is made up for, so that the function stays the same: batch norms that were folded into
 * kernels and biases, an epsilon of another framework (gamma is scaled; the statistics stay true), a classifier that is
 * dense or a 1x1 convolution. A padding that differs is refused, unless `ignorePadding` is set, and so are strides, unless
 * `ignoreStrides` is, and activations, unless `ignoreActivations` is, as far as the file tells them: safetensors files of
 * others and those of weights alone do not.
 *
 * The model's metadata is not changed; `metadata` of the result is what belongs there.
 *
 * @param source In Node a path or `file:` URL; anywhere an `http(s)://` address, the bytes, a `Blob`, or the files that
 * a user picked. A tfjs model is its `model.json`, or the folder of it.
 * @throws {MobilenetError} `invalid-argument` where the network is another, with a list of the layers that differ;
 * `invalid-data`, `file-system`, `download-failed`; `missing-backend` where a package is missing that the format needs.
 * The model is then as it was.
 * @example
 * ```ts
 * const model = mobilenetV1({ padding: 'torch' });
 * const { metadata } = await loadWeights(model, 'mobilenetv1_100.safetensors');
 * setModelMetadata(model, metadata);
 *
 * const flowers = mobilenetV1({ classes: 5, padding: 'keras' });
 * await loadWeights(flowers, 'mobilenet_1_0_224_tf_no_top.h5', { head: 'skip' });
 * ```
 */
export async function loadWeights(
  model: LayersModel,
  source: WeightSource,
  options: LoadWeightsOptions = {},
): Promise<LoadedWeights> {
  const where = 'loadWeights';
  checkModel(where, model);
  checkOptions(where, options, LOAD_OPTIONS);
  const {
    head = 'load',
    ignorePadding = false,
    ignoreActivations = false,
    ignoreStrides = false,
    ...opening
  } = options;
  checkOneOf(where, 'head', head, ['load', 'skip', 'dropBackground']);
  check((typeof source === 'string' && source !== '') || (typeof source === 'object' && source !== null), {
    where,
    expected: 'a path, a URL, bytes or files',
    received: source,
  });
  const [{ openWeightSource }, { loadWeightFile }] = await Promise.all([
    import('./weightSource'),
    import('./loadWeightFile'),
  ]);
  const file = await openWeightSource(source, opening satisfies OpenWeightSourceOptions);
  const assigning = { head, ignorePadding, ignoreActivations, ignoreStrides };
  return loadWeightFile(model, file, { ...assigning, onProgress: opening.onProgress });
}
