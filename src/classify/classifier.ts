import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { ClassifierImage } from './classifierImage';
import type { ClassifierInfo } from './runner';
import type { Classification } from './topClasses';

/** Options for {@link Classifier.classify}. */
export interface ClassifyOptions {
  /** The most probable classes, at most as many as there are. @default 5 */
  topK?: number | undefined;
  /** Gives up the call: the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options for {@link Classifier.embed}. */
export interface EmbedOptions {
  /** The name of a layer. @default the GlobalAveragePooling2D layer */
  layer?: string | undefined;
  /** Gives up the call: the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Turns pictures into labels or embeddings.
 *
 * Calls may be made while others run: they queue up, and each is done in the order of the calls. Those that were not done
 * when the classifier is disposed of, and those that come after, reject with a MobilenetError of the code `disposed`.
 *
 * A picture that is changed or disposed of before its result has come may or may not be read as it was.
 */
export interface Classifier {
  /** What it runs on. */
  readonly info: ClassifierInfo;
  readonly classNames: readonly string[];
  /**
   * The most probable classes of a picture, sorted by their probability; where the model ends in logits, by their softmax.
   *
   * @throws {MobilenetError} `invalid-argument`, `invalid-data`, `file-system`, `download-failed`, `missing-backend` where
   * the picture cannot be read; `non-finite` where the model gives NaN; `engine-failed` where a thread ended; `disposed`
   */
  classify(image: ClassifierImage, options?: ClassifyOptions): Promise<Classification[]>;
  /**
   * The same for several pictures, which are read 32 at a time; faster than one by one.
   *
   * @param images any iterable, or a tensor `[N,H,W,C]`
   * @throws {MobilenetError} as `classify` does
   */
  classifyBatch(images: Iterable<ClassifierImage> | Tensor4D, options?: ClassifyOptions): Promise<Classification[][]>;
  /**
   * What a layer puts out for a picture, row-major. The first call for a layer sets up what runs the model up to there.
   *
   * With the engine this comes from the same copy of the weights as the classes do. An `'int8'` classifier embeds in int8
   * where it can quantise the model up to this layer, else in float32.
   *
   * @throws {MobilenetError} as `classify` does; `invalid-argument` where there is no such layer; `engine-failed` also where
   * the engine cannot end with it, as with a padding
   */
  embed(image: ClassifierImage, options?: EmbedOptions): Promise<Float32Array>;
  /** Ends it; resolves when its threads are gone, and the model, where it was loaded for it. May be called again. */
  dispose(): Promise<void>;
}
