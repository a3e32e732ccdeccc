import { type Command, Option } from 'commander';
import type { OnTask } from '../session';
import { dataPlace } from '../shared/dataPlace';
import { DATA_PLACES } from '../shared/places';
import { path, positive, positiveInteger, seed, share } from '../shared/values';
import { givenArguments } from './goOn';
import { RECIPES, SOURCES, type TrainOptions } from './trainOptions';

const EXAMPLES = `
Examples:
  $ npx mobilenet-v1-ts train cifar10 --minutes 20 --out my-model
  $ npx mobilenet-v1-ts train cifar10 --data cifar-10-batches-bin --recipe tutorial
  $ npx mobilenet-v1-ts train pets/ --size 96 --epochs 30         pets/cats/1.jpg, pets/dogs/1.png, ...
  $ npx mobilenet-v1-ts train pets/ --pretrained keras --alpha 0.5
  $ npx mobilenet-v1-ts train synthetic --minutes 0.5 --json | jq .valAccuracy

Ctrl-C writes a checkpoint and says how to go on; what is trained then ends with the same bits as if it had never been
interrupted. So it does after a power cut, from the checkpoint of the last epoch. A second Ctrl-C quits at once.
With --json each epoch is a line, and the last line tells of the whole training.`;

export function addTrainCommand(program: Command, onTask: OnTask): void {
  program
    .command('train')
    .summary('train a network on CIFAR-10 or on your own pictures')
    .description('Trains a MobileNetV1 and writes it to a folder, with a report.html of how it went.')
    .argument('[data]', `${DATA_PLACES} (default: 'cifar10'; where there is no network, 'synthetic' needs none)`)
    .option('--data <place>', 'the same as the argument; or where the CIFAR-10 of the argument is')
    .addOption(new Option('--recipe <name>', 'how to train').choices(RECIPES).default('quick'))
    .addOption(
      new Option('--pretrained <source>', 'only a new head, on features of ImageNet, fetched from there')
        .choices(SOURCES)
        .conflicts('recipe'),
    )
    .option('--weights <place>', 'a copy of what --pretrained would fetch')
    .addOption(
      new Option('--epochs <number>', 'passes over the pictures').argParser(positiveInteger).conflicts('minutes'),
    )
    .option(
      '--minutes <number>',
      "training time (default: the recipe's; quick has 1, and below 5 a narrower network)",
      positive,
    )
    .option('--alpha <number>', "width of the network (default: the recipe's; 1 with --pretrained)", positive)
    .option(
      '--size <pixels>',
      "a folder's pictures are resized to this (default: 96; 224 with --pretrained)",
      positiveInteger,
    )
    .option('--batch-size <number>', "pictures in a step (default: the recipe's)", positiveInteger)
    .option('--learning-rate <number>', "a constant rate (default: the recipe's schedule)", positive)
    .option(
      '--validation-split <share>',
      'of the pictures held back (default: 0.2 of a folder, else 0.02; 0: none)',
      share,
    )
    .option('--limit <number>', 'only so many pictures, for a try', positiveInteger)
    .option('--seed <number>', 'of weights, order, augmentation and dropout', seed, 1)
    .option('--threads <number>', "of the engine (default: the machine's, at most 8)", positiveInteger)
    .option('--out <folder>', 'where the model goes', path, 'trained-model')
    .option('--overwrite', 'replace the model that --out has already, which is refused otherwise')
    .option(
      '--checkpoint <folder>',
      'where checkpoints go, and stay (default: checkpoints in --out, until it is done)',
      path,
    )
    .option(
      '--resume <folder>',
      'go on from the newest checkpoint in there, or from one; the next ones go there too',
      path,
    )
    .option('--report <folder>', 'where report.html and the history go (default: --out)', path)
    .option('--json', 'one JSON object a line in place of text')
    .addHelpText('after', EXAMPLES)
    .action(
      (argument: string | undefined, options: Omit<TrainOptions, 'data' | 'given'> & { data?: string }, command) => {
        const data = dataPlace(argument ?? (options.data === undefined ? 'cifar10' : undefined), options.data, command);
        if (options.weights !== undefined && options.pretrained === undefined) {
          command.error('error: --weights goes with --pretrained, which says whose they are');
        }
        const given = givenArguments(command);
        onTask(async (session) => (await import('./train')).train({ ...options, data, given }, session));
      },
    );
}
