import { tensor } from '@tensorflow/tfjs-core';
import { initializers, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { requireBackend } from '../backend';
import { check, checkInteger, checkOptions } from '../errors';
import { createRandom } from '../random';
import { KERNEL_SIZE, outputSize, type PaddingStyle, type Window, windowPadding } from './architecture';
import {
  checkDepthwiseStart,
  checkFilters,
  checkName,
  type DepthwiseInitializer,
  NETWORK_OPTIONS,
  type NetworkOptions,
  type ResolvedNetworkOptions,
  resolveNetworkOptions,
} from './options';

// n = batch, H = height, W = width, C = channels, F = floor(filters * alpha), M = depthMultiplier, h and w = the
// output's height and width.

/** Options that both blocks share. */
interface BlockOptions extends NetworkOptions {
  /** Channels of the output, before `alpha`. */
  filters: number;
  /** @default 1 */
  strides?: number | undefined;
}

/** Options for {@link convBlock}. */
export interface ConvBlockOptions extends BlockOptions {
  /**
   * Height and width of the kernel.
   * @default 3
   */
  kernelSize?: number | undefined;
  /**
   * The convolution's name; the layers after it add `_bn` and `_relu`, a padding layer before it `_pad`. Without it
   * they get tfjs's unique names.
   */
  name?: string | undefined;
}

/** Options for {@link depthwiseConvBlock}. */
export interface DepthwiseConvBlockOptions extends BlockOptions {
  /**
   * M, depthwise channels per input channel. (The paper's resolution multiplier is another thing: see
   * {@link MobilenetV1Options.resolutionMultiplier}.)
   * @default 1
   */
  depthMultiplier?: number | undefined;
  /**
   * How the depthwise kernel starts out.
   * @default 'glorotUniform'
   */
  depthwiseInitializer?: DepthwiseInitializer | undefined;
  /**
   * What beta of the batch norm after the depthwise kernel starts out as.
   * @default 0
   */
  depthwiseBeta?: number | undefined;
  /**
   * What the layers' names end in: `'1'` gives `conv_dw_1`, `conv_dw_1_bn`, `conv_dw_1_relu`, `conv_pw_1`,
   * `conv_pw_1_bn`, `conv_pw_1_relu`, and `conv_pad_1` where there is a padding layer, as Keras names them. Without it
   * they get tfjs's unique names.
   */
  name?: string | undefined;
}

const BLOCK_OPTIONS = { ...NETWORK_OPTIONS, filters: 'any', strides: 'any', name: 'any' } as const;

/**
 * A convolution without bias, batch norm and ReLU6.
 *
 * `input [n,H,W,C]` to `[n,h,w,F]`; initial weights are Glorot-uniform.
 *
 * @throws {MobilenetError} `invalid-argument` where an option is out of range or the input too small.
 * @example
 * ```ts
 * const image = tf.input({ shape: [32, 32, 3] });
 * const features = convBlock(image, { filters: 32, name: 'conv1' });
 * ```
 */
export function convBlock(input: SymbolicTensor, options: ConvBlockOptions): SymbolicTensor {
  const where = 'convBlock';
  checkOptions(where, options, { ...BLOCK_OPTIONS, kernelSize: 'any' });
  const { kernelSize = 3, strides = 1, name } = options;
  const shared = resolveBlockOptions(where, options);
  checkInteger(where, 'kernelSize', kernelSize, 1);
  const { padding, seed } = shared;

  const window = { kind: 'conv', kernelSize, strides } as const;
  const padded = pad(where, input, window, padding, name && `${name}_pad`);
  const convolution = layers.conv2d({
    filters: checkFilters(where, options.filters, shared.alpha),
    kernelSize,
    strides,
    padding: windowPadding(window, padding).mode,
    useBias: false,
    kernelInitializer: glorotUniform(seed),
    name,
  });
  return normalizeAndActivate(apply(convolution, padded), shared, name);
}

/**
 * A depthwise separable convolution: a 3x3 depthwise and a 1x1 convolution, each without bias and followed by batch norm
 * and ReLU6.
 *
 * `input [n,H,W,C]` to `[n,h,w,C*M]` to `[n,h,w,F]`; initial weights are Glorot-uniform, but see
 * `depthwiseInitializer` and `depthwiseBeta`.
 *
 * Source: Howard et al., "MobileNets" (arXiv 1704.04861), figure 3.
 *
 * @throws {MobilenetError} `invalid-argument` where an option is out of range or the input too small.
 * @example
 * ```ts
 * const image = tf.input({ shape: [32, 32, 3] });
 * let features = convBlock(image, { filters: 32 });
 * features = depthwiseConvBlock(features, { filters: 64, strides: 2 });
 * features = depthwiseConvBlock(features, { filters: 128, strides: 2 });
 * const model = tf.model({ inputs: image, outputs: features });
 * ```
 */
export function depthwiseConvBlock(input: SymbolicTensor, options: DepthwiseConvBlockOptions): SymbolicTensor {
  const where = 'depthwiseConvBlock';
  checkOptions(where, options, {
    ...BLOCK_OPTIONS,
    depthMultiplier: 'any',
    depthwiseInitializer: 'any',
    depthwiseBeta: 'any',
  });
  const { filters, strides = 1, depthMultiplier = 1, name } = options;
  const { depthwiseInitializer = 'glorotUniform', depthwiseBeta = 0 } = options;
  const shared = resolveBlockOptions(where, options);
  checkInteger(where, 'depthMultiplier', depthMultiplier, 1);
  checkDepthwiseStart(where, depthwiseInitializer, depthwiseBeta);
  checkFilters(where, filters, shared.alpha);
  const { padding, seed } = shared;

  const window = { kind: 'depthwise', kernelSize: KERNEL_SIZE, strides } as const;
  const padded = pad(where, input, window, padding, name && `conv_pad_${name}`);
  const depthwiseName = name && `conv_dw_${name}`;
  const depthwise = layers.depthwiseConv2d({
    kernelSize: KERNEL_SIZE,
    strides,
    padding: windowPadding(window, padding).mode,
    depthMultiplier,
    useBias: false,
    depthwiseInitializer: glorotUniform(deriveSeed(seed, 0)),
    name: depthwiseName,
  });
  const convolved = apply(depthwise, padded);
  if (depthwiseInitializer === 'identity') setNoisyIdentity(depthwise, deriveSeed(seed, 0));
  const filtered = normalizeAndActivate(convolved, shared, depthwiseName, depthwiseBeta);
  const pointwiseName = name && `conv_pw_${name}`;
  return convBlock(filtered, { ...shared, filters, kernelSize: 1, name: pointwiseName, seed: deriveSeed(seed, 1) });
}

/** A seed for part `index` of what `seed` stands for; two layers of one shape must not start out equal. */
export function deriveSeed(seed: number | undefined, index: number): number | undefined {
  return seed === undefined ? undefined : createRandom(seed, index).integer(0x1_0000_0000);
}

/**
 * Uniform in ±sqrt(6 / (fanIn + fanOut)), Keras's default; tfjs's own default is the normal one.
 *
 * The fans of a depthwise kernel `[3,3,C,M]` are 9C and 9M, in Keras and in tfjs.
 */
export function glorotUniform(seed: number | undefined) {
  return initializers.glorotUniform({ seed });
}

/**
 * Fills a depthwise kernel `[3,3,C,M]` with normal noise, and adds 1 in the centre.
 *
 * The layer is built before, with an initializer of tfjs's own: one of ours would keep a saved model from tfjs's loader.
 */
function setNoisyIdentity(depthwise: layers.Layer, seed = Math.floor(Math.random() * 0x1_0000_0000)): void {
  const shape = depthwise.weights[0]!.shape as number[];
  const channels = shape[2]! * shape[3]!;
  const centre = Math.floor((KERNEL_SIZE * KERNEL_SIZE) / 2);
  const random = createRandom(seed);
  const values = Float32Array.from({ length: KERNEL_SIZE * KERNEL_SIZE * channels }, (_, i) => {
    const noise = IDENTITY_NOISE * random.normal();
    return Math.floor(i / channels) === centre ? 1 + noise : noise;
  });
  const kernel = tensor(values, shape);
  depthwise.setWeights([kernel]);
  kernel.dispose();
}

/** Standard deviation. */
const IDENTITY_NOISE = 0.1;

/** Applies a layer that has one output. */
export function apply(layer: layers.Layer, input: SymbolicTensor): SymbolicTensor {
  return layer.apply(input) as SymbolicTensor;
}

function normalizeAndActivate(
  input: SymbolicTensor,
  { batchNormMomentum, batchNormEpsilon }: ResolvedNetworkOptions,
  name: string | undefined,
  beta = 0,
): SymbolicTensor {
  const batchNorm = layers.batchNormalization({
    momentum: batchNormMomentum,
    epsilon: batchNormEpsilon,
    ...(beta !== 0 && { betaInitializer: initializers.constant({ value: beta }) }),
    name: name && `${name}_bn`,
  });
  const relu6 = layers.reLU({ maxValue: 6, name: name && `${name}_relu` });
  return apply(relu6, apply(batchNorm, input));
}

/** Zeros around the input, where the padding style asks for more than `same` and `valid` can say. */
function pad(where: string, input: SymbolicTensor, window: Window, style: PaddingStyle, name: string | undefined) {
  checkInput(where, input, window, style);
  const { before, after } = windowPadding(window, style);
  if (before + after === 0) return input;
  const padding: [[number, number], [number, number]] = [
    [before, after],
    [before, after],
  ];
  return apply(layers.zeroPadding2d({ padding, name }), input);
}

function checkInput(where: string, input: SymbolicTensor, window: Window, style: PaddingStyle): void {
  check(input?.shape?.length === 4, {
    where,
    expected: 'a symbolic tensor of shape [n,H,W,C]',
    received: input?.shape ?? input,
    remedy: 'Start with tf.input({ shape: [height, width, channels] }).',
  });
  const [, height, width] = input.shape;
  // A height or width that is left open (null) is only known when pictures come.
  const fits = [height, width].every((size) => size == null || outputSize(size, window, style) >= 1);
  check(fits, {
    where,
    expected: `an input that a ${window.kernelSize}x${window.kernelSize} window with padding '${style}' fits into`,
    received: input.shape,
    remedy: "Enlarge the input, or take padding: 'same'.",
  });
}

function resolveBlockOptions(where: string, options: BlockOptions & { name?: string }): ResolvedNetworkOptions {
  requireBackend(where);
  checkInteger(where, 'strides', options.strides ?? 1, 1);
  if (options.name !== undefined) checkName(where, options.name);
  return resolveNetworkOptions(where, options);
}
