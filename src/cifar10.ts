import type { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { platform } from '#platform';
import records from '../models/cifar10/models.json';
import type { Classifier } from './classify/classifier';
import { CLASSIFIER_OPTIONS, type CreateClassifierOptions } from './classify/classifierOptions';
import { createClassifier } from './classify/createClassifier';
import { check, checkOptions, fail, MobilenetError } from './errors';
import { LOAD_MODEL_OPTIONS, type LoadModelOptions, loadModel } from './io/loadModel';
import { httpFiles } from './io/modelFiles';
import { joinPath } from './io/paths';
import { readModelFiles } from './io/readModelFiles';
import { isUrl } from './io/url';
import { addressOf } from './platform/address';

/** Widths of MobileNetV1 that come trained. */
export type Cifar10Alpha = 1 | 0.25;

/** What is known of a trained model; accuracies are of its files on CIFAR-10's 10,000 test pictures, JPEG-compressed once. */
export interface Cifar10ModelInfo {
  readonly alpha: Cifar10Alpha;
  /** Stride of the first convolution. */
  readonly stemStride: number;
  /** All weights, batch norm's averages among them. */
  readonly parameters: number;
  /** Of its two files. */
  readonly bytes: number;
  /** Fraction of the test pictures that it classifies right (top 1). */
  readonly accuracy: number;
  /** The same by the mean probabilities of a picture and its mirror image. */
  readonly accuracyWithFlip: number;
  /** `accuracy` of the pictures of each class. */
  readonly perClass: Readonly<Record<string, number>>;
  /** Of the training, the name of one of `recipes`; `command` says what was changed in it. */
  readonly recipe: string;
  /** Of the last part, where it was trained in several; epochs and minutes are of all. */
  readonly seed: number;
  readonly epochs: number;
  readonly minutes: number;
  /** What trained it. */
  readonly command: string;
}

/**
 * The trained models of this package, the most accurate first: plain data, which loads none of them.
 *
 * @example
 * ```ts
 * import { cifar10Models } from 'mobilenet-v1-ts/cifar10';
 *
 * console.table(cifar10Models, ['alpha', 'accuracy', 'bytes']);
 * ```
 */
export const cifar10Models = records as readonly Cifar10ModelInfo[];

/** Options for {@link loadCifar10Model}. */
export interface LoadCifar10ModelOptions extends LoadModelOptions {
  /** Width of the network; 1 is the more accurate, 0.25 much the smaller and faster. @default 0.25 */
  alpha?: Cifar10Alpha | undefined;
  /**
   * Where a copy of the package's folder `dist/cifar10` is: an address, or in Node a path too. For who serves the files
   * elsewhere, and for bundlers that do not bring along what stands in `new URL('...', import.meta.url)` (esbuild, and the
   * development server of Vite up to 7: there `/node_modules/mobilenet-v1-ts/dist/cifar10`).
   * @default beside the package's script
   */
  url?: string | URL | undefined;
}

const MODEL_OPTIONS = { ...LOAD_MODEL_OPTIONS, alpha: 'any', url: 'any' } as const;

/** Options for {@link cifar10Classifier}. */
export interface Cifar10ClassifierOptions extends CreateClassifierOptions, LoadCifar10ModelOptions {}

/**
 * Loads a MobileNetV1 trained on CIFAR-10: pictures `[N,32,32,3]` in, probabilities `[N,10]` out; its metadata holds the
 * class names and the input range.
 *
 * @throws {MobilenetError} `invalid-argument`, `download-failed`, `file-system`, `invalid-data`, `missing-backend`
 * @example
 * ```ts
 * import { loadCifar10Model } from 'mobilenet-v1-ts/cifar10';
 *
 * const model = await loadCifar10Model({ alpha: 1 });
 * console.log(getModelMetadata(model).classNames);
 * ```
 */
export async function loadCifar10Model(options: LoadCifar10ModelOptions = {}): Promise<LayersModel> {
  checkOptions('loadCifar10Model', options, MODEL_OPTIONS);
  return loadModel(modelHandler('loadCifar10Model', options));
}

/**
 * A classifier of CIFAR-10's ten classes (airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck); it takes
 * pictures of any kind and size, and sees them at 32 x 32.
 *
 * @throws {MobilenetError} what `createClassifier` and {@link loadCifar10Model} throw
 * @example
 * ```ts
 * import { cifar10Classifier } from 'mobilenet-v1-ts/cifar10';
 *
 * const classifier = await cifar10Classifier();
 * const [best] = await classifier.classify('cat.jpg');
 * console.log(best!.className, best!.probability);
 * await classifier.dispose();
 * ```
 */
export async function cifar10Classifier(options: Cifar10ClassifierOptions = {}): Promise<Classifier> {
  checkOptions('cifar10Classifier', options, { ...CLASSIFIER_OPTIONS, ...MODEL_OPTIONS });
  const { alpha, url, onProgress, fetch, ...classifying } = options;
  return createClassifier(modelHandler('cifar10Classifier', options), classifying);
}

/** Addresses of a model's files. */
interface ModelAddresses {
  json: string;
  weights: string;
}

/**
 * The files that come with the package. Bundlers find and rename whatever stands literally in `new URL(...)`, so each file
 * must, and the path that model.json has for its weights says nothing. In functions: an import has no side effects.
 */
const packaged: Record<Cifar10Alpha, () => ModelAddresses> = {
  1: () => ({
    json: new URL('./cifar10/alpha-1/model.json', import.meta.url).href,
    weights: new URL('./cifar10/alpha-1/weights.bin', import.meta.url).href,
  }),
  0.25: () => ({
    json: new URL('./cifar10/alpha-0.25/model.json', import.meta.url).href,
    weights: new URL('./cifar10/alpha-0.25/weights.bin', import.meta.url).href,
  }),
};

function modelHandler(where: string, options: LoadCifar10ModelOptions): io.IOHandler {
  const { alpha = 0.25, url, signal, onProgress } = options;
  check(Object.hasOwn(packaged, alpha), { where, expected: 'alpha to be 1 or 0.25', received: alpha });
  const { json, weights } = url === undefined ? packaged[alpha]() : copied(where, String(url), alpha);
  const { read: downloaded } = httpFiles(json, options);
  const read = (address: string) =>
    platform.name === 'browser' || isUrl(address) ? downloaded(address) : platform.readFile(address);
  return {
    async load() {
      signal?.throwIfAborted();
      try {
        const artifacts = await readModelFiles({ json, locate: () => weights, read }, onProgress);
        // tfjs's type knows its own quantizations only.
        return artifacts as io.ModelArtifacts;
      } catch (error) {
        if (url === undefined) explainLostFiles(where, json, error);
        throw error;
      }
    },
  };
}

/**
 * Where a bundler moved the script and left its files behind, a server answers with a 404 or another page; and one that made
 * addresses for browsers of them has broken the script for servers.
 */
function explainLostFiles(where: string, json: string, error: unknown): void {
  if (!(error instanceof MobilenetError)) return;
  fail({
    code: error.code,
    where,
    expected: `the package's files at ${json}`,
    received: error.message,
    remedy:
      "Serve the package's folder dist/cifar10, and pass its address as url; on a server rather leave the package out of the " +
      'bundle (in Next.js: serverExternalPackages).',
    cause: error,
  });
}

function copied(where: string, folder: string, alpha: Cifar10Alpha): ModelAddresses {
  const address = addressOf(where, folder);
  const placeOf = (name: string) => {
    const file = `alpha-${alpha}/${name}`;
    if (address === undefined) return joinPath(folder, file);
    // A query, such as a token, stays behind the path.
    const place = new URL(address);
    place.pathname = joinPath(place.pathname, file);
    return place.href;
  };
  return { json: placeOf('model.json'), weights: placeOf('weights.bin') };
}
