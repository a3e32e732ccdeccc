import { check, checkInteger, checkOptions, quoted } from '../errors';
import {
  type ArchitectureRow,
  type FeatureShape,
  mobilenetV1Rows,
  type PaddingStyle,
  paddingStyles,
  scaleFilters,
  smallestInputSize,
} from './architecture';

/**
 * How depthwise kernels start out.
 *
 * - `'glorotUniform'`: as in Keras.
 * - `'identity'`: 1 in the centre, and normal noise of standard deviation 0.1 everywhere, so that signals and gradients
 *   pass through all depthwise layers of a fresh network.
 */
export type DepthwiseInitializer = 'glorotUniform' | 'identity';

/** Options that the blocks and the whole network have in common. */
export interface NetworkOptions {
  /**
   * Width multiplier: a layer of `filters` gets `floor(filters * alpha)`, as in Keras (the text of some tutorials says
   * rounded). Above 0; the paper takes 1, 0.75, 0.5 and 0.25.
   * @default 1
   */
  alpha?: number | undefined;
  /**
   * How convolutions with a stride pad.
   * @default 'same'
   */
  padding?: PaddingStyle | undefined;
  /**
   * Share of the moving averages that each training step keeps, 0 to below 1. Lower it for short trainings: 0.99 needs
   * some hundred steps.
   * @default 0.99
   */
  batchNormMomentum?: number | undefined;
  /**
   * Added to the variance; above 0.
   * @default 1e-3
   */
  batchNormEpsilon?: number | undefined;
  /** Fixes the initial weights: the same seed gives the same bits on every backend. Random without it. */
  seed?: number | undefined;
}

/** Options for {@link mobilenetV1} and {@link describeMobilenetV1}. */
export interface MobilenetV1Options extends NetworkOptions {
  /**
   * How many classes the head tells apart; without effect where `includeTop` is false.
   * @default 1000
   */
  classes?: number | undefined;
  /**
   * `[H,W,C]` of a picture, before `resolutionMultiplier`; any number of channels.
   * @default [224, 224, 3]
   */
  inputShape?: FeatureShape | undefined;
  /**
   * Depthwise channels per input channel (the argument of Keras's layer). The other meaning that "depth multiplier" has
   * in writings on MobileNet, the paper's resolution multiplier, is `resolutionMultiplier`.
   * @default 1
   */
  depthMultiplier?: number | undefined;
  /**
   * How depthwise kernels start out.
   * @default 'glorotUniform'
   */
  depthwiseInitializer?: DepthwiseInitializer | undefined;
  /**
   * What beta of each batch norm after a depthwise kernel starts out as. With 1 most values pass its ReLU6 unchanged at
   * first, and the network learns faster (docs/accuracy.md).
   * @default 0
   */
  depthwiseBeta?: number | undefined;
  /**
   * The paper's rho: scales height and width of `inputShape`, rounded with `Math.round`. Above 0.
   * @default 1
   */
  resolutionMultiplier?: number | undefined;
  /**
   * Share of the features that the head drops in training, 0 to below 1; without effect where `includeTop` is false.
   * @default 0.5
   */
  dropout?: number | undefined;
  /**
   * Stride of the first convolution; 1 suits small pictures such as CIFAR-10's.
   * @default 2
   */
  stemStride?: number | undefined;
  /**
   * Whether the classification head is part of the network.
   * @default true
   */
  includeTop?: boolean | undefined;
  /** With `includeTop: false`, global pooling to `[n,C]`. Without it the output is the last feature map, `[n,h,w,C]`. */
  pooling?: 'avg' | 'max' | undefined;
  /**
   * `'softmax'` gives probabilities, `'linear'` logits.
   * @default 'softmax'
   */
  classifierActivation?: 'softmax' | 'linear' | undefined;
  /**
   * The model's name.
   * @default as in Keras, for instance `mobilenet_1.00_224`
   */
  name?: string | undefined;
}

