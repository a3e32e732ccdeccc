import { basename, dirname } from 'node:path';
import type { Command } from 'commander';
import { quote } from '../shared/quote';

/** Options that say where checkpoints are. */
const PLACES: readonly unknown[] = ['--checkpoint', '--resume'];

/** The arguments of a command as they were given, but for where checkpoints are. */
export function givenArguments(command: Command): string[] {
  const options = command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .filter(({ long }) => !PLACES.includes(long))
    .flatMap((option) => {
      const value: unknown = command.getOptionValue(option.attributeName());
      return value === true ? [String(option.long)] : [String(option.long), String(value)];
    });
  return [command.name(), ...command.args, ...options];
}

/** One checkpoint lies in the folder of its training's checkpoints, where the next ones belong too. */
export function checkpointFolder(resume: string): string {
  return /^step-\d{8,16}(-\d+)?$/.test(basename(resume)) ? dirname(resume) : resume;
}

/** What to type to go on from the newest checkpoint of a folder. */
export function goOnCommand(program: string, given: readonly string[], folder: string): string {
  return [program, ...[...given, '--resume', folder].map((argument) => quote(argument))].join(' ');
}
