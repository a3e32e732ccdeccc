import { check, checkInteger, checkOptions } from '../errors';
import { createRandom, shuffleInPlace } from '../random';
import { batches } from './batches';
import { checkDataset, checkLabels, type ImageDataset, type InMemoryImageDataset } from './imageDataset';
import { roundShares } from './roundShares';
import { SPLIT_STREAM } from './streams';
import { subsetDataset } from './subsetDataset';

/**
 * The classes of all pictures of a dataset `[N]`: its `labels`, or where it has none, read picture by picture.
 *
 * @example
 * ```ts
 * const labels = await labelsOf(syntheticCifar10().train);
 * console.log(labels.filter((label) => label === 0).length);
 * ```
 */
export async function labelsOf(dataset: ImageDataset<Uint8Array | Float32Array>): Promise<Int32Array> {
  if (dataset.labels) return dataset.labels;
  const all = new Int32Array(dataset.size);
  let start = 0;
  for await (const { labels } of batches(dataset, { batchSize: 256 })) {
    all.set(labels, start);
    start += labels.length;
  }
  return all;
}

/** Two parts of a dataset that have no picture in common and are all of it; each in the dataset's order. */
export interface DatasetSplit<Dataset> {
  train: Dataset;
  validation: Dataset;
}

/** Options for {@link splitDataset}. */
export interface SplitDatasetOptions {
  /** The share of the pictures that is for validation, in (0, 1). */
  fraction: number;
  /** The same seed gives the same parts on every platform. @default 0 */
  seed?: number | undefined;
  /** Whether that is the share of every class, not only of the whole. @default true */
  stratified?: boolean | undefined;
}

/**
 * Holds back a part of a dataset for validation, chosen at random; no picture is copied.
 *
 * Stratified, classes get their shares rounded so that the total is right (largest remainders), but every class of two
 * or more pictures is in both parts, and one of a single picture is in `train`.
 *
 * @throws {MobilenetError} `invalid-argument` where an option is out of range, or no picture could be held back.
 * @example
 * ```ts
 * const { train, validation } = await splitDataset(syntheticCifar10().train, { fraction: 0.1, seed: 1 });
 * console.log(train.size, validation.size); // 1800 200
 * ```
 */
export function splitDataset(
  dataset: InMemoryImageDataset,
  options: SplitDatasetOptions,
): Promise<DatasetSplit<InMemoryImageDataset>>;
export function splitDataset<Pixels extends Uint8Array | Float32Array>(
  dataset: ImageDataset<Pixels>,
  options: SplitDatasetOptions,
): Promise<DatasetSplit<ImageDataset<Pixels>>>;
export async function splitDataset(
  dataset: ImageDataset,
  options: SplitDatasetOptions,
): Promise<DatasetSplit<ImageDataset>> {
  const remedy = 'With stratified: false a class may lack in one part.';
  return subsets(dataset, await splitIndices(dataset, options, remedy));
}

/**
 * Which pictures {@link splitDataset} puts where.
 *
 * @param remedy what to do where every class has a single picture
 */
export async function splitIndices(
  dataset: ImageDataset<Uint8Array | Float32Array>,
  options: SplitDatasetOptions,
  remedy = 'Add pictures, or hold none back.',
): Promise<DatasetSplit<Uint32Array>> {
  const where = 'splitDataset';
  checkDataset(where, dataset);
  checkOptions(where, options, { fraction: 'number', seed: 'any', stratified: 'boolean' });
  const { fraction, seed = 0, stratified = true } = options;
  check(fraction > 0 && fraction < 1, { where, expected: 'fraction to be in (0, 1)', received: fraction });
  const groups = await shuffledGroups(where, dataset, seed, stratified);
  const sizes = groups.map((group) => group.length);
  const shares = roundShares(sizes, fraction);
  const held = groups.flatMap((group, k) => [...group.subarray(0, shares[k])]);
  check(held.length > 0, {
    where,
    expected: stratified ? 'a class of two pictures or more' : 'two pictures or more',
    received: `${dataset.size} pictures of ${dataset.classNames.length} classes`,
    ...(stratified && { remedy }),
  });
  return splitAt(dataset.size, held);
}

