import { Command } from 'commander';
import { version } from '../../package.json';
import { addBenchCommand } from './bench/benchCommand';
import { addClassifyCommand } from './classify/classifyCommand';
import { addConvertCommand } from './convert/convertCommand';
import { addEvaluateCommand } from './evaluate/evaluateCommand';
import type { OnTask, Session } from './session';
import { addSummaryCommand } from './summary/summaryCommand';
import { addTrainCommand } from './train/trainCommand';

const EXAMPLES = `
Examples:
  $ npx mobilenet-v1-ts classify cifar10 cat.jpg              a trained model that comes with the package
  $ npx mobilenet-v1-ts train pictures/ --out my-model        one sub-folder for each class
  $ npx mobilenet-v1-ts evaluate my-model --data more-pictures/
  $ npx mobilenet-v1-ts convert my-model my-model.onnx

Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 interrupted (Ctrl-C).
Results go to stdout, everything else to stderr. Each command has a --help with examples.`;

/** The parser of all commands; it throws in place of ending the process. */
export function createProgram({ stdout, stderr }: Pick<Session, 'stdout' | 'stderr'>, onTask: OnTask): Command {
  const program = new Command('mobilenet-v1-ts')
    .description('MobileNetV1: trains it, measures it, classifies pictures with it, on a plain CPU.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .showHelpAfterError('See --help for options and examples.')
    .addHelpText('after', EXAMPLES);
  addTrainCommand(program, onTask);
  addEvaluateCommand(program, onTask);
  addClassifyCommand(program, onTask);
  addSummaryCommand(program, onTask);
  addConvertCommand(program, onTask);
  addBenchCommand(program, onTask);
  return program;
}
