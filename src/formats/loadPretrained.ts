import type { LayersModel } from '@tensorflow/tfjs-layers';
import { backendReady } from '../backend';
import { check, checkInteger, checkOptions } from '../errors';
import { isHttp } from '../io/url';
import type { MobilenetV1Options } from '../model/options';
import { addressOf } from '../platform/address';
import type { LoadProgress } from '../platform/cachedDownload';
import type { PretrainedPlace, PretrainedSettings } from './pretrained/loadPretrainedModel';
import type { PretrainedSource } from './pretrained/pretrainedNetworks';

/** Options for {@link loadPretrained}. */
export interface LoadPretrainedOptions
  extends Pick<MobilenetV1Options, 'pooling' | 'dropout' | 'classifierActivation' | 'seed'> {
  /**
   * Whose weights.
   *
   * - `'keras'`: `keras.applications.MobileNet`, alpha 1, 0.75, 0.5 and 0.25 at 224, 192, 160 and 128.
   * - `'timm'`: PyTorch's `mobilenetv1_100` and `mobilenetv1_125` (alpha 1 and 1.25) of the training `ra4_e3600_r224_in1k`,
   *   the most accurate; at 32 or more, trained at 224.
   * - `'tfjs'`: the classic layers models of TensorFlow.js, alpha 1, 0.75, 0.5 and 0.25 at 224.
   */
  source: PretrainedSource;
  /** Width multiplier. @default 1 */
  alpha?: number | undefined;
  /** Height and width of the pictures that the model takes. @default 224 */
  resolution?: number | undefined;
  /** Whether the head is part of the model; without it, it gives features, see `pooling`. @default true */
  includeTop?: boolean | undefined;
  /** Any number but 1,000 gives a fresh head in the place of ImageNet's; `seed` fixes its weights. @default 1000 */
  classes?: number | undefined;
  /**
   * A copy of the file elsewhere: an address, or in Node a path. Of a tfjs model its `model.json`, or the folder of it.
   * @default the public address
   */
  url?: string | URL | undefined;
  /**
   * Where downloads are kept: a folder in Node, the name of a cache in browsers. @default the cache folder of the
   * operating system, or the Cache API
   */
  cacheDir?: string | undefined;
  /**
   * What the bytes are checked by, beside the shapes of the weights: `true` the published checksum, which the files of
   * Keras and timm have, and on later loads what the download was; a SHA-256 of your own, as `onDigest` gives it; `false`
   * nothing.
   * @default true
   */
  verify?: boolean | string | undefined;
  /**
   * Called with the SHA-256 of the file that was loaded, 64 lower-case hexadecimal digits; of a tfjs model that of
   * `model.json` and all shards in its order, one behind the other.
   */
  onDigest?: ((sha256: string) => void) | undefined;
  onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Ends the load; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** What downloads. @default globalThis.fetch */
  fetch?: typeof globalThis.fetch | undefined;
}

const WHERE = 'loadPretrained';

const PRETRAINED_OPTIONS = {
  source: 'any',
  alpha: 'any',
  resolution: 'any',
  includeTop: 'boolean',
  pooling: 'any',
  dropout: 'any',
  classifierActivation: 'any',
  classes: 'any',
  seed: 'any',
  url: 'any',
  cacheDir: 'string',
  verify: 'any',
  onDigest: 'function',
  onProgress: 'function',
  signal: 'signal',
  fetch: 'function',
} as const;

/**
 * Loads MobileNetV1 with weights that were trained on ImageNet, from their public addresses; a download is kept and used
 * from then on, without a network too.
 *
 * `[N,H,W,3]` to the probabilities of the 1,000 classes, `[N,1000]`. The metadata says how accuracy was measured (input
 * range, crop, interpolation) and what the classes are called, so that `createClassifier` needs no options. The weights
 * are Google's (keras, tfjs) and Ross Wightman's (timm), all under Apache-2.0.
 *
 * `node scripts/checkPretrained.mjs`, in the project's folder, asks every address whether it is still there. In a browser
 * the server must allow other origins (CORS); where it does not, serve a copy and pass its `url`.
 *
 * @throws {MobilenetError} `invalid-argument` for a network that does not exist, `download-failed`, `invalid-data` where
 * the file is another one or damaged, `file-system`, `missing-backend`; the signal's reason where it was aborted. No tensor
 * stays behind then, and no part of a download.
 * @see https://keras.io/api/applications/mobilenet/
 * @see https://huggingface.co/timm/mobilenetv1_100.ra4_e3600_r224_in1k
 * @example
 * ```ts
 * const imagenet = await loadPretrained({ source: 'keras', alpha: 0.25, resolution: 128 });
 * const classifier = await createClassifier(imagenet);
 * console.log(await classifier.classify('cat.jpg'));
 *
 * // The features of ImageNet for classes of your own.
 * const flowers = await loadPretrained({ source: 'timm', classes: 5, seed: 1 });
 * freeze(flowers);
 * ```
 */
export async function loadPretrained(options: LoadPretrainedOptions): Promise<LayersModel> {
  const settings = resolveOptions(options);
  // On use: with its checksums it is larger than many a function.
  const { checkPretrainedNetwork } = await import('./pretrained/pretrainedNetworks');
  checkPretrainedNetwork(WHERE, settings.network);
  settings.signal?.throwIfAborted();
  await backendReady(WHERE);
  const { loadPretrainedModel } = await import('./pretrained/loadPretrainedModel');
  return loadPretrainedModel(settings);
}

function resolveOptions(options: LoadPretrainedOptions): PretrainedSettings {
  checkOptions(WHERE, options, PRETRAINED_OPTIONS);
  const { source, alpha = 1, resolution = 224, includeTop = true, classes = 1000, verify = true, url } = options;
  const network = { source, alpha, resolution };
  checkInteger(WHERE, 'classes', classes, 1);
  check(typeof verify === 'boolean' || (typeof verify === 'string' && /^[0-9a-f]{64}$/.test(verify)), {
    where: WHERE,
    expected: 'verify to be true, false or a SHA-256 of 64 lower-case hexadecimal digits',
    received: verify,
  });
  check(url === undefined || (typeof url === 'string' && url !== '') || url instanceof URL, {
    where: WHERE,
    expected: 'url to be an address or a path',
    received: url,
  });
  return {
    ...options,
    network,
    includeTop,
    classes,
    verify,
    place: url === undefined ? undefined : placeOf(String(url)),
  };
}

function placeOf(place: string): PretrainedPlace {
  const url = addressOf(WHERE, place);
  if (url === undefined) return { path: place };
  check(isHttp(url), { where: WHERE, expected: 'url to be an http(s):// address or a path', received: place });
  return { url };
}
