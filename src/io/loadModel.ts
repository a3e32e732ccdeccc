import { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { platform } from '#platform';
import { check, checkOptions, fail, quoted } from '../errors';
import { addressOf } from '../platform/address';
import { buildModel } from './buildModel';
import { type CheckedArtifacts, checkArtifacts } from './checkArtifacts';
import { folderFiles, httpFiles, pickedFiles } from './modelFiles';
import { readModelFiles } from './readModelFiles';
import { isHttp, isUrl } from './url';

/** Where {@link loadModel} loads from. */
export type ModelSource = string | io.IOHandler | ArrayLike<File>;

/** Options for {@link loadModel}. */
export interface LoadModelOptions {
  /** Called with the fraction of weight files that have been read, 0 to 1; not for stores such as `indexeddb://`. */
  onProgress?: ((fraction: number) => void) | undefined;
  /** Ends a download; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** For `http(s)://`. @default globalThis.fetch */
  fetch?: typeof globalThis.fetch | undefined;
}

/** What there is among them. */
export const LOAD_MODEL_OPTIONS = { onProgress: 'function', signal: 'signal', fetch: 'function' } as const;

/**
 * Loads a model in the tfjs layers format, ours or any other; it comes uncompiled, its metadata with it.
 *
 * @param source In Node a folder or the path of a `model.json`; anywhere the URL of a `model.json` (in a browser from the
 * page's own on: '/my-model/model.json'), `indexeddb://name`,
 * `localstorage://name`, the files that a user picked, or an `IOHandler` of tfjs.
 * @throws {MobilenetError} `file-system`, `download-failed`, `invalid-data` (a damaged file, another model's weights, a
 * graph model), `missing-backend`, `invalid-argument`. No tensor stays behind then.
 * @example
 * ```ts
 * const model = await loadModel('my-model');
 * const { classNames } = getModelMetadata(model);
 * ```
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<LayersModel> {
  checkOptions('loadModel', options, LOAD_MODEL_OPTIONS);
  checkSource('loadModel', source);
  return buildModel(await readSource(source, options));
}

/** A promise, or an address that is a URL, is the usual mistake. */
export function checkSource(where: string, source: unknown, alternatives = ''): asserts source is ModelSource {
  const isObject = typeof source === 'object' && source !== null && (isFiles(source) || 'load' in source);
  check((typeof source === 'string' && source !== '') || isObject, {
    where,
    expected: `${alternatives}a path, a URL as a string, files or an IOHandler with a load method`,
    received: quoted(source),
  });
}

/** Whether they are files that a user picked, or none; not the bytes of one, nor paths. */
function isFiles(source: object): boolean {
  // Not made an array of first, as bytes may be many.
  return 'length' in source && Array.prototype.every.call(source, (file) => file?.name && file.arrayBuffer);
}

async function readSource(source: ModelSource, options: LoadModelOptions): Promise<CheckedArtifacts> {
  if (typeof source !== 'string') {
    return 'length' in source
      ? readModelFiles(pickedFiles(source), options.onProgress)
      : checkArtifacts('loadModel', await readHandler(source));
  }
  const address = addressOfModel(source);
  if (address !== undefined) return readModelFiles(httpFiles(address, options), options.onProgress);
  if (isUrl(source)) return checkArtifacts(source, await readStore(source));
  return readModelFiles(await folderFiles(source), options.onProgress);
}

/** In a browser the page's own server has a `model.json` too, by its path; folders cannot be listed there. */
function addressOfModel(source: string): string | undefined {
  if (isHttp(source)) return source;
  const isPagePath = platform.name === 'browser' && !isUrl(source) && /\.json(?:[?#].*)?$/.test(source);
  return isPagePath ? addressOf('loadModel', source) : undefined;
}

/** A handler that the user gave throws errors of its own, which are left as they are. */
async function readHandler(handler: io.IOHandler): Promise<io.ModelArtifacts> {
  check(typeof handler.load === 'function', {
    where: 'loadModel',
    expected: 'an IOHandler with a load method',
    received: 'one without',
  });
  return handler.load();
}

async function readStore(url: string): Promise<io.ModelArtifacts> {
  const [handler] = io.getLoadHandlers(url);
  check(handler !== undefined, {
    where: url,
    expected: 'a URL that tfjs can load from here',
    received: 'one without a handler',
    remedy: 'indexeddb:// and localstorage:// exist in browsers only; downloads:// can only be saved to.',
  });
  try {
    return await readHandler(handler);
  } catch (error) {
    fail({
      code: 'file-system',
      where: url,
      expected: 'a stored model',
      received: String(error),
      remedy: 'tf.io.listModels() lists the models that are stored here.',
      cause: error,
    });
  }
}
