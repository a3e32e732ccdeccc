import type { ConvWindow, FeatureSize, Stage, StageGraph } from './stage';

interface InferenceStageBase {
  /** Of the layer that the operation comes from. */
  readonly name: string;
  readonly input: FeatureSize;
  readonly output: FeatureSize;
}

/** What a convolution adds and how it ends: `min(max(operation(a) + bias, low), high)`. */
interface Epilogue {
  /** One value per output channel. */
  readonly bias: Float32Array;
  readonly clamp: Stage['clamp'];
}

/** A convolution, kernel `[KH,KW,C,F]`. A dense layer is one whose window is the whole picture. */
export interface InferenceConv extends InferenceStageBase, Epilogue {
  readonly kind: 'conv';
  readonly kernel: Float32Array;
  readonly window: ConvWindow;
}

/** A depthwise convolution, kernel `[KH,KW,Q]`: output channel q reads input channel floor(q / `multiplier`). */
export interface InferenceDepthwise extends InferenceStageBase, Epilogue {
  readonly kind: 'depthwise';
  readonly kernel: Float32Array;
  readonly window: ConvWindow;
  readonly multiplier: number;
}

/** The mean over each channel of a picture. */
export interface InferencePool extends InferenceStageBase {
  readonly kind: 'pool';
}

export type InferenceStage = InferenceConv | InferenceDepthwise | InferencePool;

/** A model as it is run, not trained: batch norm is part of the convolutions, and dropout is gone. */
export interface InferenceGraph {
  readonly input: FeatureSize;
  readonly stages: readonly InferenceStage[];
  /** Of the last stage. */
  readonly output: FeatureSize;
  /** Whether the model ends in a softmax; the stages end before it. */
  readonly outputKind: StageGraph['outputKind'];
}
