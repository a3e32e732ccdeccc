import type { Command } from 'commander';
import type { OnTask } from '../session';
import { positive, positiveInteger } from '../shared/values';
import type { BenchOptions } from './benchOptions';

const EXAMPLES = `
Examples:
  $ npx mobilenet-v1-ts bench
  $ npx mobilenet-v1-ts bench --alpha 1 --threads 2 --seconds 10
  $ npx mobilenet-v1-ts bench --json | jq '.rows[] | {task, runtime, imagesPerSecond}'

The engine of this library against tfjs on its cpu backend and, where it is installed, its wasm backend, which lacks the
gradients of convolutions and gets them from this library. All start from the same weights and must come to the same losses
and probabilities first, or nothing is measured. Each figure is a median over --seconds after a warm-up; close other programs.`;

export function addBenchCommand(program: Command, onTask: OnTask): void {
  program
    .command('bench')
    .summary('measure how fast it trains and classifies here')
    .description(
      'Measures training in pictures a second, and classification in milliseconds a picture, on this machine.',
    )
    .option('--alpha <number>', 'width of the network', positive, 0.25)
    .option('--size <pixels>', 'of the pictures (default: 32 to train with, 224 to classify)', positiveInteger)
    .option('--seconds <number>', 'for each figure, at least', positive, 3)
    .option('--threads <number>', "of the engine (default: the machine's, at most 8)", positiveInteger)
    .option('--json', 'one JSON object in place of a table')
    .addHelpText('after', EXAMPLES)
    .action((options: BenchOptions) => {
      onTask(async (session) => (await import('./bench')).bench(options, session));
    });
}
