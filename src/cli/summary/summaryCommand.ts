import type { Command } from 'commander';
import type { OnTask } from '../session';
import { addNetworkOptions, describesNetwork } from '../shared/networkOptions';
import { MODEL_PLACES } from '../shared/places';
import type { SummaryOptions } from './summaryOptions';

const EXAMPLES = `
Examples:
  $ npx mobilenet-v1-ts summary my-model
  $ npx mobilenet-v1-ts summary --alpha 0.5 --size 160
  $ npx mobilenet-v1-ts summary --alpha 0.25 --json | jq .multiplyAdds

Multiply-adds are the products of convolution kernels and dense layers with one picture.`;

export function addSummaryCommand(program: Command, onTask: OnTask): void {
  const command = program
    .command('summary')
    .summary('list layers, parameters and multiply-adds')
    .description(
      'Lists the layers of a model, or of the MobileNetV1 that options describe, with parameters and multiply-adds.',
    )
    .argument('[model]', MODEL_PLACES);
  addNetworkOptions(command)
    .option('--json', 'one JSON object in place of a table')
    .addHelpText('after', EXAMPLES)
    .action((model: string | undefined, options: Omit<SummaryOptions, 'model'>) => {
      if (model !== undefined && describesNetwork(options)) {
        command.error('error: a model is what it is: give a model, or options that describe a network');
      }
      onTask(async (session) => (await import('./summary')).summary({ ...options, model }, session));
    });
}
