// Trains a MobileNetV1 on CIFAR-10, saves it, loads it again and classifies five test pictures.
//
//   npm start -- --help
//
// Outside of this repository:
//   npm install mobilenet-v1-ts @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu \
//     @tensorflow/tfjs-backend-wasm commander cli-progress cli-table3
//   node train.mjs
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  batches,
  createClassifier,
  evaluateClassifier,
  loadCifar10,
  loadModel,
  MobilenetError,
  mobilenetV1,
  recipes,
  saveModel,
  syntheticCifar10,
  takeDataset,
  trainClassifier,
} from 'mobilenet-v1-ts';
import { parseOptions } from './options.mjs';
import { jsonReport, textReport } from './report.mjs';

const options = parseOptions(process.argv.slice(2));
const report = options.json ? jsonReport() : textReport();
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

try {
  await main();
} catch (error) {
  report.close();
  if (stop.signal.aborted) {
    report.say('Stopped.');
    process.exitCode = 130;
  } else if (error instanceof MobilenetError) {
    report.say(error.message);
    process.exitCode = 1;
  } else {
    throw error;
  }
}

async function main() {
  await tf.setBackend(options.backend);
  const { train, test, name } = await loadData();
  const [height, width, channels] = [train.height, train.width, train.channels];
  const model = mobilenetV1({
    classes: train.classNames.length,
    inputShape: [height, width, channels],
    alpha: options.alpha,
    stemStride: options.stemStride,
    // A minute is few steps: batch norm's usual 0.99 would leave its moving averages behind.
    ...(options.recipe === 'quick' && { batchNormMomentum: 0.9, dropout: 0 }),
    seed: options.seed,
  });
  report.say(
    `MobileNetV1, alpha ${options.alpha}, stem stride ${options.stemStride}, ${model.countParams()} parameters; ` +
      `${name}, ${train.size} training and ${test.size} test pictures; backend ${tf.getBackend()}`,
  );

  const { history, engine, module, threads, fallbackReason } = await trainClassifier(model, train, {
    ...trainingOptions(),
    engine: options.engine,
    threads: options.threads,
    validation: test,
    seed: options.seed,
    onBatch: report.onBatch,
    onEpoch: report.onEpoch,
    signal: stop.signal,
  });
  report.onHistory(history);
  if (engine === 'fused') report.say(`Trained in WebAssembly (${module}) on ${threads} threads.`);

  await saveModel(model, options.out);
  model.dispose();
  const loaded = await loadModel(options.out);
  report.say(`Saved to ${options.out} and loaded again; five test pictures:`);
  report.onClassified(await classify(loaded, test));
  const { accuracy, loss } = await evaluateClassifier(loaded, test, { signal: stop.signal });
  loaded.dispose();
  report.onEnd({
    testAccuracy: accuracy,
    testLoss: loss,
    imagesPerSecond: meanSpeed(history),
    engine,
    module,
    threads,
    fallbackReason,
    backend: tf.getBackend(),
    dataset: name,
    recipe: options.recipe,
    alpha: options.alpha,
    stemStride: options.stemStride,
    seed: options.seed,
    epochs: history.length,
    out: options.out,
  });
}

/** The recipe, with what the command line changes of it. */
function trainingOptions() {
  const { epochs, minutes, batchSize, learningRate } = options;
  return {
    ...recipes[options.recipe],
    ...(epochs && { epochs, maxMinutes: undefined }),
    ...(minutes && !epochs && { maxMinutes: minutes, epochs: undefined }),
    ...(batchSize && { batchSize }),
    ...(learningRate && { learningRate }),
  };
}

/** CIFAR-10, or where it cannot be had, the pictures that the library draws itself. */
async function loadData() {
  const { data, limit } = options;
  const sets = await loadCifar10({ source: data, onProgress: report.onDownload, signal: stop.signal })
    .then((real) => ({ ...real, name: 'CIFAR-10' }))
    .catch((error) => {
      if (data || error.code !== 'download-failed') throw error;
      report.say('CIFAR-10 is neither cached nor to be downloaded: training on synthetic pictures instead.');
      return { ...syntheticCifar10({ train: 5000, test: 1000 }), name: 'synthetic' };
    });
  return limit ? { ...sets, train: takeDataset(sets.train, limit), test: takeDataset(sets.test, limit) } : sets;
}

/**
 * The first five pictures of a dataset: the most probable class of each, and its label.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {import('mobilenet-v1-ts').ImageDataset} dataset
 */
async function classify(model, dataset) {
  const { height, width, classNames } = dataset;
  const { value: batch } = await batches(takeDataset(dataset, 5)).next();
  const bytes = batch.images.length / batch.labels.length;
  const pictures = Array.from(batch.labels, (_, i) => {
    return { data: batch.images.subarray(i * bytes, (i + 1) * bytes), width, height };
  });
  const classifier = await createClassifier(model);
  const found = await classifier.classifyBatch(pictures, { topK: 1 });
  await classifier.dispose();
  return found.map(([best], i) => {
    const label = String(classNames[Number(batch.labels[i])]);
    return { predicted: String(best?.className), probability: Number(best?.probability), label };
  });
}

/** @param {import('mobilenet-v1-ts').TrainingEpoch[]} history */
function meanSpeed(history) {
  const seconds = history.reduce((sum, epoch) => sum + epoch.seconds, 0);
  return history.reduce((sum, epoch) => sum + epoch.imagesPerSecond * epoch.seconds, 0) / seconds;
}
