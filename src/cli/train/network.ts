import { type MobilenetV1Options, recipeNetworks, recipes, schedules, type TrainClassifierOptions } from '../../index';
import type { TrainOptions } from './trainOptions';

/** Of a folder's pictures, unless it is said. */
const FOLDER_SIZE = 96;
const PRETRAINED_SIZE = 224;

/** Below this, a first layer of stride 2 would leave too little of a picture. */
const LARGE_PICTURE = 64;

/** A minute is too short for the wide network of the quick recipe. */
const SHORT_MINUTES = 5;

/** Height and width that the pictures of a folder are resized to. */
export function pictureSize({ size, pretrained }: Pick<TrainOptions, 'size' | 'pretrained'>): number {
  return size ?? (pretrained ? PRETRAINED_SIZE : FOLDER_SIZE);
}

/** The network that goes with a recipe, for pictures of this size. */
export function networkOf(
  { recipe, minutes = 1, epochs, alpha, seed }: TrainOptions,
  size: number,
): MobilenetV1Options & { alpha: number } {
  const isShort = recipe === 'quick' && epochs === undefined && minutes < SHORT_MINUTES;
  const network: MobilenetV1Options & { alpha: number } = recipeNetworks[isShort ? 'minute' : recipe];
  return {
    ...network,
    ...(size >= LARGE_PICTURE && { stemStride: 2 }),
    ...(alpha !== undefined && { alpha }),
    seed,
  };
}

/** How to train: the recipe, or what suits a new head on features that are kept, with what the command line changes. */
export function trainingOf(options: TrainOptions, size: number): TrainClassifierOptions {
  const { pretrained, recipe, epochs, minutes, batchSize, learningRate, seed, threads } = options;
  return {
    ...(pretrained ? HEAD : forPictures(recipes[recipe], size)),
    ...(epochs !== undefined && { epochs, maxMinutes: undefined }),
    ...(minutes !== undefined && { maxMinutes: minutes, epochs: undefined }),
    ...(batchSize !== undefined && { batchSize }),
    ...(learningRate !== undefined && { learningRate }),
    ...(threads !== undefined && { threads }),
    seed,
  };
}

/** Nothing changes the pictures, so that their features are computed once. */
const HEAD: TrainClassifierOptions = {
  epochs: 60,
  batchSize: 64,
  optimizer: 'adam',
  learningRate: schedules.cosine({ rate: 0.003 }),
};

/** The recipes were made for CIFAR-10: pictures of other sizes are changed as much, and have other means. */
function forPictures(recipe: TrainClassifierOptions, size: number): TrainClassifierOptions {
  const { augment, inputRange } = recipe;
  if (size === 32) return recipe;
  const { crop } = augment ?? {};
  return {
    ...recipe,
    ...(Array.isArray(inputRange?.[0]) && { inputRange: [-1, 1] }),
    ...(crop && {
      augment: { ...augment, crop: { ...crop, padding: Math.round((crop.padding * size) / 32) } },
    }),
  };
}
