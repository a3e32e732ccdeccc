import type { recipes } from '../../index';
import type { DataPlace } from '../shared/dataPlace';

/** Ways to train; named here, as help must not wait for the library. */
export const RECIPES = ['quick', 'best', 'paper', 'tutorial'] as const satisfies readonly (keyof typeof recipes)[];

/** Where weights trained on ImageNet come from. */
export const SOURCES = ['keras', 'timm', 'tfjs'] as const;

/** What the command line says. */
export interface TrainOptions {
  data: DataPlace;
  recipe: (typeof RECIPES)[number];
  pretrained?: (typeof SOURCES)[number];
  weights?: string;
  epochs?: number;
  minutes?: number;
  alpha?: number;
  size?: number;
  batchSize?: number;
  learningRate?: number;
  validationSplit?: number;
  limit?: number;
  seed: number;
  threads?: number;
  out: string;
  overwrite?: boolean;
  checkpoint?: string;
  resume?: string;
  report?: string;
  json?: boolean;
  /** The arguments again, but for where checkpoints are. */
  given: readonly string[];
}
