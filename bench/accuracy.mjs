// What a recipe reaches on CIFAR-10: trains on the 50,000 training pictures, and then, once, measures on the 10,000 test
// pictures. With --holdout it trains on nine tenths of the training pictures and measures on the last tenth: that is
// where recipes are chosen, so that the test pictures decide nothing.
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  evaluateClassifier,
  loadCifar10,
  loadModel,
  mobilenetV1,
  recipeNetworks,
  recipes,
  saveModel,
  splitDataset,
  syntheticCifar10,
  trainClassifier,
} from 'mobilenet-v1-ts';
import { positiveInteger, positiveNumber } from './output.mjs';

const options = new Command()
  .description('The accuracy that a recipe reaches on CIFAR-10.')
  .addOption(new Option('--recipe <name>').choices(Object.keys(recipes)).default('quick'))
  .option('--seed <number>', 'of weights, order and augmentation', positiveInteger, 1)
  .option(
    '--data <path>',
    "where CIFAR-10 lies (without it it is fetched), or 'synthetic': 2,500 drawn pictures, to try this command",
  )
  .option('--minutes <number>', "training time (default: the recipe's)", positiveNumber)
  .option('--epochs <number>', 'passes over the training set, in place of minutes', positiveInteger)
  .option('--alpha <number>', "width of the network (default: the recipe's)", positiveNumber)
  .addOption(
    new Option(
      '--from <folder>',
      'train a saved model further; with --holdout, one that was trained so, too',
    ).conflicts(['alpha', 'net']),
  )
  .option('--rate-factor <number>', "what the recipe's learning rate is multiplied by", positiveNumber, 1)
  .option('--threads <number>', "default: the machine's", positiveInteger)
  .option('--holdout', 'measure on a tenth of the training pictures, and not on the test pictures')
  .option('--checkpoint <folder>', 'write checkpoints, and go on from the newest where there is one')
  .option('--report <folder>', 'write report.html, history.csv and history.json')
  .option('--out <folder>', 'save the model')
  .option('--set <json>', 'training options that replace those of the recipe, as JSON', jsonObject, {})
  .option('--net <json>', 'network options, likewise', jsonObject)
  .option('--json', 'one object a line')
  .parse()
  .opts();

await setBackend('cpu');
const { seed, alpha, minutes, epochs, threads } = options;
const recipe = /** @type {keyof typeof recipes} */ (options.recipe);
const isDrawn = options.data === 'synthetic';
const { train, test } = isDrawn
  ? syntheticCifar10()
  : await loadCifar10(options.data === undefined ? {} : { source: options.data });
const split = options.holdout && (await splitDataset(train, { fraction: 0.1, seed: 0 }));
const [pictures, unseen] = split ? [split.train, split.validation] : [train, test];
const isShort = recipe === 'quick' && !epochs && (minutes ?? 1) < 5;
const model = options.from
  ? await loadModel(options.from)
  : mobilenetV1({
      ...recipeNetworks[isShort ? 'minute' : recipe],
      ...(alpha && { alpha }),
      ...options.net,
      classes: 10,
      inputShape: [32, 32, 3],
      seed,
    });
const resume = options.checkpoint && (await hasCheckpoint(options.checkpoint)) ? options.checkpoint : undefined;
const {
  history,
  seconds,
  engine,
  module,
  threads: used,
} = await trainClassifier(model, pictures, {
  ...recipes[recipe],
  ...(minutes && { maxMinutes: minutes, epochs: undefined }),
  ...(epochs && { epochs, maxMinutes: undefined }),
  ...options.set,
  learningRate: scaledRate(options.set.learningRate ?? recipes[recipe].learningRate, options.rateFactor),
  seed,
  threads,
  ...(options.checkpoint && { checkpoint: { dir: options.checkpoint } }),
  resume,
  reportDir: options.report,
  progress: options.json ? 'none' : 'auto',
  onEpoch: (epoch) => {
    if (options.json) console.log(JSON.stringify({ bench: 'accuracy', ...epoch }));
  },
});
if (options.out) await saveModel(model, options.out);
const plain = await evaluateClassifier(model, unseen);
const flipped = await evaluateClassifier(model, unseen, { testTimeAugmentation: 'flip' });
const shifted = await evaluateClassifier(model, unseen, { testTimeAugmentation: 'flipAndShift' });
const summary = {
  epochs: history.length,
  seconds,
  engine,
  module,
  threads: used,
  measuredOn: `${split ? 'a tenth of the training pictures' : 'test pictures'}${isDrawn ? ', drawn' : ''}`,
  loss: plain.loss,
  accuracyWithFlip: flipped.accuracy,
  accuracyWithFlipAndShift: shifted.accuracy,
};
const result = {
  recipe,
  seed,
  [split ? 'heldOutAccuracy' : 'testAccuracy']: plain.accuracy,
  minutes: seconds / 60,
};
if (options.json) {
  console.log(JSON.stringify({ bench: 'accuracy', ...summary }));
  console.log(JSON.stringify(result));
} else {
  console.log({ ...summary, ...result });
}

/**
 * @param {number | import('mobilenet-v1-ts').Schedule} rate
 * @param {number} factor
 */
function scaledRate(rate, factor) {
  if (factor === 1) return rate;
  if (typeof rate === 'number') return rate * factor;
  return (/** @type {import('mobilenet-v1-ts').TrainingPosition} */ position) => rate(position) * factor;
}

/** @param {string} text */
function jsonObject(text) {
  try {
    const value = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('Expected a JSON object.');
}

/** @param {string} folder */
async function hasCheckpoint(folder) {
  const { readdir } = await import('node:fs/promises');
  const names = await readdir(folder).catch(() => []);
  return names.some((name) => name.startsWith('step-'));
}
