import { meanStdRange } from '../inputRange';
import type { MobilenetV1Options } from '../model/options';
import { schedules } from './schedules';
import type { TrainClassifierOptions } from './trainingOptions';

// Whoever imports no recipe shall get none: bundlers drop calls that are marked as pure, and whose arguments are plain.

/** Mean and standard deviation of CIFAR-10's training pictures. */
const CIFAR10_RANGE = /* @__PURE__ */ meanStdRange({ mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] });

/**
 * Ways to train on CIFAR-10; plain options to spread and change. Each goes with the network of the same name in
 * {@link recipeNetworks}. Accuracies are of CIFAR-10's 10,000 test pictures; all pictures had gone through JPEG once.
 *
 * @example
 * ```ts
 * const model = mobilenetV1({ ...recipeNetworks.quick, classes: 10, inputShape: [32, 32, 3] });
 * await trainClassifier(model, train, { ...recipes.quick, maxMinutes: 20, validationSplit: 0.1 });
 * ```
 */
export const recipes = {
  /**
   * The classic TensorFlow tutorial's: pixels / 255, batches of 128, a shuffle window of 10,000, Adam at 1e-5,
   * 30 epochs. Its rate is small: it learns slowly.
   *
   * Reaches 25.3 % of CIFAR-10's test pictures (docs/tutorialRecipe.md).
   */
  tutorial: {
    epochs: 30,
    batchSize: 128,
    shuffle: 10_000,
    optimizer: 'adam',
    learningRate: 1e-5,
    inputRange: [0, 1],
  },
  /**
   * The MobileNet paper's RMSprop (arXiv 1704.04861, section 3.2), with TF-slim's constants: decay and momentum 0.9, epsilon
   * 1, a rate that begins at 0.045 and falls by 0.94 some forty times, an average of the weights; light augmentation and little
   * weight decay, none on depthwise kernels. (TF-slim's L2 of 4e-5 is a decoupled decay of 4e-4 at momentum 0.9.)
   *
   * Reaches 76.6 % of CIFAR-10's test pictures, 78.8 % by six views (docs/accuracy.md).
   */
  paper: {
    epochs: 15,
    batchSize: 128,
    optimizer: { name: 'rmsprop', decay: 0.9, momentum: 0.9, epsilon: 1 },
    // The final rate is 0.045 * 0.94 ** 40, written as a number.
    learningRate: /* @__PURE__ */ schedules.exponential({ rate: 0.045, final: 0.0037872734014541554, warmup: 0.02 }),
    weightDecay: 4e-4,
    emaDecay: 0.999,
    augment: { crop: { padding: 4 }, flip: 'random' },
    inputRange: [-1, 1],
  },
  /**
   * For a minute up to an hour: Nesterov momentum at a rate that rises over the first quarter and then falls to 0, smaller
   * pictures first (twice as many in the same time), light augmentation, and enough weight decay to keep the rate effective
   * where batch norm makes weights grow.
   *
   * Reached 85.2 % of CIFAR-10's test pictures in 20 minutes (seeds 1 to 3 alike; 86.3 % in the mean with their mirror images,
   * 86.8 % by six views), on two virtual processors, and with alpha 0.75 in an hour 88.2 %; with {@link recipeNetworks}.minute,
   * after as much work as those do in one minute, 69.2 % of pictures that were held back (docs/accuracy.md).
   */
  quick: {
    maxMinutes: 1,
    batchSize: 128,
    shuffle: true,
    optimizer: 'momentum',
    learningRate: /* @__PURE__ */ schedules.oneCycle({ rate: 0.2, peakAt: 0.25 }),
    weightDecay: 2e-3,
    labelSmoothing: 0.1,
    augment: { crop: { padding: 4, fill: 'reflect' }, flip: 'alternating' },
    pictureScales: [
      { until: 0.3, scale: 0.5 },
      { until: 0.65, scale: 0.75 },
    ],
    inputRange: CIFAR10_RANGE,
  },
  /**
   * For hours: the whole width, 120 epochs, and somewhat more weight decay than in the short recipe. Smaller pictures first,
   * as there.
   *
   * Reached 89.5 % of CIFAR-10's test pictures, 90.5 % by six views, in eleven hours of two slow virtual processors, and 87.2 %
   * cut to 29 epochs, in 92 minutes; with alpha 0.25, 150 epochs and less weight decay 84.2 % in 44 minutes (docs/accuracy.md).
   */
  best: {
    epochs: 120,
    batchSize: 128,
    shuffle: true,
    optimizer: 'momentum',
    learningRate: /* @__PURE__ */ schedules.oneCycle({ rate: 0.2, peakAt: 0.1 }),
    weightDecay: 2.5e-3,
    labelSmoothing: 0.1,
    augment: { crop: { padding: 4, fill: 'reflect' }, flip: 'alternating' },
    pictureScales: [
      { until: 0.25, scale: 0.5 },
      { until: 0.6, scale: 0.75 },
    ],
    inputRange: CIFAR10_RANGE,
  },
} satisfies Record<string, TrainClassifierOptions>;

/** The networks that go with the recipes, but for `classes` and `inputShape`. */
export const recipeNetworks = {
  tutorial: { alpha: 1 },
  paper: { alpha: 0.5, stemStride: 1 },
  // Batch norm's usual 0.99 would leave its moving averages behind in a few hundred steps.
  quick: { alpha: 0.5, stemStride: 1, depthwiseBeta: 1, batchNormMomentum: 0.9, dropout: 0 },
  best: { alpha: 1, stemStride: 1, depthwiseBeta: 1, batchNormMomentum: 0.98, dropout: 0 },
  /** For `recipes.quick` within less than some five minutes: narrow, so that the pictures are seen often enough. */
  minute: { alpha: 0.25, stemStride: 1, depthwiseBeta: 1, batchNormMomentum: 0.9, dropout: 0 },
} satisfies Record<keyof typeof recipes | 'minute', MobilenetV1Options>;
