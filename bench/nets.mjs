import { describeMobilenetV1 } from 'mobilenet-v1-ts';

/** The nets that are measured, with pictures of 32x32x3 and 10 classes. bench/pytorch.py has the same. */
export const NETS = {
  A: { alpha: 1, stemStride: 2 },
  B: { alpha: 1, stemStride: 1 },
  C: { alpha: 0.5, stemStride: 1 },
};

/** @typedef {keyof typeof NETS} Net */

export const netNames = /** @type {Net[]} */ (Object.keys(NETS));

/** Pictures in a step, wherever that is bearable. */
export const BATCH_SIZE = 128;

/**
 * What `mobilenetV1` builds the net from. PyTorch has no other padding than its own, and no two generators of dropout agree.
 *
 * @param {Net} net
 * @returns {import('mobilenet-v1-ts').MobilenetV1Options}
 */
export function netOptions(net) {
  return { ...NETS[net], classes: 10, inputShape: [32, 32, 3], padding: 'torch', dropout: 0, seed: 1 };
}

/**
 * Floating-point operations of a training step for one picture, as far as they are products of convolutions.
 *
 * A multiply-add is two; each layer has three products (forward, input gradient, weight gradient), and the stem, whose
 * input is the picture, no input gradient. Batch norm, activations and the optimizer count as nothing, for every runtime.
 *
 * @param {Net} net
 */
export function flopsPerImage(net) {
  const { layers, multiplyAdds } = describeMobilenetV1(netOptions(net));
  const stem = layers.find(({ name }) => name === 'conv1');
  return 2 * (3 * multiplyAdds - Number(stem?.multiplyAdds));
}
