import { basename, dirname } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { recipeNetworks, recipes } from 'mobilenet-v1-ts';

/**
 * @typedef {object} ExampleOptions
 * @property {string} [data]
 * @property {number} [minutes]
 * @property {number} [epochs]
 * @property {keyof typeof recipes} recipe
 * @property {number} alpha
 * @property {number} stemStride
 * @property {number} [batchSize]
 * @property {number} [learningRate]
 * @property {number} [limit]
 * @property {'cpu' | 'wasm'} backend
 * @property {'auto' | 'tfjs' | 'fused'} engine
 * @property {number} [threads]
 * @property {number} seed
 * @property {string} [checkpoint]
 * @property {string} [resume]
 * @property {string} out
 * @property {string} report
 * @property {boolean} json
 * @property {string[]} given what the command line said, but for where checkpoints lie
 */

/**
 * A minute is too short for the wide network of the quick recipe.
 *
 * @param {{ recipe: keyof typeof recipes, minutes?: number, epochs?: number }} options
 */
function networkOf({ recipe, minutes = 1, epochs }) {
  return recipe === 'quick' && !epochs && minutes < 5 ? 'minute' : recipe;
}

/** As the library has them; recipes say where theirs differ. */
const DEFAULT_NETWORK = { alpha: 1, stemStride: 2 };

/**
 * @param {string[]} argv
 * @returns {ExampleOptions}
 */
export function parseOptions(argv) {
  const program = new Command('npm start --')
    .description('Trains a MobileNetV1 on CIFAR-10, saves it, loads it again and classifies five test pictures.')
    .option(
      '--data <place>',
      "a folder of CIFAR-10 .bin files, the path or URL of a cifar-10-binary.tar.gz, or 'synthetic' for pictures " +
        'that the library draws',
    )
    .addOption(new Option('--recipe <name>', 'how to train').choices(Object.keys(recipes)).default('quick'))
    .option('--minutes <number>', "training time (default: the recipe's; quick has 1)", positive)
    .option('--epochs <number>', 'passes over the training set; overrides --minutes', positiveInteger)
    .option('--alpha <number>', "width of the network (default: the recipe's)", positive)
    .option('--stem-stride <number>', "stride of the first layer, 1 or 2 (default: the recipe's)", positiveInteger)
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
    .option('--checkpoint <folder>', 'where a checkpoint is written after each epoch, and on Ctrl-C')
    .option('--resume <folder>', 'go on from the newest checkpoint in this folder, and write the next ones there')
    .option('--out <folder>', 'where the trained model goes', 'trained-model')
    .option('--report <folder>', "where report.html goes (default: the trained model's folder)")
    .option('--json', 'one JSON object a line instead of text', false)
    .allowExcessArguments(false)
    .parse(argv, { from: 'user' });
  /** @type {{ recipe: keyof typeof recipes } & Record<string, any>} */
  const options = program.opts();
  return /** @type {ExampleOptions} */ ({
    ...DEFAULT_NETWORK,
    ...recipeNetworks[networkOf(options)],
    report: options.out,
    checkpoint: options.resume && checkpointFolder(options.resume),
    ...options,
    given: givenArguments(program),
  });
}

/**
 * The command that goes on from the checkpoints which a run with these options has written.
 *
 * @param {ExampleOptions} options
 */
export function resumeCommand({ given, checkpoint }) {
  return ['npm start --', ...[...given, '--resume', String(checkpoint)].map(quoted)].join(' ');
}

/** @param {Command} program */
function givenArguments(program) {
  return program.options
    .filter((option) => program.getOptionValueSource(option.attributeName()) === 'cli')
    .filter(({ long }) => long !== '--checkpoint' && long !== '--resume')
    .flatMap((option) => {
      const value = program.opts()[option.attributeName()];
      return value === true ? [String(option.long)] : [String(option.long), String(value)];
    });
}

/**
 * One checkpoint lies in the folder of its training's checkpoints, where the next ones belong too.
 *
 * @param {string} path
 */
const checkpointFolder = (path) => (/^step-\d+/.test(basename(path)) ? dirname(path) : path);

/** @param {string} argument */
const quoted = (argument) => (/\s/.test(argument) ? `"${argument}"` : argument);

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
