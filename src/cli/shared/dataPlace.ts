import type { Command } from 'commander';

/** Which pictures a command line means. */
export interface DataPlace {
  place: string;
  /** Said to be CIFAR-10; else a look at the place tells. */
  isCifar10: boolean;
}

/** Of an argument and of `--data`, which mean the same, but that `cifar10 --data place` says where a copy of it is. */
export function dataPlace(argument: string | undefined, option: string | undefined, command: Command): DataPlace {
  const place = option ?? argument;
  if (place === undefined) {
    command.error("error: missing the pictures: give --data <place>, such as 'cifar10' or a folder");
  }
  if (argument !== undefined && option !== undefined && argument !== 'cifar10') {
    command.error(`error: the pictures are given twice, as '${argument}' and by --data '${option}'`);
  }
  return { place, isCifar10: place === 'cifar10' || argument === 'cifar10' };
}
