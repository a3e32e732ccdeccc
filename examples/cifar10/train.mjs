// Trains a MobileNetV1 on CIFAR-10, saves and loads it, classifies five test pictures, and measures it once on all of them.
//
//   npm start -- --help
//
// Outside of this repository:
//   npm install mobilenet-v1-ts @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu \
//     @tensorflow/tfjs-backend-wasm commander cli-progress cli-table3
//   node train.mjs
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
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
  recipeNetworks,
  recipes,
  saveModel,
  syntheticCifar10,
  takeDataset,
  trainClassifier,
} from 'mobilenet-v1-ts';
import { parseOptions, resumeCommand } from './options.mjs';
import { jsonReport, mostFrequentConfusions, textReport } from './report.mjs';

/** The share of the training pictures that shows after each epoch how it goes: 1,000 of CIFAR-10. */
const VALIDATION = 0.02;

const options = parseOptions(process.argv.slice(2));
const report = options.json ? jsonReport() : textReport();
const stop = stopOnInterrupt();

try {
  await main();
} catch (error) {
  report.close();
  if (error === stop.reason) {
    report.say((await hasCheckpoint()) ? `Stopped. To go on: ${resumeCommand(options)}` : 'Stopped.');
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
  const { recipe, alpha, stemStride, seed, out } = options;
  const model = mobilenetV1({
    ...recipeNetworks[recipe],
    classes: train.classNames.length,
    inputShape: [train.height, train.width, train.channels],
    alpha,
    stemStride,
    seed,
  });
  report.say(
    `MobileNetV1, alpha ${alpha}, stem stride ${stemStride}, ${model.countParams()} parameters; recipe ${recipe}; ` +
      `${name}, ${train.size} training and ${test.size} test pictures; backend ${tf.getBackend()}`,
  );
  const reportFile = resolve(options.report, 'report.html');
  report.say(`Its report, while it trains and afterwards: ${pathToFileURL(reportFile)}`);

  const { history, seconds, resumedFrom, ...ran } = await trainClassifier(model, train, trainingOptions(train));
  const { engine, module, threads, fallbackReason } = ran;
  report.onHistory(history);
  if (engine === 'fused') report.say(`Trained in WebAssembly (${module}) on ${threads} threads.`);

  await saveModel(model, out);
  model.dispose();
  const loaded = await loadModel(out);
  report.say(`Saved to ${out} and loaded again; five test pictures:`);
  const running = { engine: options.engine, threads: options.threads, signal: stop };
  report.onClassified(await classify(loaded, test, running));
  const evaluation = await evaluateClassifier(loaded, test, running);
  loaded.dispose();
  report.onEnd({
    testAccuracy: evaluation.accuracy,
    testLoss: evaluation.loss,
    confusions: mostFrequentConfusions(evaluation),
    imagesPerSecond: meanSpeed(history),
    engine,
    module,
    threads,
    fallbackReason,
    backend: tf.getBackend(),
    dataset: name,
    recipe,
    alpha,
    stemStride,
    seed,
    epochs: history.length,
    seconds,
    resumedFrom,
    out,
    report: reportFile,
  });
}

/**
 * The recipe, with what the command line changes of it. The test pictures have no part in it.
 *
 * @param {import('mobilenet-v1-ts').ImageDataset} train
 * @returns {import('mobilenet-v1-ts').TrainClassifierOptions}
 */
function trainingOptions(train) {
  const { recipe, epochs, minutes, batchSize, learningRate, engine, threads, seed, checkpoint, resume } = options;
  // Of fewer pictures, a share so small is not one of each class.
  const validates = VALIDATION * train.size >= train.classNames.length;
  return {
    ...recipes[recipe],
    ...(minutes && { maxMinutes: minutes, epochs: undefined }),
    ...(epochs && { epochs, maxMinutes: undefined }),
    ...(batchSize && { batchSize }),
    ...(learningRate && { learningRate }),
    ...(validates && { validationSplit: VALIDATION }),
    ...(checkpoint && { checkpoint: { dir: checkpoint } }),
    ...(resume && { resume }),
    engine,
    threads,
    seed,
    reportDir: options.report,
    progress: report.progress,
    onEpoch: report.onEpoch,
    signal: stop,
  };
}

/** CIFAR-10, or where it cannot be had, the pictures that the library draws itself. */
async function loadData() {
  const { data, limit } = options;
  const synthetic = () => ({ ...syntheticCifar10({ train: 5000, test: 1000 }), name: 'synthetic' });
  const load = () =>
    loadCifar10({ source: data, onProgress: report.onDownload, signal: stop })
      .then((real) => ({ ...real, name: 'CIFAR-10' }))
      .catch((error) => {
        if (data || error.code !== 'download-failed') throw error;
        report.say('CIFAR-10 is neither cached nor to be downloaded: training on synthetic pictures instead.');
        return synthetic();
      });
  const sets = data === 'synthetic' ? synthetic() : await load();
  return limit ? { ...sets, train: takeDataset(sets.train, limit), test: takeDataset(sets.test, limit) } : sets;
}

/**
 * The first five pictures of a dataset: the most probable class of each, and its label.
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {import('mobilenet-v1-ts').ImageDataset} dataset
 * @param {import('mobilenet-v1-ts').CreateClassifierOptions} running
 */
async function classify(model, dataset, running) {
  const { height, width, classNames } = dataset;
  const { value: batch } = await batches(takeDataset(dataset, 5)).next();
  const bytes = batch.images.length / batch.labels.length;
  const pictures = Array.from(batch.labels, (_, i) => {
    return { data: batch.images.subarray(i * bytes, (i + 1) * bytes), width, height };
  });
  const classifier = await createClassifier(model, running);
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

/**
 * Aborted by Ctrl-C; another, more than a second later, ends the process at once. Within that second it is likely the
 * same one: the terminal interrupts npm and this process, and npm hands it on.
 */
function stopOnInterrupt() {
  const controller = new AbortController();
  process.on('SIGINT', function onInterrupt() {
    controller.abort();
    setTimeout(() => process.off('SIGINT', onInterrupt), 1000).unref();
  });
  return controller.signal;
}

/** Whether a run with these options has something to go on from. */
async function hasCheckpoint() {
  const names = options.checkpoint ? await readdir(options.checkpoint).catch(() => []) : [];
  return names.some((name) => name.startsWith('step-'));
}
