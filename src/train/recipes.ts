import type { TrainClassifierOptions } from './trainingOptions';

/**
 * Ways to train that are known to work; plain options to spread and change.
 *
 * @example
 * ```ts
 * await trainClassifier(model, train, { ...recipes.tutorial, epochs: 3, validation: test });
 * ```
 */
export const recipes = {
  /**
   * The classic TensorFlow tutorial's: pixels / 255, batches of 128, a shuffle window of 10,000, Adam at 1e-5,
   * 30 epochs. Its rate is small: it learns slowly.
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
   * For a minute of training: small batches, so many steps, and Nesterov momentum at a rate that warms up over the first
   * quarter and then falls to 0. Adam and RMSprop do far worse in so few steps.
   */
  quick: {
    maxMinutes: 1,
    batchSize: 64,
    shuffle: true,
    optimizer: 'momentum',
    learningRate: ({ progress }) => 0.1 * Math.min(1, 0.02 + 4 * progress) * (1 - progress),
    inputRange: [-1, 1],
  },
} satisfies Record<string, TrainClassifierOptions>;
