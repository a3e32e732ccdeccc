import type { LayersModel } from '@tensorflow/tfjs-layers';
import { backendReady } from '../backend';
import { checkSource, loadModel, type ModelSource } from '../io/loadModel';
import { checkModel } from '../model/checkModel';
import type { Classifier } from './classifier';
import { type CreateClassifierOptions, checkClassifierOptions, resolveClassifierOptions } from './classifierOptions';
import { createRunners } from './createRunners';
import { ModelClassifier } from './modelClassifier';

/**
 * Makes a classifier of a model: pictures of any kind in, labels or embeddings out.
 *
 * The model is any `tf.LayersModel` from pictures `[N,H,W,C]` to classes `[N,K]`, ending in a softmax or in logits. It is
 * neither changed nor disposed of. The engine works with a copy of its weights, so training it further does not change the
 * classifier; one that runs through tfjs (see `info.engine`) follows the model. A model that is loaded here, from whatever
 * `loadModel` takes, goes with the classifier.
 *
 * @throws {MobilenetError} `invalid-argument` where an option is out of range or does not fit the model, `engine-failed`
 * where `'fused'` or `'int8'` is asked for and the engine cannot express the model or start, `out-of-memory`,
 * `missing-backend`, and what `loadModel` throws
 * @example
 * ```ts
 * const classifier = await createClassifier(model, { preprocessing: { cropFraction: 0.875 } });
 * const [best] = await classifier.classify('cat.jpg');
 * console.log(`${best!.className}, ${(100 * best!.probability).toFixed(1)} %`);
 * const embedding = await classifier.embed('cat.jpg');
 * await classifier.dispose();
 * ```
 */
export async function createClassifier(
  model: LayersModel | ModelSource,
  options: CreateClassifierOptions = {},
): Promise<Classifier> {
  checkClassifierOptions(options);
  const { signal } = options;
  if (isModel(model)) checkModel('createClassifier', model);
  else checkSource('createClassifier', model, 'a tf.LayersModel, ');
  signal?.throwIfAborted();
  await backendReady('createClassifier');
  if (isModel(model)) return classifierOf(model, options, () => {});
  const loaded = await loadModel(model, { signal });
  const release = () => void loaded.dispose();
  try {
    return await classifierOf(loaded, options, release);
  } catch (error) {
    release();
    throw error;
  }
}

async function classifierOf(
  model: LayersModel,
  options: CreateClassifierOptions,
  release: () => void,
): Promise<Classifier> {
  const settings = resolveClassifierOptions(model, options);
  settings.signal?.throwIfAborted();
  const runners = await createRunners(model, settings);
  if (settings.signal?.aborted) await runners.whole.dispose();
  settings.signal?.throwIfAborted();
  return new ModelClassifier({ model, settings, runners, release });
}

/** Whether it is a model, of any copy of tfjs-layers. */
function isModel(model: LayersModel | ModelSource): model is LayersModel {
  return typeof model === 'object' && model !== null && 'predictOnBatch' in model;
}