/** Options for {@link foldDataset}. */
export interface FoldDatasetOptions {
  /** How many parts the dataset is cut into, at least 2. */
  folds: number;
  /** The part to validate on, from 0; the others are for training. */
  fold: number;
  /** The same seed gives the same parts on every platform. @default 0 */
  seed?: number | undefined;
}

/**
 * One of the splits of a stratified k-fold cross-validation: over all folds, each picture is once in `validation`.
 *
 * Parts differ by one picture at most, in every class and in all.
 *
 * @throws {MobilenetError} `invalid-argument`
 * @example
 * ```ts
 * const { train: all } = syntheticCifar10();
 * for (let fold = 0; fold < 5; fold++) {
 *   const { train, validation } = await foldDataset(all, { folds: 5, fold });
 *   console.log(train.size, validation.size); // 1600 400
 * }
 * ```
 */
export function foldDataset(
  dataset: InMemoryImageDataset,
  options: FoldDatasetOptions,
): Promise<DatasetSplit<InMemoryImageDataset>>;
export function foldDataset<Pixels extends Uint8Array | Float32Array>(
  dataset: ImageDataset<Pixels>,
  options: FoldDatasetOptions,
): Promise<DatasetSplit<ImageDataset<Pixels>>>;
export async function foldDataset(
  dataset: ImageDataset,
  options: FoldDatasetOptions,
): Promise<DatasetSplit<ImageDataset>> {
  const where = 'foldDataset';
  checkDataset(where, dataset);
  checkOptions(where, options, { folds: 'any', fold: 'any', seed: 'any' });
  const { folds, fold, seed = 0 } = options;
  checkInteger(where, 'folds', folds, 2);
  check(folds <= dataset.size, { where, expected: `folds of at most ${dataset.size} pictures`, received: folds });
  checkInteger(where, 'fold', fold, 0);
  check(fold < folds, { where, expected: `fold to be from 0 to ${folds - 1}`, received: fold });
  const groups = await shuffledGroups(where, dataset, seed, true);
  // Dealt like cards, class by class: no fold is ever ahead of another by more than one.
  const dealt = groups.flatMap((group) => [...group]);
  const held = dealt.filter((_, place) => place % folds === fold);
  return subsets(dataset, splitAt(dataset.size, held));
}

/** The indices of each class, shuffled; all in one group where not stratified. */
async function shuffledGroups(
  where: string,
  dataset: ImageDataset<Uint8Array | Float32Array>,
  seed: number,
  stratified: boolean,
): Promise<Uint32Array[]> {
  check(Number.isSafeInteger(seed), { where, expected: 'seed to be an integer', received: seed });
  const classes = dataset.classNames.length;
  const labels = stratified ? await labelsOf(dataset) : new Int32Array(dataset.size);
  checkLabels(where, labels, classes);
  const groups = Array.from({ length: classes }, (): number[] => []);
  labels.forEach((label, index) => {
    groups[label]!.push(index);
  });
  return groups.map((group, k) => shuffleInPlace(Uint32Array.from(group), createRandom(seed, SPLIT_STREAM, k)));
}

function splitAt(size: number, held: readonly number[]): DatasetSplit<Uint32Array> {
  const isHeld = new Uint8Array(size);
  for (const index of held) isHeld[index] = 1;
  const all = Uint32Array.from(isHeld.keys());
  return { train: all.filter((index) => !isHeld[index]), validation: all.filter((index) => isHeld[index]) };
}

function subsets(dataset: ImageDataset, { train, validation }: DatasetSplit<Uint32Array>): DatasetSplit<ImageDataset> {
  return { train: subsetDataset(dataset, train), validation: subsetDataset(dataset, validation) };
}
