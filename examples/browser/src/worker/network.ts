import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  describeMobilenetV1,
  type MobilenetV1Options,
  mobilenetV1,
  recipes,
  schedules,
  type TrainClassifierOptions,
} from 'mobilenet-v1-ts';
import type { NetworkShape, PictureSource, RunSettings } from '../protocol';

/** Larger pictures are halved by the first layer. */
const LARGEST_WITH_FINE_STEM = 40;

/** A network with fresh weights. */
export function buildNetwork(shape: NetworkShape, seed: number): LayersModel {
  return mobilenetV1({ ...networkOptions(shape), seed });
}

export function countParameters(shape: NetworkShape): number {
  return describeMobilenetV1(networkOptions(shape)).parameters;
}

function networkOptions({ alpha, classes, size }: NetworkShape): MobilenetV1Options {
  return {
    alpha,
    classes,
    inputShape: [size, size, 3],
    stemStride: size <= LARGEST_WITH_FINE_STEM ? 1 : 2,
    // These trainings are short: Keras's 0.99 would leave the moving averages behind.
    batchNormMomentum: 0.9,
    depthwiseInitializer: 'identity',
    dropout: 0,
  };
}

type RunOptions = TrainClassifierOptions & { batchSize: number };

/** How pictures of a kind are trained on. */
export function trainingOptions(
  kind: PictureSource['kind'],
  { epochs }: RunSettings,
  { pictures, size, seed }: { pictures: number; size: number; seed: number },
): RunOptions {
  const batchSize = batchSizeFor(pictures);
  const common: RunOptions = {
    epochs,
    batchSize,
    seed,
    optimizer: 'momentum',
    // In proportion to the batch up to 64; beyond that no more was better.
    learningRate: schedules.oneCycle({ rate: 0.2 * Math.min(1, batchSize / 64), peakAt: 0.25 }),
    weightDecay: 5e-3,
    inputRange: [-1, 1],
  };
  switch (kind) {
    case 'drawn':
      return common;
    case 'cifar10': {
      const { augment, inputRange } = recipes.quick;
      return { ...common, augment, inputRange };
    }
    case 'own': {
      const crop = { padding: Math.round(size / 12), fill: 'reflect' } as const;
      return { ...common, augment: { crop, flip: 'random', brightness: 0.2, contrast: 0.2, saturation: 0.2 } };
    }
  }
}

/** The largest power of two, from 8 to 128, of which an epoch has some sixteen. */
function batchSizeFor(pictures: number): number {
  return Math.min(128, Math.max(8, 2 ** Math.floor(Math.log2(pictures / 16))));
}
