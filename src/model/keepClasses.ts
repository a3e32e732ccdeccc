import { concat, gather, mul, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { check } from '../errors';
import type { Head } from './head';
import { getModelMetadata } from './metadata';

/** For each new class the index of the old one that it goes on from; undefined where it starts fresh. */
export type KeptClasses = readonly (number | undefined)[];

/**
 * Which classes go on from what the old head learned: those of the same name, where both heads have names, else those of
 * the same index.
 */
export function keptClasses(
  where: string,
  model: LayersModel,
  head: Head | undefined,
  { classes, classNames }: { classes: number; classNames: readonly string[] | undefined },
): KeptClasses {
  check(head !== undefined, { where, expected: 'a model with a head, for keep: true', received: 'one without' });
  const { classNames: names } = getModelMetadata(model);
  const oldNames = names?.length === head.classes ? names : undefined;
  const oldIndex = (index: number) => (oldNames && classNames ? oldNames.indexOf(classNames[index]!) : index);
  const kept = Array.from({ length: classes }, (_, index) => {
    const old = oldIndex(index);
    return old >= 0 && old < head.classes ? old : undefined;
  });
  check(
    kept.some((old) => old !== undefined),
    {
      where,
      expected: `classNames that share one with the old ones (${oldNames?.join(', ')}), for keep: true`,
      received: classNames?.join(', '),
    },
  );
  return kept;
}

/** Gives a new classifier the old one's weights and biases of the classes that are kept. */
export function keepClasses(old: layers.Layer, fresh: layers.Layer, kept: KeptClasses): void {
  tidy(() => {
    const oldWeights = old.getWeights();
    const weights = fresh.getWeights().map((weight, i) => {
      const oldWeight: Tensor = oldWeights[i]!;
      const classes = oldWeight.shape.at(-1)!;
      // Columns of the old and the new side by side, of which each class takes one.
      const columns = kept.map((index, c) => index ?? classes + c);
      // tfjs's wasm backend takes what gather puts out for 4-D, and its convolutions no such bias; a product is new.
      return mul(gather(concat([oldWeight, weight], -1), columns, -1), 1);
    });
    fresh.setWeights(weights);
  });
}