/** What there is among {@link NetworkOptions}. */
export const NETWORK_OPTIONS = {
  alpha: 'any',
  padding: 'any',
  batchNormMomentum: 'any',
  batchNormEpsilon: 'any',
  seed: 'any',
} as const;

const MOBILENET_OPTIONS = {
  ...NETWORK_OPTIONS,
  classes: 'any',
  inputShape: 'any',
  depthMultiplier: 'any',
  depthwiseInitializer: 'any',
  depthwiseBeta: 'any',
  resolutionMultiplier: 'any',
  dropout: 'any',
  stemStride: 'any',
  includeTop: 'boolean',
  pooling: 'any',
  classifierActivation: 'any',
  name: 'any',
} as const;

/** {@link NetworkOptions} with the defaults filled in. */
export type ResolvedNetworkOptions = Readonly<Required<Omit<NetworkOptions, 'seed'>> & Pick<NetworkOptions, 'seed'>>;

/** A network's options with the defaults filled in, and the table as they leave it. */
export interface ResolvedNetwork extends ResolvedNetworkOptions {
  /** `[H,W,C]`, after the resolution multiplier. */
  readonly inputShape: FeatureShape;
  /** The table, its filters after alpha. */
  readonly rows: readonly ArchitectureRow[];
  readonly depthMultiplier: number;
  readonly depthwiseInitializer: DepthwiseInitializer;
  readonly depthwiseBeta: number;
  readonly classes: number;
  readonly dropout: number;
  readonly includeTop: boolean;
  readonly pooling: 'avg' | 'max' | undefined;
  readonly classifierActivation: 'softmax' | 'linear';
  readonly name: string;
}

/** Fills in the defaults and throws `invalid-argument`, in the name of `where`, for what makes no network. */
export function resolveMobilenetV1(where: string, options: MobilenetV1Options): ResolvedNetwork {
  checkOptions(where, options, MOBILENET_OPTIONS);
  const shared = resolveNetworkOptions(where, options);
  const { depthMultiplier = 1, resolutionMultiplier = 1, stemStride = 2, classes = 1000, dropout = 0.5 } = options;
  const {
    includeTop = true,
    pooling,
    classifierActivation = 'softmax',
    depthwiseInitializer = 'glorotUniform',
    depthwiseBeta = 0,
  } = options;
  checkInteger(where, 'depthMultiplier', depthMultiplier, 1);
  checkDepthwiseStart(where, depthwiseInitializer, depthwiseBeta);
  checkInteger(where, 'stemStride', stemStride, 1);
  checkInteger(where, 'classes', classes, 1);
  checkRange(where, 'dropout', dropout);
  checkOneOf(where, 'classifierActivation', classifierActivation, ['softmax', 'linear']);
  checkPooling(where, pooling, includeTop);

  const rows = mobilenetV1Rows.map((row) => ({
    ...row,
    filters: checkFilters(where, row.filters, shared.alpha),
    strides: row.kind === 'conv' ? stemStride : row.strides,
  }));
  const inputShape = scaleInputShape(where, options.inputShape ?? [224, 224, 3], resolutionMultiplier);
  checkInputSize(where, inputShape, rows, shared.padding);
  const name = options.name ?? defaultName(shared.alpha, inputShape);
  checkName(where, name);
  const head = { classes, dropout, includeTop, pooling, classifierActivation };
  return { ...shared, ...head, inputShape, rows, depthMultiplier, depthwiseInitializer, depthwiseBeta, name };
}

/** The same for the options that blocks and network share. */
export function resolveNetworkOptions(where: string, options: NetworkOptions): ResolvedNetworkOptions {
  const { alpha = 1, padding = 'same', batchNormMomentum = 0.99, batchNormEpsilon = 1e-3, seed } = options;
  checkPositive(where, 'alpha', alpha);
  checkOneOf(where, 'padding', padding, paddingStyles);
  checkRange(where, 'batchNormMomentum', batchNormMomentum);
  checkPositive(where, 'batchNormEpsilon', batchNormEpsilon);
  if (seed !== undefined) checkInteger(where, 'seed', seed, 0);
  return { alpha, padding, batchNormMomentum, batchNormEpsilon, seed };
}

