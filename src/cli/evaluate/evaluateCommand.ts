import type { Command } from 'commander';
import type { OnTask } from '../session';
import { dataPlace } from '../shared/dataPlace';
import { DATA_PLACES, MODEL_PLACES } from '../shared/places';
import { positiveInteger } from '../shared/values';
import type { EvaluateOptions } from './evaluateOptions';

const EXAMPLES = `
Examples:
  $ npx mobilenet-v1-ts evaluate my-model --data pets-to-test/
  $ npx mobilenet-v1-ts evaluate cifar10 --data cifar10 --flip      the package's model, on CIFAR-10's test pictures
  $ npx mobilenet-v1-ts evaluate my-model --data pets/ --json | jq .accuracy

Of CIFAR-10 and 'synthetic' the test pictures are taken; of a folder all, and its sub-folders must bear the names of the
model's classes.`;

export function addEvaluateCommand(program: Command, onTask: OnTask): void {
  program
    .command('evaluate')
    .summary('measure a model: loss, accuracy, confusion matrix')
    .description(
      'Measures how many pictures a model classifies right: in all, of each class, and what it takes them for.',
    )
    .argument('<model>', MODEL_PLACES)
    .argument('[data]', DATA_PLACES)
    .option('--data <place>', 'the same as the argument; or where the CIFAR-10 of the argument is')
    .option('--flip', 'by the mean for a picture and its mirror image; takes twice as long')
    .option('--flip-and-shift', 'by the mean for these and both shifted by a pixel; takes six times as long')
    .option('--limit <number>', 'only so many pictures, for a try', positiveInteger)
    .option('--threads <number>', "of the engine (default: the machine's, at most 8)", positiveInteger)
    .option('--json', 'one JSON object in place of tables')
    .addHelpText('after', EXAMPLES)
    .action((model: string, argument: string | undefined, options: Given, command: Command) => {
      const data = dataPlace(argument, options.data, command);
      onTask(async (session) => (await import('./evaluate')).evaluate({ ...options, model, data }, session));
    });
}

type Given = Omit<EvaluateOptions, 'model' | 'data'> & { data?: string };
