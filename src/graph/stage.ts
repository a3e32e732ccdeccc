/** Height, width and channels of one picture or feature map. */
export interface FeatureSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A weight of the model: where it stands in `model.weights`, and whether training may change it. */
export interface WeightRef {
  readonly index: number;
  readonly trainable: boolean;
}

/** A weight as the model has it. */
export interface WeightInfo {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * The window of a convolution. A pixel outside of the picture counts as 0; how far the window reaches out below and to
 * the right follows from the output's size.
 */
export interface ConvWindow {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/** Batch norm over channels; gamma counts as 1 and beta as 0 where the layer has none. */
export interface BatchNorm {
  /** The layer's name. */
  readonly name: string;
  readonly gamma: WeightRef | undefined;
  readonly beta: WeightRef | undefined;
  /** Their `trainable` says whether training moves them: false for a frozen layer, which then normalises with them. */
  readonly movingMean: WeightRef;
  readonly movingVariance: WeightRef;
  readonly epsilon: number;
  readonly momentum: number;
}

/** What every stage has: `z = operation(a)`, `y = batchNorm(z + bias)`, and its output `min(max(y, low), high)`. */
interface StageBase {
  /** Of the layer that the operation comes from. */
  readonly name: string;
  readonly input: FeatureSize;
  readonly output: FeatureSize;
  readonly bias: WeightRef | undefined;
  readonly batchNorm: BatchNorm | undefined;
  /** `[0, 6]` for ReLU6, `[0, Infinity]` for ReLU, `[-Infinity, Infinity]` for none. */
  readonly clamp: readonly [low: number, high: number];
}

/** A convolution, kernel `[KH,KW,C,F]`. A dense layer is one whose window is the whole picture. */
export interface ConvStage extends StageBase {
  readonly kind: 'conv';
  readonly kernel: WeightRef;
  readonly window: ConvWindow;
}

/** A depthwise convolution, kernel `[KH,KW,C,M]`: M = `multiplier` outputs for each input channel. */
export interface DepthwiseStage extends StageBase {
  readonly kind: 'depthwise';
  /** Undefined for a stage that only normalises or activates: one tap of weight 1. */
  readonly kernel: WeightRef | undefined;
  readonly window: ConvWindow;
  readonly multiplier: number;
}

/** The mean over each channel of a picture. */
export interface PoolStage extends StageBase {
  readonly kind: 'pool';
}

/** Drops values with probability `rate` in training, and scales the others by 1 / (1 - rate). */
export interface DropoutStage extends StageBase {
  readonly kind: 'dropout';
  readonly rate: number;
}

export type Stage = ConvStage | DepthwiseStage | PoolStage | DropoutStage;

/** A LayersModel read as a chain of fused stages; plain data, so that it can be posted to a worker. */
export interface StageGraph {
  readonly input: FeatureSize;
  readonly stages: readonly Stage[];
  /** Channels of the last stage: the outputs where that is 1 x 1 pixel, as in all that is trained. */
  readonly classes: number;
  /** Whether the model ends in a softmax; the stages end before it. */
  readonly outputKind: 'probabilities' | 'logits';
  /** As in `model.weights`, in its order. */
  readonly weights: readonly WeightInfo[];
}

/** Why a model cannot be read as a chain of stages. */
export interface UnsupportedLayer {
  readonly layerName: string;
  readonly className: string;
  /** A sentence's end, as in "layer 'add' (Add) has two inputs". */
  readonly reason: string;
}
