import { type Command, Option } from 'commander';
import type { OnTask } from '../session';
import { MODEL_PLACES } from '../shared/places';
import { positiveInteger } from '../shared/values';
import type { ClassifyOptions } from './classifyOptions';

const EXAMPLES = `
Examples:
  $ npx mobilenet-v1-ts classify cifar10 cat.jpg photos/             folders with all that is in them
  $ npx mobilenet-v1-ts classify my-model --top-k 1 cat.jpg dog.png
  $ find . -name '*.jpg' | npx mobilenet-v1-ts classify my-model -    paths, one a line
  $ curl -s https://example.com/cat.jpg | npx mobilenet-v1-ts classify my-model -
  $ npx mobilenet-v1-ts classify my-model photos/ --json | jq -r 'select(.classes[0].className == "cat") | .picture'

Pictures and folders that cannot be read are named on stderr, the others are classified; the exit code is then 1.
With --json each picture is a line: { picture, classes: [{ className, classIndex, probability }] }, or { picture, error }.`;

export function addClassifyCommand(program: Command, onTask: OnTask): void {
  program
    .command('classify')
    .summary('tell what is on pictures')
    .description('Tells the most probable classes of pictures.')
    .argument('<model>', MODEL_PLACES)
    .argument(
      '<pictures...>',
      "files (JPEG, PNG, ...), folders, addresses; '-' reads paths, or one picture, from stdin",
    )
    .option('--top-k <number>', 'how many classes of each picture', positiveInteger, 3)
    .addOption(
      new Option('--precision <name>', 'int8 is faster, and rounds').choices(['float32', 'int8']).default('float32'),
    )
    .option('--threads <number>', "of the engine (default: the machine's, at most 8)", positiveInteger)
    .option('--json', 'one JSON object a line in place of text')
    .addHelpText('after', EXAMPLES)
    .action((model: string, pictures: string[], options: Omit<ClassifyOptions, 'model' | 'pictures'>) => {
      onTask(async (session) => (await import('./classify')).classify({ ...options, model, pictures }, session));
    });
}
