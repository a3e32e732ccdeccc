// One of the processes that batch.mjs starts: gets groups of files as messages, and answers each with what is on them.
import '@tensorflow/tfjs-backend-cpu';
import { createClassifier, MobilenetError } from 'mobilenet-v1-ts';
import { cifar10Classifier } from 'mobilenet-v1-ts/cifar10';

const [model = '', topK = ''] = process.argv.slice(2);
const options = { topK: Number(topK) };
const opening =
  model === 'cifar10' ? cifar10Classifier({ alpha: 1, threads: 1 }) : createClassifier(model, { threads: 1 });

/** What has been answered: answers go out in the order of the questions. */
let answered = Promise.resolve();

// Messages may come before the model is there. Calls queue up, and each reads its pictures while others are in work.
process.on('message', (/** @type {string[]} */ files) => {
  const results = opening.then((classifier) => classify(classifier, files));
  answered = Promise.all([results, answered]).then(([found]) => void process.send?.(found), fail);
});

/** @param {unknown} error */
function fail(error) {
  console.error(error instanceof MobilenetError ? error.message : error);
  process.exit(1);
}

/**
 * All at once, which is faster; where one of them cannot be read, one by one.
 *
 * @param {import('mobilenet-v1-ts').Classifier} classifier
 * @param {string[]} files
 */
async function classify(classifier, files) {
  const results = await classifier.classifyBatch(files, options).catch((error) => {
    if (!isUnreadable(error)) throw error;
  });
  if (results) return files.map((picture, i) => ({ picture, classes: results[i] }));
  return Promise.all(files.map((picture) => classifyOne(classifier, picture)));
}

/**
 * @param {import('mobilenet-v1-ts').Classifier} classifier
 * @param {string} picture
 */
async function classifyOne(classifier, picture) {
  try {
    return { picture, classes: await classifier.classify(picture, options) };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return { picture, error: error.message };
  }
}

/**
 * Anything else would come with every picture.
 *
 * @param {unknown} error
 * @returns {error is MobilenetError}
 */
function isUnreadable(error) {
  return error instanceof MobilenetError && (error.code === 'invalid-data' || error.code === 'file-system');
}
