import { type ClassifierInfo, createClassifier, trainClassifier } from '../../index';
import { benchNetwork, noiseDataset, noisePicture, settledNetwork } from './network';
import { enter, type Runtime } from './runtimes';

/** What is measured, and how long. */
export interface Measuring {
  alpha: number;
  seconds: number;
  threads: number | undefined;
  signal: AbortSignal;
}

/** What two training steps and a classification come to; runtimes that compute the same differ in the last bits only. */
export interface Probe {
  losses: number[];
  /** In the order of the classes. */
  probabilities: number[];
  info: ClassifierInfo;
}

/** Tries a runtime. */
export async function probe(
  runtime: Runtime,
  sizes: { train: number; classify: number },
  measuring: Measuring,
): Promise<Probe> {
  await enter(runtime);
  const losses: number[] = [];
  const trained = benchNetwork(measuring.alpha, sizes.train);
  await trainClassifier(trained, noiseDataset(sizes.train, 16, 8), {
    ...runOptions(runtime, measuring),
    shuffle: false,
    // Steps large enough for a wrong gradient to show in the second loss.
    optimizer: 'sgd',
    learningRate: 1e-4,
    seed: 1,
    batchSize: 8,
    onBatch: ({ loss }) => void losses.push(loss),
  });
  trained.dispose();
  const classifying = await settledNetwork(measuring.alpha, sizes.classify, measuring.signal);
  const classifier = await createClassifier(classifying, runOptions(runtime, measuring));
  const found = await classifier.classify(noisePicture(sizes.classify, 0), { topK: 10, signal: measuring.signal });
  await classifier.dispose();
  classifying.dispose();
  const probabilities = found.sort((a, b) => a.classIndex - b.classIndex).map(({ probability }) => probability);
  return { losses, probabilities, info: classifier.info };
}

/** Seconds of a training step: the median of those after the first. */
export async function stepSeconds(runtime: Runtime, size: number, measuring: Measuring): Promise<number> {
  const { alpha, seconds, signal } = measuring;
  await enter(runtime);
  const model = benchNetwork(alpha, size);
  const enough = new AbortController();
  const interrupt = () => enough.abort(signal.reason);
  signal.addEventListener('abort', interrupt);
  const ends: number[] = [];
  const { batchSize } = runtime;
  try {
    await trainClassifier(model, noiseDataset(size, 10_000 * batchSize, batchSize), {
      ...runOptions(runtime, measuring),
      shuffle: false,
      learningRate: 1e-5,
      seed: 1,
      batchSize,
      onBatch() {
        ends.push(performance.now());
        if (ends.length > 1 && performance.now() - ends[0]! > 1000 * seconds) enough.abort();
      },
      signal: enough.signal,
    });
  } catch (error) {
    if (error !== enough.signal.reason || signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', interrupt);
    model.dispose();
  }
  return median(ends.slice(1).map((end, i) => (end - ends[i]!) / 1000));
}

/** Seconds of the classification of one picture: the median of those after the first. */
export async function pictureSeconds(runtime: Runtime, size: number, measuring: Measuring): Promise<number> {
  const { alpha, seconds, signal } = measuring;
  await enter(runtime);
  const model = benchNetwork(alpha, size);
  const classifier = await createClassifier(model, runOptions(runtime, measuring));
  const picture = noisePicture(size, 0);
  const taken: number[] = [];
  try {
    await classifier.classify(picture, { signal });
    const end = performance.now() + 1000 * seconds;
    do {
      const start = performance.now();
      await classifier.classify(picture, { signal });
      taken.push((performance.now() - start) / 1000);
    } while (performance.now() < end);
  } finally {
    await classifier.dispose();
    model.dispose();
  }
  return median(taken);
}

function runOptions({ engine }: Runtime, { threads, signal }: Measuring) {
  return { engine, signal, ...(threads !== undefined && { threads }) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