/** `floor(filters * alpha)`, which must leave at least one. */
export function checkFilters(where: string, filters: number, alpha: number): number {
  checkInteger(where, 'filters', filters, 1);
  const scaled = scaleFilters(filters, alpha);
  check(scaled >= 1, {
    where,
    expected: 'alpha to leave every layer at least one filter',
    received: `floor(${filters} filters * alpha ${alpha}) = ${scaled}`,
    remedy: `Take an alpha of at least 1/${filters}.`,
  });
  return scaled;
}

export function checkDepthwiseStart(where: string, initializer: unknown, beta: number): void {
  checkOneOf(where, 'depthwiseInitializer', initializer, ['glorotUniform', 'identity']);
  check(Number.isFinite(beta), { where, expected: 'depthwiseBeta to be a finite number', received: beta });
}

export function checkName(where: string, name: unknown): void {
  const expected = 'name to be a string that is not empty';
  check(typeof name === 'string' && name !== '', { where, expected, received: JSON.stringify(name) });
}

function checkPooling(where: string, pooling: unknown, includeTop: boolean): void {
  checkOneOf(where, 'pooling', pooling, ['avg', 'max', undefined]);
  check(!(includeTop && pooling !== undefined), {
    where,
    expected: 'pooling only together with includeTop: false',
    received: `pooling '${pooling}' with the top included`,
    remedy: 'The top pools on its own; leave pooling out, or set includeTop to false.',
  });
}

function scaleInputShape(where: string, inputShape: FeatureShape, resolutionMultiplier: number): FeatureShape {
  const valid = Array.isArray(inputShape) && inputShape.length === 3 && inputShape.every(isPositiveInteger);
  check(valid, {
    where,
    expected: 'inputShape to be [height, width, channels], three integers of at least 1',
    received: inputShape,
    remedy: 'Leave the batch out.',
  });
  checkPositive(where, 'resolutionMultiplier', resolutionMultiplier);
  const [height, width, channels] = inputShape;
  return [Math.round(height * resolutionMultiplier), Math.round(width * resolutionMultiplier), channels];
}

function checkInputSize(where: string, shape: FeatureShape, rows: readonly ArchitectureRow[], style: PaddingStyle) {
  const [height, width] = shape;
  const smallest = smallestInputSize(rows, style);
  check(height >= smallest && width >= smallest, {
    where,
    expected: `a height and width of at least ${smallest} (padding '${style}', after resolutionMultiplier)`,
    received: `${height} x ${width}`,
    remedy: "Take larger pictures, a larger resolutionMultiplier, stemStride: 1 or padding: 'same'.",
  });
}

/** Keras's rule, which names square pictures only. */
function defaultName(alpha: number, [height, width]: FeatureShape): string {
  return `mobilenet_${alpha.toFixed(2)}_${height === width ? height : `${height}x${width}`}`;
}

function isPositiveInteger(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1;
}

function checkPositive(where: string, name: string, value: unknown): void {
  const positive = typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY;
  check(positive, { where, expected: `${name} to be a number above 0`, received: quoted(value) });
}

export function checkRange(where: string, name: string, value: unknown): void {
  const inside = typeof value === 'number' && value >= 0 && value < 1;
  check(inside, { where, expected: `${name} to be at least 0 and below 1`, received: quoted(value) });
}

export function checkOneOf(where: string, name: string, value: unknown, choices: readonly unknown[]): void {
  const expected = `${name} to be ${choices.map((choice) => (choice === undefined ? 'left out' : `'${choice}'`)).join(', ')}`;
  check(choices.includes(value), { where, expected, received: quoted(value) });
}
