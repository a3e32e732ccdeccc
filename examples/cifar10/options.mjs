import { Command, InvalidArgumentError, Option } from 'commander';

/**
 * @typedef {object} ExampleOptions
 * @property {string} [data]
 * @property {number} [minutes]
 * @property {number} [epochs]
 * @property {'tutorial' | 'quick'} recipe
 * @property {number} alpha
 * @property {1 | 2} stemStride
 * @property {number} [batchSize]
 * @property {number} [learningRate]
 * @property {number} [limit]
 * @property {'cpu' | 'wasm'} backend
 * @property {'auto' | 'tfjs' | 'fused'} engine
 * @property {number} [threads]
 * @property {number} seed
 * @property {string} out
 * @property {boolean} json
 */

/** What each recipe trains, where the command line does not say. */
const NETS = { quick: { alpha: 0.25, stemStride: 2 }, tutorial: { alpha: 1, stemStride: 2 } };

/**
 * @param {string[]} argv
 * @returns {ExampleOptions}
 */
export function parseOptions(argv) {
  const program = new Command('npm start --')
    .description('Trains a MobileNetV1 on CIFAR-10, saves it, loads it again and classifies five test pictures.')
    .option('--data <place>', 'a folder of CIFAR-10 .bin files, or the path or URL of a cifar-10-binary.tar.gz')
    .option('--minutes <number>', 'training time (default: 1, with the quick recipe)', positive)
    .option('--epochs <number>', 'passes over the training set; overrides --minutes', positiveInteger)
    .addOption(new Option('--recipe <name>', 'how to train').choices(['quick', 'tutorial']).default('quick'))
    .option('--alpha <number>', 'width of the network (default: quick 0.25, tutorial 1)', positive)
    .option('--stem-stride <number>', 'stride of the first layer, 1 or 2 (default: 2)', positiveInteger)
    .option('--batch-size <number>', "pictures in a step (default: the recipe's)", positiveInteger)
    .option('--learning-rate <number>', "a constant learning rate (default: the recipe's)", positive)
    .option('--limit <number>', 'only this many pictures of the training set and of the test set', positiveInteger)
    .addOption(new Option('--backend <name>', 'tfjs backend').choices(['cpu', 'wasm']).default('wasm'))
    .addOption(
      new Option('--engine <name>', "what trains: the library's own kernels, or tfjs")
        .choices(['auto', 'tfjs', 'fused'])
        .default('auto'),
    )
    .option('--threads <number>', "of the library's own kernels (default: the machine's, at most 8)", positiveInteger)
    .option('--seed <number>', 'of weights, order and dropout', integer, 1)
    .option('--out <folder>', 'where the trained model goes', 'trained-model')
    .option('--json', 'one JSON object a line instead of text', false)
    .allowExcessArguments(false)
    .parse(argv, { from: 'user' });
  /** @type {{ recipe: 'quick' | 'tutorial' } & Record<string, any>} */
  const options = program.opts();
  return /** @type {ExampleOptions} */ ({ ...NETS[options.recipe], ...options });
}

/** @param {string} text */
function positive(text) {
  const value = Number(text);
  if (!(Number.isFinite(value) && value > 0)) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

/** @param {string} text */
function integer(text) {
  const value = Number(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError('Expected an integer.');
  return value;
}

/** @param {string} text */
function positiveInteger(text) {
  if (integer(text) < 1) throw new InvalidArgumentError('Expected an integer of at least 1.');
  return integer(text);
}
