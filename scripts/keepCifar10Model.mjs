// Makes a trained model part of the package: writes it as float16 files into models/cifar10, measures these on the test
// pictures, and records figures and origin in models/cifar10/models.json and in the model card. Needs a build.
//
//   node scripts/keepCifar10Model.mjs <saved model> <alpha> <log of bench:accuracy --json> --command '...' --data DIR
import '@tensorflow/tfjs-backend-cpu';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { io, setBackend } from '@tensorflow/tfjs-core';
import { Argument, Command } from 'commander';
import { evaluateClassifier, getModelMetadata, loadCifar10, loadModel, saveModel } from 'mobilenet-v1-ts';
import { writeModelTables } from './cifar10ModelTables.mjs';

const root = fileURLToPath(new URL('../models/cifar10', import.meta.url));

const program = new Command()
  .description('Makes a trained model part of the package.')
  .argument('<model>', 'a folder that saveModel has written')
  .addArgument(new Argument('<alpha>', 'its width').choices(['1', '0.25']))
  .argument('<accuracy>', 'the file with what bench:accuracy --json has printed')
  .option('--command <text>', 'what trained it; may also stand as "command" in the accuracy file')
  .option('--before <log>', 'that of the training which this one went on from, whose epochs and minutes count, too')
  .option('--data <path>', 'where CIFAR-10 lies; without it it is fetched')
  .parse();
const [source = '', alpha, accuracyFile = ''] = program.args;
const { command, before, data } = program.opts();

await setBackend('cpu');
const log = readLog(accuracyFile);
const first = before === undefined ? { epochs: 0, minutes: 0 } : readLog(before);
const trained = await loadModel(source);
const network = networkOf(trained);
if (network.alpha !== Number(alpha)) throw new Error(`${source} has alpha ${network.alpha}, not ${alpha}.`);

const artifacts = await float16Artifacts(trained);
const kept = await loadModel(io.fromMemory(artifacts));
const { test } = await loadCifar10(data === undefined ? {} : { source: data });
const { accuracy, perClass } = await evaluateClassifier(kept, test);
const { accuracy: accuracyWithFlip } = await evaluateClassifier(kept, test, { testTimeAugmentation: 'flip' });
// Half precision moves a handful of pictures; more than that is another model or other data.
if (Math.abs(accuracy - log.testAccuracy) > 0.002) {
  throw new Error(`The float16 model reaches ${accuracy} on the test pictures, the log says ${log.testAccuracy}.`);
}

const bytes = writeFiles(join(root, `alpha-${alpha}`), artifacts);
record({
  ...network,
  bytes,
  accuracy,
  accuracyWithFlip,
  perClass: Object.fromEntries(perClass.map((each) => [each.className, each.accuracy])),
  recipe: log.recipe,
  seed: log.seed,
  epochs: first.epochs + log.epochs,
  minutes: first.minutes + log.minutes,
  command: log.command,
});
console.log(`alpha ${alpha}: ${bytes} bytes, accuracy ${accuracy} (${log.testAccuracy} in float32)`);

/**
 * The two last lines that bench:accuracy prints, as one object.
 *
 * @param {string} path
 */
function readLog(path) {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'));
  const objects = lines.map((line) => JSON.parse(line)).filter((each) => each.epoch === undefined);
  const merged = { command, ...Object.assign({}, ...objects) };
  for (const key of ['recipe', 'seed', 'epochs', 'minutes', 'testAccuracy', 'command']) {
    if (merged[key] === undefined)
      throw new Error(`${path} has no ${key}${key === 'command' ? ': pass --command' : ''}.`);
  }
  if (merged.measuredOn !== 'test pictures') throw new Error(`${path} was measured on ${merged.measuredOn}.`);
  return merged;
}

/** @param {import('@tensorflow/tfjs-layers').LayersModel} model */
function networkOf(model) {
  const { classNames, inputRange } = getModelMetadata(model);
  if (classNames?.length !== 10 || !inputRange) throw new Error('The model does not know its classes and input range.');
  const { filters, strides } = model.getLayer('conv1').getConfig();
  return {
    alpha: /** @type {import('../src/cifar10.ts').Cifar10Alpha} */ (Number(filters) / 32),
    stemStride: /** @type {[number, number]} */ (strides)[0],
    parameters: model.countParams(),
  };
}

/**
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @returns {Promise<import('@tensorflow/tfjs-core').io.ModelArtifacts>}
 */
async function float16Artifacts(model) {
  /** @type {import('@tensorflow/tfjs-core').io.ModelArtifacts} */
  let saved = {};
  const handler = io.withSaveHandler(async (artifacts) => {
    saved = artifacts;
    return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
  });
  await saveModel(model, handler, { quantize: 'float16' });
  return { ...saved, modelTopology: withoutInitializers(saved.modelTopology) };
}

/**
 * Writes `model.json` and one `weights.bin`, for each file needs an address of its own (src/cifar10.ts); returns their bytes.
 *
 * @param {string} folder
 * @param {import('@tensorflow/tfjs-core').io.ModelArtifacts} artifacts
 */
function writeFiles(folder, { weightSpecs, weightData, ...header }) {
  const weights = new Uint8Array(/** @type {ArrayBuffer} */ (weightData));
  const json = JSON.stringify({ ...header, weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }] });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'weights.bin'), weights);
  writeFileSync(join(folder, 'model.json'), json);
  return weights.length + json.length;
}

/**
 * A topology without what only a new layer needs and, empty here, a penalty: two thirds of its text.
 *
 * @param {unknown} topology
 */
function withoutInitializers(topology) {
  const unneeded = /_(initializer|regularizer|constraint)$/;
  return JSON.parse(JSON.stringify(topology, (key, value) => (unneeded.test(key) ? undefined : value)));
}

/** @param {import('../src/cifar10.ts').Cifar10ModelInfo} entry */
function record(entry) {
  const path = join(root, 'models.json');
  /** @type {import('../src/cifar10.ts').Cifar10ModelInfo[]} */
  const before = JSON.parse(readFileSync(path, 'utf8'));
  const models = [...before.filter((each) => each.alpha !== entry.alpha), entry].sort((a, b) => b.alpha - a.alpha);
  writeFileSync(path, `${JSON.stringify(models, null, 2)}\n`);
  writeModelTables(models);
}
