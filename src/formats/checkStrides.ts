import { fail } from '../errors';
import type { Sides } from './heads';
import type { Steps } from './networkWeights';

/**
 * Throws `invalid-argument` where a convolution of the model takes other steps than the one that the weights were trained
 * in: kernels of one shape, but another network. What the file does not tell is not compared.
 */
export function checkStrides(where: string, { model, file }: Sides): void {
  for (const [i, { kernel }] of model.entries()) {
    const trained = file[i]!.kernel;
    if (!kernel || kernel.kind === 'dense' || !trained || trained.kind === 'dense' || !trained.strides) continue;
    const [expected, received] = [describeSteps(trained), describeSteps(kernel.layer.getConfig() as Steps)];
    if (expected === received) continue;
    fail({
      code: 'invalid-argument',
      where,
      expected: `${expected} in layer '${kernel.name}', as in the network of these weights`,
      received,
      remedy: `Build it with the same ${i === 0 ? 'stemStride' : 'strides'}; to train it further, { ignoreStrides: true } will do.`,
    });
  }
}

/** "strides 2 x 2". */
function describeSteps({ strides = [1, 1], dilationRate = [1, 1] }: Steps): string {
  const dilation = dilationRate.some((rate) => rate !== 1) ? `, dilated by ${dilationRate.join(' x ')}` : '';
  return `strides ${strides.join(' x ')}${dilation}`;
}
