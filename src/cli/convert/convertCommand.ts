import { type Command, Option } from 'commander';
import type { OnTask } from '../session';
import { addNetworkOptions } from '../shared/networkOptions';
import { MODEL_PLACES } from '../shared/places';
import type { ConvertOptions } from './convertOptions';
import { FORMATS, type Format, formatOf, QUANTIZED } from './formats';

const EXAMPLES = `
Examples:
  $ npx mobilenet-v1-ts convert my-model my-model.onnx
  $ npx mobilenet-v1-ts convert my-model small-model --quantize int8        a tfjs folder of a quarter of the size
  $ npx mobilenet-v1-ts convert cifar10 cifar10.keras
  $ npx mobilenet-v1-ts convert mobilenet_5_0_160_tf.h5 my-model --alpha 0.5 --size 160 --padding keras

The format is told by the name: .onnx, .keras, .h5, .safetensors, .tflite; any other is the folder of a tfjs model.
A model's folder has its network with it. A file of weights (.h5, .keras, .safetensors, .tflite, .onnx) needs it said,
where it is not MobileNetV1 of alpha 1, 224 pixels and 1000 classes; a graph model.json of tfjs always does: --alpha 1.`;

export function addConvertCommand(program: Command, onTask: OnTask): void {
  const command: Command = program
    .command('convert')
    .summary('write a model in another format')
    .description('Writes a model in another format: whole, or not at all where something goes wrong.')
    .argument('<in>', `${MODEL_PLACES}; or a file of weights`)
    .argument('<out>', 'the file, or the folder, to write')
    .addOption(new Option('--to <format>', "the format (default: told by the file's name)").choices(FORMATS))
    .addOption(new Option('--quantize <type>', 'smaller numbers in the file').choices(['float16', 'int8']))
    .optionsGroup('Options of a file of weights:')
    .addOption(
      new Option(
        '--head <what>',
        "skip: a fresh head in place of the file's; dropBackground: 1001 classes to 1000",
      ).choices(['load', 'skip', 'dropBackground']),
    )
    .option('--labels <file>', 'names of the classes, one a line, to go with the model');
  addNetworkOptions(command)
    .optionsGroup('Options:')
    .option('--json', 'one JSON object in place of a sentence')
    .addHelpText('after', EXAMPLES)
    .action((source: string, target: string, options: Given) => {
      const format = options.to ?? formatOf(target);
      if (format === undefined) {
        command.error(
          `error: no format goes by the name '${target}': say it by --to <format>, one of ${FORMATS.join(', ')}`,
        );
      }
      if (format !== 'tfjs' && /^https?:/i.test(target)) {
        command.error(`error: ${format} is written to a file, not to '${target}': an address takes a tfjs model only`);
      }
      const { quantize } = options;
      if (quantize !== undefined && !QUANTIZED[format].includes(quantize)) {
        command.error(`error: --quantize ${quantize} is not for ${format}: ${QUANTIZABLE}`);
      }
      onTask(async (session) => (await import('./convert')).convert({ ...options, source, target, format }, session));
    });
}

type Given = Omit<ConvertOptions, 'source' | 'target' | 'format'> & { to?: Format };

const QUANTIZABLE = FORMATS.filter((format) => QUANTIZED[format].length > 0)
  .map((format) => `${format} takes ${QUANTIZED[format].join(' and ')}`)
  .join(', ');
