import type { ImageBatch, ImageDataset } from '../data/imageDataset';
import { check, quoted } from '../errors';

// n = pictures of a batch, K = classes.

/** How much each picture counts in the loss: as its class says, or as itself, or by both, multiplied. */
export interface LossWeights {
  /** One for each class, by name or in order; `'balanced'` makes all classes count the same in all, N / (K * pictures of the class). */
  classWeights?: readonly number[] | Readonly<Record<string, number>> | 'balanced' | undefined;
  /** One for each picture of the dataset, in its order. */
  sampleWeights?: ArrayLike<number> | undefined;
}

/** What the loss of a picture is measured with. */
export interface TargetSettings {
  readonly labelSmoothing: number;
  /** One for each class. */
  readonly classWeights: readonly number[] | undefined;
  readonly sampleWeights: ArrayLike<number> | undefined;
}

/**
 * The targets `[n,K]` of a batch: `weight * (y * (1 - s) + s / K)`, y one-hot, s the label smoothing (Szegedy et al. 2016,
 * section 7), the weight that of the picture's class times its own.
 */
export function lossTargets(batch: ImageBatch<Uint8Array | Float32Array>, settings: TargetSettings): Float32Array {
  const { labels, classes, indices } = batch;
  const { labelSmoothing, classWeights, sampleWeights } = settings;
  const targets = new Float32Array(labels.length * classes);
  labels.forEach((label, i) => {
    const weight = (classWeights?.[label] ?? 1) * (sampleWeights && indices ? sampleWeights[indices[i]!]! : 1);
    targets.fill((weight * labelSmoothing) / classes, i * classes, (i + 1) * classes);
    targets[i * classes + label] = weight * (1 - labelSmoothing + labelSmoothing / classes);
  });
  return targets;
}

/** Checks weights and brings those of classes into order; `labels` are needed for `'balanced'` only. */
export function resolveLossWeights(
  where: string,
  { size, classNames }: ImageDataset,
  { classWeights, sampleWeights }: LossWeights,
  labels: Int32Array | undefined,
): Pick<TargetSettings, 'classWeights' | 'sampleWeights'> {
  if (sampleWeights !== undefined) {
    check(sampleWeights?.length === size, {
      where,
      expected: `sampleWeights to have one weight for each of the ${size} pictures`,
      received: sampleWeights?.length,
    });
    for (let i = 0; i < size; i++) checkWeight(where, `sampleWeights[${i}]`, sampleWeights[i]);
  }
  if (classWeights === undefined) return { sampleWeights, classWeights };
  return { sampleWeights, classWeights: orderedWeights(where, classNames, classWeights, labels) };
}

function orderedWeights(
  where: string,
  classNames: readonly string[],
  weights: NonNullable<LossWeights['classWeights']>,
  labels: Int32Array | undefined,
): readonly number[] {
  if (weights === 'balanced') return balancedWeights(classNames.length, labels!);
  const isList = Array.isArray(weights) || ArrayBuffer.isView(weights);
  check(isList || Object.prototype.toString.call(weights) === '[object Object]', {
    where,
    expected: "classWeights to be 'balanced', a list or an object by class name",
    received: quoted(weights),
  });
  const ordered = isList
    ? Array.from(weights as readonly number[])
    : byName(where, classNames, weights as Record<string, number>);
  check(ordered.length === classNames.length, {
    where,
    expected: `classWeights to have one weight for each of the ${classNames.length} classes`,
    received: ordered.length,
  });
  for (const [k, weight] of ordered.entries()) checkWeight(where, `the weight of class '${classNames[k]}'`, weight);
  return ordered;
}

/** Classes that are not named count as 1. */
function byName(where: string, classNames: readonly string[], weights: Readonly<Record<string, number>>): number[] {
  const unknown = Object.keys(weights).filter((name) => !classNames.includes(name));
  check(unknown.length === 0, {
    where,
    expected: `classWeights of the classes ${classNames.join(', ')}`,
    received: unknown.join(', '),
  });
  const given = new Map(Object.entries(weights));
  return classNames.map((name) => given.get(name) ?? 1);
}

/** scikit-learn's `class_weight='balanced'`; a class without pictures counts as 1. */
function balancedWeights(classes: number, labels: Int32Array): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]! += 1;
  return counts.map((count) => (count === 0 ? 1 : labels.length / (classes * count)));
}

function checkWeight(where: string, name: string, weight: unknown): void {
  const valid = typeof weight === 'number' && Number.isFinite(weight) && weight >= 0;
  check(valid, { where, expected: `${name} to be a number of at least 0`, received: quoted(weight) });
}
