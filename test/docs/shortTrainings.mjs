// The library for programs of the docs that would take minutes: CIFAR-10's place is taken by drawn pictures, and
// trainings and evaluations see few of them, once.
import * as library from 'mobilenet-v1-ts';

export * from 'mobilenet-v1-ts';

const TRAINED = 64;
const EVALUATED = 32;

/** As many pictures as CIFAR-10 has, but drawn, and few that differ. */
export async function loadCifar10() {
  const { train, test } = library.syntheticCifar10({ train: TRAINED, test: EVALUATED });
  return { train: repeated(train, 50_000), test: repeated(test, 10_000) };
}

/** @type {typeof library.trainClassifier} */
export function trainClassifier(model, dataset, options = {}) {
  const { validation, validationSplit, epochs = 1, ...others } = options;
  return library.trainClassifier(model, library.takeDataset(dataset, TRAINED), {
    ...others,
    ...((validation || validationSplit) && { validation: library.takeDataset(validation ?? dataset, EVALUATED) }),
    epochs: Math.min(epochs, 2),
    maxMinutes: undefined,
  });
}

/** @type {typeof library.evaluateClassifier} */
export function evaluateClassifier(model, dataset, options) {
  return library.evaluateClassifier(model, library.takeDataset(dataset, EVALUATED), options);
}

/**
 * @param {import('mobilenet-v1-ts').InMemoryImageDataset} dataset
 * @param {number} size
 * @returns {import('mobilenet-v1-ts').ImageDataset}
 */
function repeated({ size: different, height, width, channels, labels, read }, size) {
  const { classNames } = { classNames: CLASS_NAMES };
  return {
    ...{ size, height, width, channels, classNames },
    labels: Int32Array.from({ length: size }, (_, i) => /** @type {number} */ (labels[i % different])),
    read: (indices) => read(Array.from(indices, (index) => index % different)),
  };
}

const CLASS_NAMES = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
