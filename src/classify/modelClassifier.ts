import { dispose, type Tensor3D, type Tensor4D, unstack } from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { softmax } from '../engine/softmax';
import { check, checkInteger, checkOptions, fail, failure } from '../errors';
import { CallQueue, untilAborted } from './callQueue';
import type { Classifier, ClassifyOptions, EmbedOptions } from './classifier';
import type { ClassifierImage } from './classifierImage';
import type { ClassifierSettings } from './classifierOptions';
import { findOutput } from './cutModel';
import { readAhead } from './readAhead';
import type { ClassifierInfo, Pixels, Runner } from './runner';
import type { Runners } from './runners';
import { isTensor } from './tensorPixels';
import { toPixels } from './toPixels';
import { type Classification, topClasses } from './topClasses';

/** What a {@link ModelClassifier} is made of. */
export interface ModelClassifierParts {
  readonly model: LayersModel;
  readonly settings: ClassifierSettings;
  readonly runners: Runners;
  /** Called at the end. */
  readonly release: () => void;
}

/** The classifier, whatever runs its model. */
export class ModelClassifier implements Classifier {
  readonly info: ClassifierInfo;
  readonly classNames: readonly string[];
  private readonly queue = new CallQueue();
  /** What runs the model up to an output of one of its layers. */
  private readonly cutRunners = new Map<SymbolicTensor, Runner>();
  private ending: Promise<void> | undefined;

  constructor(private readonly parts: ModelClassifierParts) {
    this.info = parts.runners.whole.info;
    this.classNames = parts.settings.classNames;
  }

  async classify(image: ClassifierImage, options: ClassifyOptions = {}): Promise<Classification[]> {
    const [classes] = await this.classifyAll('classify', [image], options);
    return classes!;
  }

  async classifyBatch(
    images: Iterable<ClassifierImage> | Tensor4D,
    options: ClassifyOptions = {},
  ): Promise<Classification[][]> {
    if (!isTensorBatch(images)) return this.classifyAll('classifyBatch', images, options);
    const pictures = images.shape[0] === 0 ? [] : (unstack(images) as Tensor3D[]);
    try {
      return await this.classifyAll('classifyBatch', pictures, options);
    } finally {
      dispose(pictures);
    }
  }

  async embed(image: ClassifierImage, options: EmbedOptions = {}): Promise<Float32Array> {
    checkOptions('embed', options, { layer: 'string', signal: 'signal' });
    const { layer, signal } = options;
    return this.queue.add((givenUp) => {
      const output = findOutput('embed', this.parts.model, layer);
      const chunks = this.readAhead('embed', [image], givenUp);
      return async () => {
        const pixels = await chunks.next();
        const runner = await this.runnerUntil(output);
        return finite('embed', await runner.run(pixels!));
      };
    }, signal);
  }

  dispose(): Promise<void> {
    this.ending ??= this.end();
    return this.ending;
  }

  private classifyAll(where: string, images: Iterable<ClassifierImage>, options: ClassifyOptions) {
    checkOptions(where, options, { topK: 'any', signal: 'signal' });
    const { topK = 5, signal } = options;
    checkInteger(where, 'topK', topK, 1);
    return this.queue.add((givenUp) => {
      const chunks = this.readAhead(where, images, givenUp);
      return async () => {
        const results: Classification[][] = [];
        try {
          for (let pixels = await chunks.next(); pixels; pixels = await chunks.next()) {
            givenUp.throwIfAborted();
            for (const row of await this.probabilities(where, pixels)) {
              results.push(topClasses(row, this.classNames, topK));
            }
          }
        } finally {
          chunks.close();
        }
        return results;
      };
    }, signal);
  }

  private readAhead(where: string, images: Iterable<ClassifierImage>, signal: AbortSignal) {
    const { size, preprocessing } = this.parts.settings;
    const { next, close } = readAhead(images, async (image) => {
      const data = await toPixels(image, size, preprocessing, { where, signal });
      return { data, images: 1 };
    });
    // One that is given up before its turn never runs.
    signal.addEventListener('abort', close, { once: true });
    // A source that never ends must not hold up the calls behind one that was given up.
    return { next: () => untilAborted(next(), signal), close };
  }

  /** Of the classes of each picture. */
  private async probabilities(where: string, pixels: Pixels): Promise<Float32Array[]> {
    const { runners, settings } = this.parts;
    const K = this.classNames.length;
    const outputs = finite(where, await runners.whole.run(pixels));
    const probabilities = settings.outputKind === 'logits' ? softmax(outputs, K) : outputs;
    return Array.from({ length: pixels.images }, (_, n) => probabilities.subarray(n * K, (n + 1) * K));
  }

  private async runnerUntil(output: SymbolicTensor): Promise<Runner> {
    const runner = this.cutRunners.get(output) ?? (await this.parts.runners.startUntil(output));
    this.cutRunners.set(output, runner);
    return runner;
  }

  private async end(): Promise<void> {
    const idle = this.queue.close(disposed());
    await this.parts.runners.whole.dispose();
    await idle;
    await Promise.all([...this.cutRunners.values()].map((runner) => runner.dispose()));
    this.parts.release();
  }
}

/** Tells a tensor from a list of pictures, and refuses anything else. */
function isTensorBatch(images: unknown): images is Tensor4D {
  const isObject = typeof images === 'object' && images !== null;
  if (isObject && isTensor(images)) {
    check(images.rank === 4 && !images.isDisposed, {
      where: 'classifyBatch',
      expected: 'a tensor of pictures [N,H,W,C]',
      received: images.isDisposed ? 'one that is disposed of' : `shape [${images.shape}]`,
    });
    return true;
  }
  // Bytes can be iterated over as well.
  check(isObject && Symbol.iterator in images && !ArrayBuffer.isView(images), {
    where: 'classifyBatch',
    expected: 'a list of pictures, or a tensor [N,H,W,C]',
    received: Object.prototype.toString.call(images),
    remedy: 'classify takes a single picture.',
  });
  return false;
}

/** The outputs, unless the model gave numbers that mean nothing. */
function finite(where: string, outputs: Float32Array): Float32Array {
  if (outputs.every(Number.isFinite)) return outputs;
  fail({
    code: 'non-finite',
    where,
    expected: 'finite outputs of the model',
    received: 'NaN or Infinity',
    remedy: "Its weights are probably not finite; look for it in each weight's data().",
  });
}

function disposed() {
  return failure({
    code: 'disposed',
    where: 'The classifier',
    expected: 'to be in use',
    received: 'dispose()',
    remedy: 'Create another one.',
  });
}
