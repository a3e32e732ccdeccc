import { type Command, Option } from 'commander';
import type { MobilenetV1Options } from '../../index';
import { positive, positiveInteger } from './values';

/** Options that describe a network. */
export interface NetworkArguments {
  alpha?: number;
  size?: number;
  classes?: number;
  stemStride?: number;
  padding?: 'same' | 'keras' | 'torch';
}

const NAMES = ['alpha', 'size', 'classes', 'stemStride', 'padding'] as const;

/** Adds them to a command. */
export function addNetworkOptions(command: Command): Command {
  return command
    .option('--alpha <number>', 'width of the network (default: 1)', positive)
    .option('--size <pixels>', 'height and width of its pictures (default: 224)', positiveInteger)
    .option('--classes <number>', 'how many it tells apart (default: 1000)', positiveInteger)
    .option('--stem-stride <number>', 'stride of the first layer (default: 2)', positiveInteger)
    .addOption(
      new Option('--padding <style>', 'how strided layers pad (default: same)').choices(['same', 'keras', 'torch']),
    );
}

/** Whether any of them was given. */
export function describesNetwork(options: NetworkArguments): boolean {
  return NAMES.some((name) => options[name] !== undefined);
}

/** The library's options of the same meaning. */
export function toNetwork({ alpha, size, classes, stemStride, padding }: NetworkArguments): MobilenetV1Options {
  return {
    ...(alpha !== undefined && { alpha }),
    ...(size !== undefined && { inputShape: [size, size, 3] }),
    ...(classes !== undefined && { classes }),
    ...(stemStride !== undefined && { stemStride }),
    ...(padding !== undefined && { padding }),
  };
}
